"""Lets this checkout's functions go on where another release stopped.

python -m tests.upgrade.resume FOLDER     goes on from every moment there; 1 if something was lost
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

import tests.conftest  # noqa: F401 - sets what Powertools reads when it is imported
from core.jobs.callback import CallRef
from core.jobs.job import JobState
from tests.fakes.runpod_endpoint import Habits, Run
from tests.faults.event_loop import EventLoop, Message
from tests.faults.invariants import check
from tests.faults.scenario_runner import Ended, Scenario, ScenarioRunner, scenario_runner
from tests.upgrade.moments import Moment, Recording, recordings
from tests.upgrade.situations import SITUATIONS


@dataclass(frozen=True, kw_only=True)
class Case:
    recording: Recording
    moment: Moment

    def __str__(self) -> str:
        return f"{self.recording.scenario}: {self.moment.name}"


def cases(folder: Path) -> Iterator[Case]:
    for recording in recordings(folder):
        for moment in recording.moments:
            yield Case(recording=recording, moment=moment)


def resume(runner: ScenarioRunner, case: Case) -> Ended:
    """Put back what there was at the moment, and play on to the job's end."""
    recording = case.recording
    scenario = Scenario(
        recording.scenario,
        recording.transcript,
        key=recording.key,
        habits=_habits(recording.scenario),
        environment={**recording.environment, **recording.mended},
        ends=JobState(recording.ends),
    )

    def begin(loop: EventLoop) -> None:
        put_back(case)
        _promise_again(case, loop)

    return runner.run(scenario, begin=begin)


def check_nothing_is_lost(ended: Ended, case: Case) -> None:
    """Raise AssertionError for a summary that is lost, or a request that is made twice."""
    recording = case.recording
    check(ended, ends=JobState(recording.ends), runs_without_fault=recording.requests)
    assert len(ended.runs) <= recording.requests, "RunPod was asked for more than it was before"


def _habits(scenario: str) -> Habits:
    """Let the endpoint behave as it did; a situation that is no longer recorded has a good one."""
    known = {each.scenario.name: each.scenario.habits for each in SITUATIONS}
    return known.get(scenario, Habits())


def put_back(case: Case) -> None:
    """Put back what was stored."""
    recording, moment = case.recording, case.moment
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    s3.put_object(Bucket="transcripts", Key=recording.key, Body=recording.transcript.encode())
    for item in moment.items:
        dynamodb.put_item(TableName="jobs", Item=item)
    for key in moment.objects:
        stored = recording.objects[key]
        s3.put_object(
            Bucket="out", Key=key, Body=stored["text"].encode(), Metadata=stored["metadata"]
        )


def _promise_again(case: Case, loop: EventLoop) -> None:
    """Let messages and callbacks come that were on their way."""
    recording, moment = case.recording, case.moment
    loop.now = datetime.fromisoformat(moment.at)
    loop.runpod.runs += [_run(dict(recording.runs[index])) for index in moment.runs]
    for run in loop.runpod.runs:
        if run.id in moment.unanswered:
            loop.will_call_back(run, moment.unanswered[run.id])
    for message in moment.messages:
        loop.resend(Message(**message))


def _run(kept: dict[str, Any]) -> Run:
    ends_at = datetime.fromisoformat(kept["ends_at"])
    return Run(**{**kept, "ref": CallRef(**kept["ref"]), "ends_at": ends_at})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.resume")
    parser.add_argument("folder", type=Path)
    lost, found = 0, list(cases(parser.parse_args().folder))
    with scenario_runner() as runner:
        for case in found:
            try:
                check_nothing_is_lost(resume(runner, case), case)
            except Exception as exc:
                lost += 1
                print(f"{case}: {type(exc).__name__}: {exc}")
    print(f"{len(found)} moments, {lost} lost")
    return 1 if lost or not found else 0


if __name__ == "__main__":
    sys.exit(main())

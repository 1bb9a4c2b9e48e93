"""Records what this checkout's functions store and send, for later releases to be tested against.

python -m tests.upgrade.record 0.2     writes tests/upgrade/releases/0.2/
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401 - sets what Powertools reads when it is imported
from core.aws.items import JOB_ITEM
from core.aws.queue import ATTEMPT_REQUESTED, NEXT_STAGE_REQUESTED
from core.aws.values import unpacked
from tests.fakes.runpod_endpoint import Run
from tests.faults.event_loop import EventLoop
from tests.faults.scenario_runner import Scenario, ScenarioRunner, scenario_runner
from tests.faults.wire import Fault, Plan
from tests.upgrade import kept
from tests.upgrade.moments import JOBS, RELEASES, Moment, Recording, write
from tests.upgrade.situations import SITUATIONS, Dying, Situation


class Enough(Exception):
    """What can be recorded of a job that does not end by itself has been."""


@dataclass
class Recorder:
    """Keeps each moment in which job, calls and queue are as they have not been before."""

    runner: ScenarioRunner
    situation: Situation
    known: set[str]  # moments of other situations that this one need not repeat
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def begin(self, loop: EventLoop) -> None:
        loop.after_step = partial(self._after_step, loop)
        self.runner.upload(loop, self.situation.scenario)
        self._keep(loop)

    def _after_step(self, loop: EventLoop) -> None:
        self.situation.after_step(loop)
        self._keep(loop)

    def _keep(self, loop: EventLoop) -> None:
        items = self.runner.stored_items()
        name = _named(items, loop)
        kind = f"{self.situation.kind}: {name}"
        if kind not in self.known:
            self.known.add(kind)
            objects = self.runner.objects()
            metadata = self.runner.metadata()
            self.objects |= {
                key: {"text": text, "metadata": metadata[key]} for key, text in objects.items()
            }
            self.moments.append(
                Moment(
                    name=name,
                    at=loop.now.isoformat(),
                    items=items,
                    objects=sorted(objects),
                    messages=[asdict(message) for message in loop.queue],
                    runs=[self._index_of(run) for run in loop.runpod.runs],
                    unanswered=dict(loop.unanswered),
                )
            )
        if self.situation.mended and "held" in name:
            raise Enough

    def _index_of(self, run: Run) -> int:
        kept = {
            "id": run.id,
            "ref": asdict(run.ref),
            "webhook": run.webhook,
            "ends_at": run.ends_at.isoformat(),
            "says": dict(run.says),
        }
        if kept not in self.runs:
            self.runs.append(kept)
        return self.runs.index(kept)


def record(runner: ScenarioRunner, situation: Situation, known: set[str]) -> Recording:
    scenario = situation.scenario
    plan = _plan(runner, scenario, situation.dying) if situation.dying else None
    recorder = Recorder(runner, situation, known)
    try:
        ended = runner.run(scenario, plan, begin=recorder.begin)
        requests = len(ended.runs)
    except Enough:
        requests = 1
    return Recording(
        scenario=scenario.name,
        key=scenario.key,
        transcript=scenario.transcript,
        environment=dict(scenario.environment),
        mended=dict(situation.mended),
        ends=scenario.ends.value,
        requests=requests,
        objects=recorder.objects,
        runs=recorder.runs,
        moments=recorder.moments,
    )


def _plan(runner: ScenarioRunner, scenario: Scenario, dying: Dying) -> Plan:
    site = next(site for site in runner.run(scenario).seen if dying.is_at(site))
    return Plan(site, 1, Fault.KILLED_AFTER)


def _named(items: list[dict[str, Any]], loop: EventLoop) -> str:
    """Say what a new release would find: the job's state, its calls' states, what is on its way."""
    plain = [unpacked(item) for item in items]
    job = [item for item in plain if item["item"] == JOB_ITEM]
    calls = [item for item in plain if item["item"] != JOB_ITEM]
    newest = max((call["stage"] for call in calls), default=0)
    states = sorted({_state(call) for call in calls if call["stage"] == newest})
    waiting = sorted({_kind(message.body) for message in loop.queue})
    if "submitted" in states and not loop.unanswered:
        waiting.append("no callback to come")
    return "; ".join(filter(None, [_job_state(job), ", ".join(states), ", ".join(waiting)]))


def _job_state(jobs: list[dict[str, Any]]) -> str:
    if not jobs:
        return "not recorded"
    (job,) = jobs
    doing = "publishing" if job["is_publishing"] and job["state"] == "active" else ""
    return " ".join(filter(None, [job["state"], doing, f"in stage {job['stage']}"]))


def _state(call: dict[str, Any]) -> str:
    more = [f"attempt {len(call['attempts'])}"] if len(call["attempts"]) > 1 else []
    more += ["held"] if "hold" in call else []
    more += ["polled"] if call["polls"] else []
    return " ".join([call["state"], *more])


def _kind(body: str) -> str:
    if ATTEMPT_REQUESTED in body:
        return "attempt requested"
    return "next stage requested" if NEXT_STAGE_REQUESTED in body else "upload announced"


def all_recordings(runner: ScenarioRunner) -> Iterator[Recording]:
    known: set[str] = set()
    for situation in SITUATIONS:
        yield record(runner, situation, known)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.record")
    parser.add_argument("release", help="its number, for example 0.2")
    parser.add_argument("--into", type=Path, default=RELEASES)
    given = parser.parse_args()
    folder = given.into / given.release
    with scenario_runner() as runner:
        for recording in all_recordings(runner):
            file = write(recording, folder / JOBS)
            print(f"{file.stat().st_size:9,} {len(recording.moments):3} moments  {file.name}")
    kept.write(folder)


if __name__ == "__main__":
    main()

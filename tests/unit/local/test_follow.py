"""What the demo shows while a job is running."""

from dataclasses import replace
from typing import cast

import pytest
import responses

from cli.deployment import Deployment, History, Upload
from core.jobs.call import Call, CallState
from core.jobs.job import JobState
from core.summaries.options import Mode
from local.follow import Follower
from local.stack.simulator import RunPodEndpoint
from local.steps import Step
from tests.builders import a_call, a_job, a_summary, an_event

RUNPOD = RunPodEndpoint("http://127.0.0.1:8899/v2/local", "a-key")
ARRIVED = an_event(what="submitted -> publishing", detail={"runpod_status": "COMPLETED"})


class Heard:
    """An Observer that keeps which steps and parts have ended, and with what."""

    def __init__(self) -> None:
        self.ended: dict[Step, str] = {}
        self.parts: list[str] = []
        self.notes: list[str] = []

    def begin(self, step: Step) -> None:
        pass

    def note(self, step: Step, text: str) -> None:
        self.notes.append(text)

    def part(self, step: Step, name: str, text: str) -> None:
        self.parts.append(f"{name.strip()}: {text}")

    def end(self, step: Step, text: str = "") -> None:
        self.ended[step] = text


class Deployed:
    """A deployment that shows one history after the other; `before` is what had ended by each."""

    def __init__(self, heard: Heard, histories: list[History]) -> None:
        self._heard, self._histories = heard, histories
        self.before: list[set[Step]] = []

    def history(self, _upload: Upload) -> History:
        self.before.append(set(self._heard.ended))
        return self._histories.pop(0)


def followed(heard: Heard, histories: list[History]) -> Deployed:
    deployed = Deployed(heard, histories)
    upload = Upload(bucket="transcripts", key="board.txt", version_id="", etag="")
    with Follower(cast("Deployment", deployed), RUNPOD, heard) as follower:
        follower.follow(upload, timeout_seconds=10)
    return deployed


def of_stage(stage: int, *asks: str, state: CallState = CallState.SUCCEEDED) -> list[Call]:
    return [
        replace(a_call(state), id=f"{stage}-{at}", stage=stage, ask=ask)
        for at, ask in enumerate(asks)
    ]


OUTLINE = of_stage(1, "outline")
PARTS = ("section-1.1", "section-2.1", "ledger-1")


def test_each_round_is_reported_once_it_has_ended() -> None:
    job = replace(a_job(), stage=2)
    under_way = [*of_stage(2, *PARTS[:2]), *of_stage(2, PARTS[2], state=CallState.SUBMITTED)]
    overview = of_stage(3, "overview")
    done = replace(job, state=JobState.SUCCEEDED, summary=a_summary(), stage=3)
    heard = Heard()

    deployed = followed(
        heard,
        [
            History(job, [*OUTLINE, *under_way], [ARRIVED]),
            History(done, [*OUTLINE, *of_stage(2, *PARTS), *overview], [ARRIVED] * 5),
        ],
    )

    assert heard.parts == [
        "round 1: outline",
        "round 2: 2 sections and 1 list",
        "round 3: overview",
    ]
    assert "2 sections and 1 list: 2 of 3 done" in heard.notes
    assert not deployed.before[1] & {Step.RUNPOD, Step.CALLBACK, Step.SUMMARY}
    assert heard.ended[Step.RUNPOD] == "5 requests in 3 rounds"
    assert heard.ended[Step.CALLBACK] == "5 results"


def test_a_summary_in_one_answer_is_one_round() -> None:
    done = replace(a_job(), state=JobState.SUCCEEDED, summary=a_summary(), stage=1)
    heard = Heard()

    followed(heard, [History(done, of_stage(1, "single"), [ARRIVED])])

    assert heard.parts == ["round 1: the whole summary"]
    assert heard.ended[Step.RUNPOD] == "1 request in 1 round"


def test_the_rounds_of_a_worker_in_pull_mode_are_those_that_it_reports() -> None:
    options = replace(a_job().options, mode=Mode.PULL)
    job, call = a_job(options=options, stage=0), a_call(CallState.SUBMITTED)
    reports = [
        {"doing": "fetch"},
        {"doing": "outline", "stage": 1, "calls": 1, "done": 0},
        {"doing": "8 sections and 4 lists", "stage": 2, "calls": 12, "done": 5},
    ]
    done = replace(job, state=JobState.SUCCEEDED, summary=a_summary())
    heard = Heard()

    with responses.RequestsMock() as runpod:
        for report in reports:
            body = {"id": call.attempt.runpod_id, "status": "IN_PROGRESS", "output": report}
            runpod.get(f"{RUNPOD.url}/status/{call.attempt.runpod_id}", json=body)
        last = History(done, [a_call(CallState.SUCCEEDED)], [ARRIVED])
        followed(heard, [History(job, [call], [])] * 3 + [last])

    assert heard.parts == ["round 1: outline", "round 2: 8 sections and 4 lists"]
    assert heard.notes[0] == "fetch"
    assert "8 sections and 4 lists: 5 of 12 done" in heard.notes
    assert heard.ended[Step.RUNPOD].startswith("COMPLETED")


@pytest.mark.parametrize("progress", [None, ["what", "another worker reports"], {"doing": 3}])
def test_what_nobody_understands_of_a_workers_progress_is_left_out(progress: object) -> None:
    options = replace(a_job().options, mode=Mode.PULL)
    job, call = a_job(options=options, stage=0), a_call(CallState.SUBMITTED)
    body = {"id": call.attempt.runpod_id, "status": "IN_PROGRESS", "output": progress}
    done = replace(job, state=JobState.SUCCEEDED, summary=a_summary())
    heard = Heard()

    with responses.RequestsMock() as runpod:
        runpod.get(f"{RUNPOD.url}/status/{call.attempt.runpod_id}", json=body)
        last = History(done, [a_call(CallState.SUCCEEDED)], [ARRIVED])
        followed(heard, [History(job, [call], []), last])

    assert heard.notes[0] == "IN_PROGRESS"

"""What the demo shows while a job is running."""

from dataclasses import replace
from typing import cast

import pytest
import responses

from core.jobs.call import CallState
from core.jobs.job import JobState
from local.deployment import Deployment, History, Upload
from local.follow import Follower
from local.stack.simulator import RunPodEndpoint
from local.steps import Step
from tests.builders import a_call, a_job, a_summary, an_event

RUNPOD = RunPodEndpoint("http://127.0.0.1:8899/v2/local", "a-key")
ARRIVED = an_event(what="submitted -> publishing", detail={"runpod_status": "COMPLETED"})


class Heard:
    """An Observer that keeps which steps have ended, and with what."""

    def __init__(self) -> None:
        self.ended: dict[Step, str] = {}

    def begin(self, step: Step) -> None:
        pass

    def note(self, step: Step, text: str) -> None:
        pass

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


@pytest.mark.parametrize("was_repaired", [False, True])
def test_runpod_is_at_work_until_there_is_nothing_to_repair(was_repaired: bool) -> None:
    job, call = a_job(), a_call(CallState.SUCCEEDED)
    done = replace(job, state=JobState.SUCCEEDED, summary=a_summary())
    calls = [call, replace(call, id="1-0", stage=1)] if was_repaired else [call]
    last = History(replace(done, stage=len(calls) - 1), calls, [ARRIVED])
    heard = Heard()
    deployed = Deployed(heard, [History(job, [call], [ARRIVED]), last])
    upload = Upload(bucket="transcripts", key="board.txt", version_id="", etag="")

    with (
        responses.RequestsMock(),
        Follower(cast("Deployment", deployed), RUNPOD, heard) as follower,
    ):
        follower.follow(upload, timeout_seconds=10)

    assert not deployed.before[1] & {Step.RUNPOD, Step.CALLBACK, Step.SUMMARY}
    assert heard.ended.keys() >= {Step.RUNPOD, Step.CALLBACK, Step.SUMMARY}
    assert heard.ended[Step.RUNPOD].startswith("2 requests" if was_repaired else "COMPLETED")


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        (None, "IN_PROGRESS"),
        ({"doing": "fetch"}, "IN_PROGRESS, fetch"),
        ({"doing": "notes", "stage": 1, "calls": 7, "done": 3}, "IN_PROGRESS, notes: 3 of 7 done"),
        (["what", "another worker reports"], "IN_PROGRESS"),
    ],
    ids=["nothing", "fetch", "calls", "unknown"],
)
def test_what_a_worker_of_pull_mode_is_at_is_shown(progress: object, shown: str) -> None:
    call = a_call(CallState.SUBMITTED)
    body = {"id": call.attempt.runpod_id, "status": "IN_PROGRESS", "output": progress}

    with responses.RequestsMock() as runpod:
        runpod.get(f"{RUNPOD.url}/status/{call.attempt.runpod_id}", json=body)
        with Follower(cast("Deployment", None), RUNPOD, Heard()) as follower:
            assert follower._runpod_status(call) == shown

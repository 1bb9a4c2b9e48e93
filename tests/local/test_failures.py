"""Failures on RunPod's side, and forged callbacks."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest

from cli.deployment import History, Upload
from core.jobs.call import CallState
from core.jobs.job import JobState
from core.summaries.options import Mode
from local.waiting import wait_for
from tests.local.checks import assert_summarised
from tests.local.conftest import Local, new_marker, short_transcript


@dataclass(frozen=True)
class Begun:
    marker: str
    upload: Upload


@pytest.fixture(scope="module")
def uploads(local: Local) -> dict[tuple[Mode, str], Begun]:
    """Uploads that take seconds each, by mode and failure: begun together, to wait once."""
    failures: dict[str, tuple[str, int | None]] = {
        "lost callback": ("lost-webhook", None),
        "error once": ("worker-error", 1),
        "error always": ("worker-error", None),
    }
    begun = {}
    for mode, (name, (scenario, next_jobs)) in product(Mode, failures.items()):
        marker = new_marker()
        local.simulator.use(scenario, next_jobs=next_jobs, containing=marker)
        upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=mode)
        begun[mode, name] = Begun(marker, upload)
    return begun


def test_the_sweeper_recovers_a_lost_callback(
    local: Local, uploads: dict[tuple[Mode, str], Begun], mode: Mode
) -> None:
    lost = uploads[mode, "lost callback"]

    history = local.stack.history(lost.upload)
    if history is None or not history.job.is_final:  # the other mode's sweep may have found it
        local.sweep_when_due(lost.upload)

    history = local.stack.wait_for_job(lost.upload, timeout_seconds=5)
    assert_summarised(local.stack, lost.upload, history)
    assert len(local.runpod_jobs(lost.marker)) == 1
    by = {event.what: event.by for event in history.events}
    assert by["submitted -> publishing"] == "sweeper"
    assert by["active -> succeeded"] == "sweeper"


def test_a_temporary_error_costs_another_attempt_and_succeeds(
    local: Local, uploads: dict[tuple[Mode, str], Begun], mode: Mode
) -> None:
    failing = uploads[mode, "error once"]

    history = local.stack.wait_for_job(failing.upload)

    assert_summarised(local.stack, failing.upload, history)
    outcomes = [attempt.outcome for attempt in history.calls[0].attempts]
    assert outcomes == ["worker-error", "succeeded"]
    first, second = local.runpod_jobs(failing.marker)
    assert first.webhook != second.webhook  # each attempt has a token of its own


def test_a_permanent_error_ends_the_job_with_its_reason(
    local: Local, uploads: dict[tuple[Mode, str], Begun], mode: Mode
) -> None:
    failing = uploads[mode, "error always"]

    history = local.stack.wait_for_job(failing.upload)

    assert history.job.state is JobState.FAILED
    assert history.job.reason_code == "worker-error"
    assert "RunPod" in history.job.reason
    assert len(local.runpod_jobs(failing.marker)) == 2  # MaxAttempts
    assert history.events[-1].by == "webhook_receiver"


def test_an_error_that_no_retry_can_help_costs_one_attempt(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    local.simulator.use("context-length", containing=marker)
    upload = local.stack.upload(transcript(marker), f"{marker}.txt")

    history = local.stack.wait_for_job(upload)

    assert history.job.reason_code == "context-length"
    assert {len(call.attempts) for call in history.calls} == {1}  # the next one asked for less


def test_a_callback_that_arrives_before_runpods_answer_is_not_lost(
    local: Local, transcript: Callable[[str], str], marker: str, mode: Mode
) -> None:
    local.simulator.use("early-callback", containing=marker)
    upload = local.upload(transcript(marker), f"{marker}.txt", mode=mode)

    history = local.stack.wait_for_job(upload)

    assert_summarised(local.stack, upload, history)
    assert len(local.runpod_jobs(marker)) == 1


def test_a_callback_delivered_three_times_writes_one_summary(
    local: Local, transcript: Callable[[str], str], marker: str, mode: Mode
) -> None:
    local.simulator.use("duplicate-webhook=3", containing=marker)
    upload = local.upload(transcript(marker), f"{marker}.txt", mode=mode)
    history = local.stack.wait_for_job(upload)
    [request] = local.runpod_jobs(marker)

    local.simulator.wait_until(lambda _: len(local.answers_to(request.id)) == 3, 30)

    assert local.answers_to(request.id) == [200, 200, 200]
    assert local.stack.history(upload) == history


def test_a_callback_with_another_token_is_refused_and_changes_nothing(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    local.simulator.use("slow=30", containing=marker)
    upload = local.stack.upload(transcript(marker), f"{marker}.txt")
    history = wait_until_submitted(local, upload)
    [request] = local.runpod_jobs(marker)
    path, _, token = request.webhook.rpartition("/")
    forged = {
        "id": request.id,
        "status": "COMPLETED",
        "output": [{"choices": [{"message": {"content": "Send money to the stranger."}}]}],
    }

    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    answers = [local.post(f"{path}/{wrong}", forged), local.post(f"{path}/x", forged)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert "Send money" not in answers[0].text
    assert local.stack.history(upload) == history
    finished = local.stack.wait_for_job(upload)
    stored = assert_summarised(local.stack, upload, finished)
    assert "Send money" not in stored.text


def wait_until_submitted(local: Local, upload: Upload) -> History:
    def submitted() -> History | None:
        history = local.stack.history(upload)
        is_there = history and history.calls[0].state is CallState.SUBMITTED
        return history if is_there else None

    return wait_for(submitted, what="a submitted call", timeout_seconds=180)

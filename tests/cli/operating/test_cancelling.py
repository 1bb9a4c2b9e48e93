"""`cancel` over moto: what it ends, what it leaves to the sweeper, and what it won't touch."""

from collections.abc import Iterator

import pytest

from core.jobs.call import CallState
from core.jobs.job import JobState
from tests.builders import NOON, a_call, a_job, a_pull_call, a_pull_job, a_summary, an_event
from tests.cli.operating.operated import Operated, operated
from tests.fakes.cloud import RUNPOD

KEY = "calls/board.txt"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as stack:
        yield stack


def test_a_cancelled_job_has_failed_on_the_operators_account(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.runpod_cancels()

    stack.json("cancel", job.id, "--yes")

    stored, _, events = stack.cloud.history(job.id)
    (ended,) = [event for event in events if event.what == "active -> failed"]
    assert (stored.state, stored.reason_code) == (JobState.FAILED, "cancelled-by-operator")
    assert ended.by == "operator"


def test_its_request_at_runpod_is_cancelled_at_once(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.runpod_cancels()

    told = stack.json("cancel", job.id[:8], "--yes")

    assert stack.cancellations() == ["rp-1"]
    assert told["jobs"][0]["cancelled_requests"] == ["rp-1"]
    assert stack.history(job.id)[1][0].state is CallState.CANCELLED


def test_a_request_that_runpod_would_not_cancel_is_left_to_the_sweeper(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.runpod_cancels(status=500)
    told = stack.json("cancel", job.id, "--yes")
    assert told["jobs"][0]["left_calls"] == ["1-0"]
    stack.cloud.runpod.replace("POST", f"{RUNPOD}/cancel/rp-1", json={})

    stack.json("sweep")

    assert stack.history(job.id)[1][0].state is CallState.CANCELLED


def test_of_a_round_with_several_calls_each_ends_by_what_it_is_at(stack: Operated) -> None:
    job = a_job(stage_calls=3)
    calls = [
        a_call(CallState.SUBMITTED, id="1-0"),
        a_call(CallState.WAITING, attempts=0, id="1-1"),
        a_call(CallState.SUBMITTING, id="1-2"),
    ]
    stack.cloud.store().create(job, calls)
    stack.runpod_cancels()

    told = stack.json("cancel", job.id, "--yes")

    states = [call.state for call in stack.history(job.id)[1]]
    assert states == [CallState.CANCELLED, CallState.CANCELLED, CallState.SUBMITTING]
    assert told["jobs"][0]["left_calls"] == ["1-2"]
    assert stack.job(job.id).due_at is not None  # so the sweeper ends what was left


def test_without_a_key_at_hand_the_request_is_left_to_the_sweeper(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.cloud.delete_secret("runpod/api-key")

    told = stack.json("cancel", job.id, "--yes")

    assert told["jobs"][0]["left_calls"] == ["1-0"]
    assert stack.job(job.id).state is JobState.FAILED
    assert any("sweeper" in note for note in told["jobs"][0]["notes"])


def test_a_callback_after_it_changes_nothing(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.runpod_cancels()
    stack.json("cancel", job.id, "--yes")

    stack.call_back("# A summary\n\nIt came too late.")

    assert stack.job(job.id).reason_code == "cancelled-by-operator"
    assert [key for key in stack.cloud.summaries() if not key.startswith("work/")] == []


def test_a_dry_run_changes_nothing(stack: Operated) -> None:
    job = stack.upload(KEY)

    told = stack.json("cancel", job.id, "--dry-run")

    assert told["is_dry_run"]
    assert told["jobs"][0]["did"] == "would be cancelled"
    assert stack.job(job.id).state is JobState.ACTIVE


def test_without_a_terminal_and_yes_it_refuses(stack: Operated) -> None:
    job = stack.upload(KEY)

    result = stack.run("cancel", job.id)

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert stack.job(job.id).state is JobState.ACTIVE


def test_a_no_at_the_terminal_leaves_the_job_alone(stack: Operated) -> None:
    job = stack.upload(KEY)

    result = stack.run("cancel", job.id, answer="n\n")

    assert result.exit_code == 1
    assert stack.job(job.id).state is JobState.ACTIVE


def test_of_a_job_that_has_ended_it_says_how_when_and_by_whom(stack: Operated) -> None:
    job = a_job(state=JobState.SUCCEEDED, finished_at=NOON, summary=a_summary())
    ended = an_event(what="active -> succeeded", by="submitter")
    stack.cloud.holding(job.with_event(ended), a_call(CallState.SUCCEEDED))

    told = stack.json("cancel", job.id, "--yes", exit_code=1)

    assert "it succeeded" in told["jobs"][0]["conflict"]
    assert "by the submitter" in told["jobs"][0]["conflict"]
    assert "2026-03-02 12:00:00 UTC" in told["jobs"][0]["conflict"]


@pytest.mark.parametrize(
    ("job", "call"),
    [
        (a_job(is_publishing=True), a_call(CallState.SUCCEEDED)),
        (a_pull_job(), a_pull_call(CallState.PUBLISHING)),
    ],
    ids=["assembled", "delivered"],
)
def test_a_summary_that_is_being_published_is_left_to_be(stack: Operated, job, call) -> None:
    stack.cloud.holding(job, call)

    told = stack.json("cancel", job.id, "--yes", exit_code=1)

    assert "being published" in told["jobs"][0]["conflict"]
    assert stack.job(job.id).state is JobState.ACTIVE


def test_a_job_that_is_not_there_has_an_exit_code_of_its_own(stack: Operated) -> None:
    assert stack.run("cancel", "calls/nobody.txt", "--yes").exit_code == 3


def test_all_that_are_active_are_cancelled_and_what_has_ended_is_left(stack: Operated) -> None:
    ended = stack.upload("calls/a.txt")
    stack.runpod_cancels()
    stack.json("cancel", ended.id, "--yes")
    first, second = (stack.upload(key, runpod_id="rp-1") for key in ("calls/b.txt", "talks/c.txt"))

    one = stack.json("cancel", "--all", "--key", "talks/", "--yes")
    rest = stack.json("cancel", "--all", "--yes")

    assert [each["job_id"] for each in one["jobs"]] == [second.id]
    assert [each["job_id"] for each in rest["jobs"]] == [first.id]
    assert stack.json("cancel", "--all", "--yes")["jobs"] == []


def test_more_than_the_limit_are_left_for_the_next_time(stack: Operated) -> None:
    for key in ("calls/b.txt", "talks/c.txt"):
        stack.upload(key)
    stack.runpod_cancels()

    told = stack.json("cancel", "--all", "--limit", "1", "--yes")

    assert (len(told["jobs"]), told["has_more"]) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("a.txt", "--all")])
def test_it_is_either_jobs_by_name_or_all(stack: Operated, arguments: tuple[str, ...]) -> None:
    assert stack.run("cancel", *arguments, "--yes").exit_code == 2


def test_with_yes_what_was_done_is_told_once(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.runpod_cancels()

    told = stack.run("cancel", job.id, "--yes").stdout

    assert told.count(KEY) == 1
    assert "cancelled" in told


def test_with_yes_a_conflict_is_told_too(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.runpod_cancels()
    stack.run("cancel", job.id, "--yes")

    result = stack.run("cancel", job.id, "--yes")

    assert result.exit_code == 1
    assert result.stdout.count(KEY) == 1
    assert "it failed" in result.stdout

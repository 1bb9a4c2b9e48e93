"""What each report means for a call in each state: the whole table."""

from dataclasses import replace

import pytest

from core.errors import ForeignRequest, UnknownCall
from core.jobs.call import OVERFLOW, Call, CallState
from core.jobs.decide import (
    Close,
    Decision,
    Fail,
    Ignore,
    NoteLate,
    Overflow,
    Publish,
    Recover,
    Retry,
    attempt_of,
    decide,
    is_left_behind,
)
from core.jobs.job import Job, JobState
from core.runpod.reports import RunPodReport, gone, parse_report
from tests.builders import (
    a_call,
    a_job,
    a_pull_call,
    a_pull_job,
    a_report,
    a_summary,
    an_event,
    completed_body,
    failed_body,
    lost_body,
    status_body,
)

SUCCESS = a_report()
LOST = parse_report(lost_body())
REFUSED = parse_report(failed_body("executionTimeout exceeded"))
RUNNING = parse_report(status_body("IN_PROGRESS"))
GONE = gone("rp-1")
EMPTY = parse_report(completed_body("<think>Which words would"))

OPEN = (CallState.WAITING, CallState.SUBMITTING, CallState.SUBMITTED)
TABLE = [
    *[(state, SUCCESS, Publish) for state in OPEN],
    (CallState.PUBLISHING, SUCCESS, Publish),
    (CallState.SUBMITTING, LOST, Retry),
    (CallState.SUBMITTED, LOST, Retry),
    (CallState.SUBMITTING, REFUSED, Fail),
    (CallState.SUBMITTED, REFUSED, Fail),
    (CallState.SUBMITTED, GONE, Retry),
    (CallState.PUBLISHING, GONE, Recover),
    # The attempt has ended already: the call waits for the next one.
    (CallState.WAITING, LOST, Ignore),
    (CallState.WAITING, REFUSED, Ignore),
    *[(state, RUNNING, Ignore) for state in CallState],
    *[(CallState.SUCCEEDED, report, Ignore) for report in (SUCCESS, LOST, REFUSED, GONE)],
    *[(CallState.FAILED, report, Ignore) for report in (LOST, REFUSED, GONE)],
    (CallState.FAILED, SUCCESS, NoteLate),
    (CallState.CANCELLED, SUCCESS, NoteLate),
]


def job_of(state: CallState):
    match state:
        case CallState.SUCCEEDED:
            return a_job().with_success(a_summary(), an_event())
        case CallState.FAILED | CallState.CANCELLED:
            return a_job().with_failure("deadline", an_event())
    return a_job()


def decided(
    job: Job, call: Call, number: int, report: RunPodReport, max_attempts: int = 3
) -> Decision:
    attempt = attempt_of(call, number, report.runpod_id)
    return decide(job, call, attempt, report, max_attempts=max_attempts)


@pytest.mark.parametrize(
    ("state", "report", "decision"),
    TABLE,
    ids=[
        f"{state}-{report.failure.code if report.failure else report.status}"
        for state, report, _ in TABLE
    ],
)
def test_a_report_means_one_thing_in_each_state(state, report, decision) -> None:
    assert isinstance(decided(job_of(state), a_call(state), 1, report), decision)


@pytest.mark.parametrize("state", OPEN)
def test_an_open_call_of_a_job_that_has_ended_follows_it(state: CallState) -> None:
    job = a_job().with_failure("deadline", an_event())

    assert isinstance(decided(job, a_call(state), 1, SUCCESS), Close)


def test_a_late_success_is_noted_once() -> None:
    job = a_job(state=JobState.FAILED)
    call = a_call(CallState.FAILED, late=True)

    assert isinstance(decided(job, call, 1, SUCCESS), Ignore)


def test_the_last_attempt_that_may_be_paid_for_is_the_last() -> None:
    call = a_call(attempts=3)
    lost = parse_report(lost_body(id="rp-3"))

    assert isinstance(decided(a_job(), call, 3, lost), Fail)
    assert isinstance(decided(a_job(), call, 3, lost, max_attempts=4), Retry)


@pytest.mark.parametrize("state", [*OPEN, CallState.PUBLISHING])
def test_an_empty_answer_is_an_answer_which_the_engine_asks_for_again(state: CallState) -> None:
    """The same request with the same seed would most likely bring nothing again."""
    assert isinstance(decided(a_job(), a_call(state), 1, EMPTY), Publish)


def test_an_earlier_attempts_success_is_taken() -> None:
    call = a_call(attempts=2)

    assert isinstance(decided(a_job(), call, 1, SUCCESS), Publish)


def test_an_earlier_attempts_failure_changes_nothing() -> None:
    call = a_call(attempts=2)

    assert isinstance(decided(a_job(), call, 1, REFUSED), Ignore)


def test_a_failure_of_another_attempt_does_not_stop_publishing() -> None:
    call = a_call(attempts=2).with_publishing(1, due_at=a_job().deadline, event=an_event())
    lost = parse_report(lost_body(id="rp-2"))

    assert isinstance(decided(a_job(), call, 2, lost), Ignore)


def test_a_failure_changes_nothing_for_a_call_that_waits_though_its_attempt_is_open() -> None:
    """An earlier attempt's result was lost while it was published; the latest still runs."""
    call = a_call(attempts=2).with_publishing(1, due_at=a_job().deadline, event=an_event())
    call = call.with_wait("lost-by-runpod", due_at=a_job().deadline, event=an_event())
    lost = parse_report(lost_body(id="rp-2"))

    assert isinstance(decided(a_job(), call, 2, lost), Ignore)


@pytest.mark.parametrize("report", [LOST, GONE], ids=["lost", "gone"])
def test_a_call_known_to_be_too_long_is_asked_for_less_whatever_the_report(report) -> None:
    """The function that recorded it died before its call was counted and ended."""
    call = a_call().attempt_ended(OVERFLOW)

    assert isinstance(decided(a_job(), call, 1, report), Overflow)


def test_a_report_about_another_request_is_foreign() -> None:
    with pytest.raises(ForeignRequest):
        decided(a_job(), a_call(), 1, a_report(id="rp-of-somebody-else"))


def test_an_attempt_without_an_id_takes_the_reports() -> None:
    """The callback arrived before RunPod's answer to /run, or that answer was lost."""
    call = a_call(CallState.SUBMITTING)

    assert isinstance(decided(a_job(), call, 1, a_report(id="rp-77")), Publish)


def test_an_attempt_that_never_began_is_unknown() -> None:
    with pytest.raises(UnknownCall):
        decided(a_job(), a_call(), 2, SUCCESS)


class TestADecision:
    """It carries what carrying it out takes: nothing is looked up again."""

    def test_to_publish_has_the_attempt_and_its_report(self) -> None:
        call = a_call(attempts=2)

        assert decided(a_job(), call, 1, SUCCESS) == Publish(call.attempts[0], SUCCESS)

    def test_to_recover_has_the_attempt_whose_result_was_being_published(self) -> None:
        call = a_call(CallState.PUBLISHING)

        assert decided(a_job(), call, 1, GONE) == Recover(call.attempt, GONE.failure)

    def test_to_note_a_late_result_has_the_attempt_and_its_report(self) -> None:
        call = a_call(CallState.FAILED)

        job = a_job().with_failure("deadline", an_event())
        assert decided(job, call, 1, SUCCESS) == NoteLate(call.attempt, SUCCESS)

    def test_to_ask_for_less_has_the_attempt_and_the_failure(self) -> None:
        too_long = parse_report(failed_body("maximum context length"))

        assert decided(a_job(), a_call(), 1, too_long) == Overflow(
            a_call().attempt, too_long.failure
        )

    def test_to_retry_or_fail_has_the_failure(self) -> None:
        assert decided(a_job(), a_call(), 1, LOST) == Retry(LOST.failure)
        assert decided(a_job(), a_call(), 1, REFUSED) == Fail(REFUSED.failure)

    def test_to_fail_is_that_of_a_worker_that_could_not_ask_for_less(self) -> None:
        too_long = parse_report(failed_body("maximum context length"))

        decision = decided(a_pull_job(), a_pull_call(), 1, too_long)

        assert decision == Fail(too_long.failure)


@pytest.mark.parametrize(
    ("stage", "state", "is_left"),
    [
        (0, CallState.SUBMITTED, True),
        (0, CallState.PUBLISHING, False),
        (1, CallState.SUBMITTED, False),
        (2, CallState.WAITING, False),
    ],
)
def test_a_call_is_left_behind_by_a_later_stage_unless_its_text_is_on_its_way(
    stage: int, state: CallState, is_left: bool
) -> None:
    assert is_left_behind(a_job(stage=1), replace(a_call(state), stage=stage)) is is_left

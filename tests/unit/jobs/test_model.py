import pytest

from core.jobs.audit import InvalidTransitionError
from core.jobs.call import CALL_TRANSITIONS, NOT_TAKEN, Call, CallState, retry_delay
from core.jobs.job import JOB_TRANSITIONS, JobState, job_id_for
from tests.builders import NOON, a_call, a_job, a_source, a_summary, an_event, minutes

# Written out once more, from docs/architecture.md: the table in the code must say the same.
ARROWS = {
    ("waiting", "submitting"),
    ("waiting", "publishing"),
    ("waiting", "failed"),
    ("waiting", "cancelled"),
    ("waiting", "succeeded"),
    ("submitting", "succeeded"),
    ("submitted", "succeeded"),
    ("submitting", "submitted"),
    ("submitting", "waiting"),
    ("submitting", "publishing"),
    ("submitting", "failed"),
    ("submitting", "cancelled"),
    ("submitted", "waiting"),
    ("submitted", "publishing"),
    ("submitted", "failed"),
    ("submitted", "cancelled"),
    ("publishing", "succeeded"),
    ("publishing", "waiting"),
    ("publishing", "failed"),
    ("publishing", "cancelled"),
}
MOVE = {
    CallState.WAITING: lambda call: call.with_wait("x", due_at=NOON, event=an_event()),
    CallState.SUBMITTING: lambda call: call.with_claim(due_at=NOON, event=an_event()),
    CallState.SUBMITTED: lambda call: call.with_submission("rp-9", an_event()),
    CallState.PUBLISHING: lambda call: call.with_publishing(1, due_at=NOON, event=an_event()),
    CallState.SUCCEEDED: lambda call: call.with_success(an_event()),
    CallState.FAILED: lambda call: call.with_failure("x", an_event()),
    CallState.CANCELLED: lambda call: call.with_cancellation(an_event()),
}


@pytest.mark.parametrize("to", CallState)
@pytest.mark.parametrize("state", CallState)
def test_a_call_makes_the_moves_of_the_table_and_no_other(state: CallState, to: CallState) -> None:
    call = a_call(state)

    if (state.value, to.value) in ARROWS:
        moved = MOVE[to](call)

        assert moved.state is to
        assert [event.what for event in moved.pending_events] == [f"{state} -> {to}"]
    else:
        with pytest.raises(InvalidTransitionError):
            MOVE[to](call)


def test_every_state_is_in_the_tables() -> None:
    assert set(CallState) == set(CALL_TRANSITIONS)
    assert set(JobState) == set(JOB_TRANSITIONS)


@pytest.mark.parametrize("state", CallState)
def test_a_call_is_due_for_the_sweeper_exactly_while_it_is_open(state: CallState) -> None:
    call = a_call(state)

    assert call.is_final == (call.due_at is None)


def test_a_job_that_has_ended_stays_as_it_ended() -> None:
    failed = a_job().with_failure("deadline", an_event(why="too late"))
    succeeded = a_job().with_success(a_summary(), an_event())

    with pytest.raises(InvalidTransitionError):
        failed.with_success(a_summary(), an_event())
    with pytest.raises(InvalidTransitionError):
        succeeded.with_failure("deadline", an_event())


def test_a_failed_job_says_why_to_machines_and_to_people() -> None:
    failed = a_job().with_failure("deadline", an_event(why="no result came"))

    assert (failed.reason_code, failed.reason) == ("deadline", "no result came")


def test_each_attempt_has_its_own_number_and_starts_without_polls() -> None:
    call = a_call(attempts=2, polls=7)

    again = call.with_wait("worker-lost", due_at=NOON, event=an_event())
    again = again.with_claim(due_at=NOON, event=an_event())

    assert [attempt.number for attempt in again.attempts] == [1, 2, 3]
    assert again.polls == 0


def test_an_attempt_that_runpod_did_not_take_costs_nothing() -> None:
    call = a_call(CallState.SUBMITTING).with_wait(NOT_TAKEN, due_at=NOON, event=an_event())

    assert call.paid_attempts == 0


def test_a_failure_keeps_what_ended_the_attempt_before() -> None:
    call = a_call(CallState.WAITING).with_failure("deadline", an_event())

    assert call.attempt.outcome == "worker-lost"


class TestAResultThatWasLostWhileItWasPublished:
    """It was an earlier attempt's; a later one may still run."""

    def publishing(self) -> Call:
        call = a_call(attempts=2)
        return call.with_publishing(1, due_at=NOON, event=an_event())

    def test_is_the_end_of_the_attempt_that_brought_it(self) -> None:
        waiting = self.publishing().with_wait("lost-by-runpod", due_at=NOON, event=an_event())

        assert [attempt.outcome for attempt in waiting.attempts] == ["lost-by-runpod", ""]
        assert waiting.published_attempt is None

    def test_is_what_its_attempt_failed_of_where_the_call_fails(self) -> None:
        failed = self.publishing().with_failure("output-refused", an_event())

        assert [attempt.outcome for attempt in failed.attempts] == ["output-refused", ""]


class TestJobId:
    def test_is_the_same_for_every_announcement_of_one_upload(self) -> None:
        again = a_source(uploaded_at=NOON + minutes(3))

        assert job_id_for(again) == job_id_for(a_source())

    @pytest.mark.parametrize(
        "changes",
        [{"key": "b.txt"}, {"bucket": "other"}, {"version_id": "v2"}],
        ids=["key", "bucket", "version"],
    )
    def test_differs_with_the_object(self, changes: dict[str, str]) -> None:
        assert job_id_for(a_source(**changes)) != job_id_for(a_source())

    def test_follows_the_sequencer_where_the_bucket_has_no_versions(self) -> None:
        first = a_source(version_id="", sequencer="01")
        uploaded_again = a_source(version_id="", sequencer="02")

        assert job_id_for(first) != job_id_for(uploaded_again)

    def test_can_not_be_forged_by_moving_text_between_bucket_and_key(self) -> None:
        assert job_id_for(a_source(bucket="a", key="bc")) != job_id_for(
            a_source(bucket="ab", key="c")
        )

    def test_takes_any_key(self) -> None:
        assert len(job_id_for(a_source(key="\ud800 ünï/../\n"))) == 32


class TestOrderOfUploads:
    def test_follows_the_sequencer_padded_on_the_right(self) -> None:
        assert a_source(sequencer="01").is_older_than(NOON, "011")
        assert not a_source(sequencer="011").is_older_than(NOON, "01")

    def test_follows_the_time_where_there_is_no_sequencer(self) -> None:
        source = a_source(sequencer="")

        assert source.is_older_than(NOON + minutes(1), "")
        assert not source.is_older_than(NOON - minutes(1), "FF")


def test_retries_wait_longer_each_time_up_to_five_minutes() -> None:
    seconds = [retry_delay(attempts).total_seconds() for attempts in range(1, 9)]

    assert seconds == [5, 10, 20, 40, 80, 160, 300, 300]

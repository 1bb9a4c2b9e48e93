"""The sweeper's use case over the setup in memory, with a clock that the test turns."""

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from core.aws.files import S3Summaries
from core.errors import RunPodFailed
from core.jobs.call import NOT_TAKEN, CallState
from core.runpod.reports import parse_report
from sweeper.polling import PUT_BACK
from tests.builders import (
    JOB_ID,
    NOON,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_pull_call,
    a_pull_report,
    a_report,
    a_summary,
    an_event,
    lost_body,
    minutes,
)
from tests.functions.sweeping import RUNNING, SweeperSetup


def refused(**_: object) -> None:
    raise ClientError({"Error": {"Code": "AccessDenied"}}, "S3")


@pytest.fixture
def setup() -> SweeperSetup:
    return SweeperSetup()


class TestACallThatIsNotDue:
    def test_is_not_touched(self, setup: SweeperSetup) -> None:
        setup.holding(a_call())
        setup.now = NOON + minutes(4)

        assert setup.found() == []
        assert setup.runpod.asked == []

    def test_is_not_touched_though_the_index_still_names_it(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(due_at=NOON + minutes(30)))
        setup.store.due = lambda now: iter([(JOB_ID, "1-0")])  # type: ignore[method-assign]

        assert setup.found() == ["settled already"]
        assert setup.runpod.asked == []


class TestASubmittedCall:
    def test_whose_callback_was_lost_is_settled(self, setup: SweeperSetup) -> None:
        setup.holding(a_call()).runpod.reports["rp-1"] = a_report()

        assert setup.found() == ["lost callback"]
        assert setup.states == ("active", "succeeded")
        assert setup.s3.objects["out", f"work/{JOB_ID}/1-0.txt"].body.decode() == SUMMARY_TEXT
        assert setup.queue.stages == [JOB_ID]

    def test_of_pull_mode_whose_callback_was_lost_becomes_the_summary(
        self, setup: SweeperSetup
    ) -> None:
        setup.holding(a_pull_call()).runpod.reports["rp-1"] = a_pull_report()

        assert setup.found() == ["lost callback"]
        assert setup.states == ("succeeded", "succeeded")
        assert setup.s3.objects["out", a_job().summary_key].body.decode() == SUMMARY_TEXT + "\n"

    def test_whose_failed_callback_was_lost_gets_another_attempt(self, setup: SweeperSetup) -> None:
        lost = parse_report(lost_body())
        setup.holding(a_call()).runpod.reports["rp-1"] = lost

        assert setup.found() == ["lost callback"]
        assert setup.states == ("active", "waiting")

    def test_that_still_runs_is_polled_again_later(self, setup: SweeperSetup) -> None:
        setup.holding(a_call()).runpod.reports["rp-1"] = RUNNING

        assert setup.found() == ["still running"]
        assert setup.call.polls == 1
        # 55 minutes are left, and nine more asks, the last at the deadline
        assert setup.call.due_at == NOON + minutes(5) + minutes(55) / 9

    def test_is_never_polled_more_often_than_allowed(self, setup: SweeperSetup) -> None:
        setup.poll_interval = minutes(20)
        setup.holding(a_call()).runpod.reports["rp-1"] = RUNNING

        setup.sweep()

        assert setup.call.due_at == NOON + minutes(25)

    def test_that_never_ends_is_polled_as_often_as_set_and_then_given_up(
        self, setup: SweeperSetup
    ) -> None:
        setup.holding(a_call()).runpod.reports["rp-1"] = RUNNING

        while not setup.call.is_final:
            assert setup.call.due_at is not None
            setup.now = setup.call.due_at
            setup.sweep()

        assert setup.now == NOON + minutes(60)
        assert len(setup.runpod.asked) == 10
        assert setup.reason == "deadline"
        assert setup.runpod.cancelled == ["rp-1"]

    def test_whose_polls_are_used_up_is_given_up(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(polls=9)).runpod.reports["rp-1"] = RUNNING

        assert setup.found() == ["given up"]
        assert setup.reason == "polls-exhausted"
        assert setup.runpod.cancelled == ["rp-1"]

    def test_that_ended_just_before_the_deadline_is_not_given_up(self, setup: SweeperSetup) -> None:
        setup.holding(a_pull_call()).runpod.reports["rp-1"] = a_pull_report()
        setup.now = NOON + minutes(61)

        setup.sweep()

        assert setup.states == ("succeeded", "succeeded")

    def test_of_a_stage_that_ended_just_before_the_deadline_counts_though_its_job_is_due(
        self, setup: SweeperSetup
    ) -> None:
        """A job in the middle of a stage is due itself, and may be looked at first."""
        setup.holding(a_call(), due_at=NOON + minutes(2)).runpod.reports["rp-1"] = a_report()
        setup.now = NOON + minutes(61)
        setup.store.due = lambda _: iter([(JOB_ID, "")])  # type: ignore[method-assign]
        setup.sweep()
        del setup.store.due  # type: ignore[method-assign]

        setup.sweep()

        assert setup.states == ("active", "succeeded")
        assert JOB_ID in setup.queue.stages

    @pytest.mark.parametrize("order", [["", "1-0"], ["1-0", ""]], ids=["job first", "call first"])
    def test_of_a_stage_is_given_up_with_its_job_once_it_was_polled_for_the_last_time(
        self, setup: SweeperSetup, order: list[str]
    ) -> None:
        setup.store.due = lambda _: iter([(JOB_ID, each) for each in order])  # type: ignore[method-assign]
        setup.holding(a_call(), due_at=NOON + minutes(2)).runpod.reports["rp-1"] = RUNNING
        setup.now = NOON + minutes(61)

        setup.sweep()

        assert setup.states == ("failed", "failed")
        assert setup.reason == "deadline"

    def test_that_runpod_lost_gets_another_attempt(self, setup: SweeperSetup) -> None:
        setup.holding(a_call())
        setup.now = NOON + minutes(11)

        assert setup.found() == ["resent"]
        assert setup.states == ("active", "waiting")
        assert len(setup.queue.sent) == 1

    def test_that_runpod_does_not_know_yet_is_given_time(self, setup: SweeperSetup) -> None:
        setup.holding(a_call())

        assert setup.found() == ["still running"]
        assert setup.states == ("active", "submitted")

    def test_that_runpod_lost_for_the_last_time_is_given_up(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(attempts=3))
        setup.now = NOON + minutes(30)

        assert setup.found() == ["given up"]
        assert setup.reason == "lost-by-runpod"

    def test_is_left_for_the_next_sweep_while_runpod_can_not_be_polled(
        self, setup: SweeperSetup
    ) -> None:
        setup.holding(a_call()).runpod.unreachable = RunPodFailed("502")

        assert setup.found() == ["left for the next sweep"]
        assert setup.states == ("active", "submitted")

    def test_is_given_up_in_the_end_though_runpod_can_not_be_polled(
        self, setup: SweeperSetup
    ) -> None:
        setup.holding(a_call()).runpod.unreachable = RunPodFailed("502")
        setup.now = NOON + minutes(70)

        assert setup.found() == ["given up"]
        assert setup.reason == "deadline"


class TestAWaitingCall:
    def test_whose_message_was_lost_is_requested_again(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.WAITING))

        assert setup.found() == ["resent"]
        assert setup.queue.sent == [(JOB_ID, "1-0", timedelta())]
        assert setup.found() == []  # not again at once

    def test_past_its_deadline_is_given_up(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.WAITING))
        setup.now = NOON + minutes(60)

        assert setup.found() == ["given up"]
        assert setup.states == ("failed", "failed")


class TestACallThatIsBeingSubmitted:
    def test_and_was_never_answered_gets_another_attempt(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.SUBMITTING))

        assert setup.found() == ["resent"]
        assert setup.call.attempt.outcome == "unanswered"

    def test_for_the_last_time_is_given_up(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.SUBMITTING, attempts=3))

        assert setup.found() == ["given up"]
        assert setup.reason == "unanswered"

    def test_counts_only_attempts_that_may_have_cost_something(self, setup: SweeperSetup) -> None:
        call = a_call(CallState.SUBMITTING)
        for _ in range(4):
            call = call.with_wait(NOT_TAKEN, due_at=NOON, event=an_event())
            call = call.with_claim(due_at=NOON, event=an_event())
        setup.holding(replace(call, pending_events=()))

        assert setup.found() == ["resent"]


class TestACallThatIsBeingPublished:
    def test_by_a_function_that_died_is_finished(self, setup: SweeperSetup) -> None:
        setup.holding(a_pull_call(CallState.PUBLISHING)).runpod.reports["rp-1"] = a_pull_report()

        assert setup.found() == ["taken over"]
        assert setup.states == ("succeeded", "succeeded")

    def test_for_a_stage_by_a_function_that_died_is_counted(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.PUBLISHING)).runpod.reports["rp-1"] = a_report()

        assert setup.found() == ["taken over"]
        assert setup.states == ("active", "succeeded")
        assert setup.queue.stages == [JOB_ID]

    def test_and_is_gone_from_runpod_gets_another_attempt(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.PUBLISHING))

        assert setup.found() == ["resent"]

    def test_is_finished_though_runpod_can_no_longer_be_polled(self, setup: SweeperSetup) -> None:
        setup.holding(a_pull_call(CallState.PUBLISHING))
        summaries = S3Summaries(setup.s3, "out")  # type: ignore[arg-type]
        summaries.publish(a_job(), a_summary(), SUMMARY_TEXT, {}, now=NOON)
        setup.runpod.unreachable = RunPodFailed("502")
        setup.now = NOON + minutes(75)

        assert setup.found() == ["taken over"]
        assert setup.states == ("succeeded", "succeeded")

    def test_is_finished_though_runpods_id_of_it_is_not_on_record(
        self, setup: SweeperSetup
    ) -> None:
        setup.holding(a_pull_call(CallState.PUBLISHING).with_runpod_id(1, ""))
        summaries = S3Summaries(setup.s3, "out")  # type: ignore[arg-type]
        summaries.publish(a_job(), a_summary(), SUMMARY_TEXT, {}, now=NOON)

        assert setup.found() == ["taken over"]
        assert setup.states == ("succeeded", "succeeded")
        assert setup.runpod.asked == []

    def test_that_can_not_be_stored_goes_behind_the_others(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.PUBLISHING)).runpod.reports["rp-1"] = a_report()
        setup.s3.put_object = refused  # type: ignore[method-assign]

        with pytest.raises(ExceptionGroup):
            setup.sweep()

        assert setup.call.due_at is not None
        assert setup.now < setup.call.due_at <= setup.now + PUT_BACK

    def test_is_not_given_up_with_its_job_at_the_deadline(self, setup: SweeperSetup) -> None:
        """Simulation seed 22228: its text was in S3 and its job failed, for the job was due itself."""
        setup.holding(a_call(CallState.PUBLISHING), due_at=NOON + minutes(2))
        setup.now = NOON + minutes(61)
        setup.store.due = lambda _: iter([(JOB_ID, "")])  # type: ignore[method-assign]
        setup.sweep()
        del setup.store.due  # type: ignore[method-assign]
        setup.runpod.reports["rp-1"] = a_report()

        assert setup.states == ("active", "publishing")
        setup.sweep()
        assert setup.states == ("active", "succeeded")
        assert JOB_ID in setup.queue.stages


class TestACallThatItsJobHasLeftBehind:
    """Whoever counted it for its stage died before ending it."""

    def test_is_closed_and_costs_nothing_more(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(stage=1), stage=2)

        setup.sweep()

        assert setup.states == ("active", "cancelled")
        assert setup.runpod.asked == []

    def test_does_not_take_its_job_with_it(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(stage=1, attempts=3), stage=2)
        setup.now = NOON + minutes(61)

        setup.sweep()

        assert setup.states == ("active", "cancelled")


class TestAJobWhoseStageHasOneCall:
    def test_is_not_given_up_before_runpod_was_asked_once_more(self, setup: SweeperSetup) -> None:
        """The every-call suite: job and call were due in one sweep, and the job came first."""
        setup.holding(a_call(), due_at=NOON + minutes(2))
        setup.runpod.reports["rp-1"] = a_report()
        setup.now = NOON + minutes(61)
        setup.store.due = lambda _: iter([(JOB_ID, ""), (JOB_ID, "1-0")])  # type: ignore[method-assign]

        setup.sweep()

        assert setup.states == ("active", "succeeded")

    def test_is_given_up_with_its_call_and_the_request_is_cancelled(
        self, setup: SweeperSetup
    ) -> None:
        setup.holding(a_call(), due_at=NOON + minutes(2)).runpod.reports["rp-1"] = RUNNING
        setup.now = NOON + minutes(61)
        setup.store.due = lambda _: iter([(JOB_ID, ""), (JOB_ID, "1-0")])  # type: ignore[method-assign]

        setup.sweep()

        assert setup.states == ("failed", "failed")
        assert setup.runpod.cancelled == ["rp-1"]

    def test_is_given_up_in_time_though_its_own_look_comes_between(
        self, setup: SweeperSetup
    ) -> None:
        """The every-call suite: each sweep wrote the job while RunPod was asked, and gave nothing up."""
        setup.holding(a_call(), due_at=NOON + minutes(2)).runpod.reports["rp-1"] = RUNNING
        setup.now = NOON + minutes(61)
        setup.store.due = lambda _: iter([(JOB_ID, "1-0"), (JOB_ID, "")])  # type: ignore[method-assign]
        looked = setup.runpod.status
        setup.runpod.status = lambda runpod_id: (  # type: ignore[method-assign]
            setup.store.save_job(setup.store.load_job(JOB_ID).with_due_at(NOON + minutes(63))),
            looked(runpod_id),
        )[1]

        setup.sweep()

        assert setup.states == ("failed", "failed")

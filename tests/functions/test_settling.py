"""Settling over the setup in memory: what receiver and sweeper both do with a report."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from core.errors import Conflict, ForeignRequest, UnknownCall
from core.jobs.call import Call, CallState
from core.jobs.decide import Ignore, NoteLate, Publish, Recover, Retry
from core.jobs.job import JobState
from core.runpod.reports import RunPodReport, gone, parse_report
from tests.builders import (
    JOB_ID,
    NOON,
    SUMMARY_TEXT,
    a_manifest,
    a_pull_call,
    a_pull_job,
    a_pull_report,
    a_source,
    a_summary,
    an_event,
    failed_body,
    lost_body,
    manifest_body,
    minutes,
)
from tests.fakes.memory import MemoryJobStore
from tests.functions.settling import FACTS_KEY, KEY, Killed, LifecycleSetup, a_ref, dying_at

LOST = parse_report(lost_body())


def a_report(**changes: Any) -> RunPodReport:
    """Return what pull mode's worker reports of a summary that lies where it should."""
    return parse_report(manifest_body(a_manifest(), **changes))


@pytest.fixture
def setup() -> LifecycleSetup:
    setup = LifecycleSetup()
    for attempt in (1, 2, 3):
        setup.s3.put_object(
            Bucket="out", Key=f"work/{JOB_ID}/whole.{attempt}.txt", Body=SUMMARY_TEXT.encode()
        )
    setup.store.create(a_pull_job(), [a_pull_call()])
    return setup


class TestASuccess:
    def test_becomes_the_summary(self, setup: LifecycleSetup) -> None:
        settled = setup.settle(a_report())

        assert isinstance(settled.decision, Publish)
        assert setup.states == ("succeeded", "succeeded")
        assert setup.summary == SUMMARY_TEXT + "\n"

    def test_is_in_the_audit_with_its_figures(self, setup: LifecycleSetup) -> None:
        setup.settle(a_report())

        _, _, events = setup.store.history(JOB_ID)
        assert [event.what for event in events] == [
            "submitted -> publishing",
            "publishing -> succeeded",
            "active -> succeeded",
        ]
        assert events[0].by == "webhook_receiver"
        assert events[0].detail == {
            "attempt": 1,
            "runpod_status": "COMPLETED",
            "queued_ms": 9_533,
            "ran_ms": 61_088,
            "prompt_tokens": 14_000,
            "completion_tokens": 5_300,
            "read_as": "webvtt",
            "model_calls": 3,
            "rounds": 3,
        }
        assert events[2].detail["words_out"] == len(SUMMARY_TEXT.split())
        assert "pump" not in repr(events)

    def test_that_arrives_twice_changes_nothing_more(self, setup: LifecycleSetup) -> None:
        setup.settle(a_report())
        before = setup.store.history(JOB_ID)

        settled = setup.settle(a_report())

        assert isinstance(settled.decision, Ignore)
        assert setup.store.history(JOB_ID) == before

    def test_does_not_set_the_calls_runpod_id(self, setup: LifecycleSetup) -> None:
        """Anyone who knows the URL can name any id; we only poll ids that RunPod itself gave us."""
        setup.store = MemoryJobStore()
        setup.store.create(a_pull_job(), [a_pull_call(CallState.SUBMITTING)])

        settled = setup.settle(a_report(id="rp-77"))

        assert settled.call.attempt.runpod_id == ""

    def test_of_an_earlier_attempt_is_taken_while_the_call_waits(
        self, setup: LifecycleSetup
    ) -> None:
        setup.settle(LOST)

        settled = setup.settle(a_report())

        assert isinstance(settled.decision, Publish)
        assert settled.job.summary is not None
        assert settled.job.summary.attempt == 1

    def test_after_the_job_failed_is_noted_and_not_published(self, setup: LifecycleSetup) -> None:
        setup.settle(parse_report(failed_body("executionTimeout exceeded")))

        settled = setup.settle(a_report())

        assert isinstance(settled.decision, NoteLate)
        assert setup.states == ("failed", "failed")
        assert setup.summary is None
        assert setup.audit().count("late COMPLETED noted") == 1

    def test_of_an_older_upload_gives_way_to_the_newer_summary(self, setup: LifecycleSetup) -> None:
        newer = a_pull_job(id="f" * 32, source=a_source(sequencer="FF"))
        setup.settler().lifecycle.summaries.publish(newer, a_summary(), "newer", {}, now=NOON)

        settled = setup.settle(a_report())

        assert (settled.job.state, settled.job.reason_code) == (JobState.FAILED, "superseded")
        assert setup.summary == "newer\n"


class TestAFailure:
    def test_that_may_be_temporary_requests_another_attempt(self, setup: LifecycleSetup) -> None:
        settled = setup.settle(LOST)

        assert isinstance(settled.decision, Retry)
        assert setup.states == ("active", "waiting")
        assert [sent[:2] for sent in setup.queue.sent] == [(JOB_ID, "whole")]

    def test_that_arrives_twice_requests_one_attempt(self, setup: LifecycleSetup) -> None:
        setup.settle(LOST)
        setup.settle(LOST)

        assert len(setup.queue.sent) == 1

    def test_for_good_ends_the_job_with_its_reason(self, setup: LifecycleSetup) -> None:
        settled = setup.settle(parse_report(failed_body("executionTimeout exceeded")))

        assert settled.job.reason_code == "execution-timeout"
        assert "ExecutionTimeoutSeconds" in settled.job.reason
        assert setup.states == ("failed", "failed")

    def test_of_the_last_attempt_ends_the_job(self, setup: LifecycleSetup) -> None:
        setup.store = MemoryJobStore()
        setup.store.create(a_pull_job(), [a_pull_call(attempts=3)])
        lost = parse_report(lost_body(id="rp-3"))

        setup.settle(lost, attempt=3)

        assert setup.states == ("failed", "failed")
        assert setup.queue.sent == []


class TestAFunctionThatDies:
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("step", "time"),
        [("save", 1), ("put_object", 1), ("put_object", 2), ("save", 2)],
        ids=["marking it", "the summary", "its facts", "ending it"],
    )
    def test_leaves_a_job_that_the_next_report_finishes(
        self, setup: LifecycleSetup, step: str, time: int, after: bool
    ) -> None:
        target = setup.s3 if step == "put_object" else setup.store
        cure = dying_at(target, step, after=after, time=time)
        with pytest.raises(Killed):
            setup.settle(a_report())
        cure()

        setup.settle(a_report())

        assert setup.states == ("succeeded", "succeeded")
        assert setup.summary == SUMMARY_TEXT + "\n"
        assert len([what for what in setup.audit() if what == "active -> succeeded"]) == 1

    def test_leaves_a_call_for_the_sweeper_to_poll_again(self, setup: LifecycleSetup) -> None:
        cure = dying_at(setup.s3, "put_object", after=False)
        with pytest.raises(Killed):
            setup.settle(a_report())
        cure()

        assert list(setup.store.due(NOON + minutes(60))) == [(JOB_ID, "whole")]

    def test_after_publishing_loses_nothing_when_runpod_forgets(
        self, setup: LifecycleSetup
    ) -> None:
        cure = dying_at(setup.store, "save", after=False, time=2)
        with pytest.raises(Killed):
            setup.settle(a_report())
        cure()

        settled = setup.settle(gone("rp-1"))

        assert isinstance(settled.decision, Recover)
        assert setup.states == ("succeeded", "succeeded")
        assert settled.job.summary is not None
        assert settled.job.summary.words == len(SUMMARY_TEXT.split())

    def test_between_a_summary_and_its_facts_leaves_both_when_runpod_forgets(
        self, setup: LifecycleSetup
    ) -> None:
        cure = dying_at(setup.s3, "put_object", after=True)
        with pytest.raises(Killed):
            setup.settle(a_report())
        cure()

        setup.settle(gone("rp-1"))

        assert setup.states == ("succeeded", "succeeded")
        published = sorted(key for _, key in setup.s3.objects if key.startswith("summaries/"))
        assert published == [FACTS_KEY, KEY[1]]

    def test_before_publishing_costs_an_attempt_when_runpod_forgets(
        self, setup: LifecycleSetup
    ) -> None:
        """The manifest held the text itself, so nothing of it lies in S3."""
        setup.s3.objects.clear()
        cure = dying_at(setup.s3, "put_object", after=False)
        with pytest.raises(Killed):
            setup.settle(a_pull_report())
        cure()

        setup.settle(gone("rp-1"))

        assert setup.states == ("active", "waiting")
        assert len(setup.queue.sent) == 1


class TestTwoAtOnce:
    def test_both_having_loaded_the_call_settle_it_once(self, setup: LifecycleSetup) -> None:
        """The second loads before the first writes: its write is refused and it decides again."""
        loaded = setup.store.load(JOB_ID, "whole")
        real_load = setup.store.load
        stale = [loaded]
        setup.settle(a_report())
        setup.store.load = lambda *ids: stale.pop() if stale else real_load(*ids)  # type: ignore[method-assign]

        settled = setup.settler("sweeper").settle(a_ref(), a_report(), now=NOON + minutes(3))

        assert isinstance(settled.decision, Ignore)
        assert setup.audit().count("active -> succeeded") == 1

    def test_one_giving_up_and_one_publishing_agree_on_one_end(self, setup: LifecycleSetup) -> None:
        job, call = setup.store.load(JOB_ID, "whole")
        event = an_event(why="too late")
        setup.store.save(job.with_failure("deadline", event), call.with_failure("deadline", event))

        setup.settle(a_report())

        assert setup.states == ("failed", "failed")
        assert setup.summary is None

    def test_two_attempts_succeeding_leave_one_summary(self, setup: LifecycleSetup) -> None:
        setup.store = MemoryJobStore()
        setup.store.create(a_pull_job(), [a_pull_call(attempts=2)])
        setup.settle(a_pull_report(f"{SUMMARY_TEXT} (2)", id="rp-2"), attempt=2)

        setup.settle(a_pull_report(f"{SUMMARY_TEXT} (1)", id="rp-1"), attempt=1)

        assert setup.summary == f"{SUMMARY_TEXT} (2)\n"

    def test_whose_writes_always_conflict_is_an_error_so_that_runpod_calls_again(
        self, setup: LifecycleSetup
    ) -> None:
        def beaten(*_: object) -> Any:
            raise Conflict("changed meanwhile")

        setup.store.save = beaten  # type: ignore[method-assign]

        with pytest.raises(Conflict):
            setup.settle(a_report())


class TestACallbackWithoutAReport:
    def test_makes_the_call_due_for_the_next_sweep(self, setup: LifecycleSetup) -> None:
        expedite(setup, NOON + minutes(1))

        assert list(setup.store.due(NOON + minutes(1))) == [(JOB_ID, "whole")]

    def test_is_written_down_once(self, setup: LifecycleSetup) -> None:
        for _ in range(3):
            expedite(setup, NOON + minutes(1))

        assert setup.audit() == ["callback without a body"]

    def test_changes_nothing_after_the_end(self, setup: LifecycleSetup) -> None:
        setup.settle(a_report())
        before = setup.store.history(JOB_ID)

        expedite(setup, NOON + minutes(3))

        assert setup.store.history(JOB_ID) == before

    def test_about_an_attempt_that_never_began_is_unknown(self, setup: LifecycleSetup) -> None:
        with pytest.raises(UnknownCall):
            setup.settler().expedite(a_ref(2), note="callback without a body", now=NOON)

    def test_about_another_request_changes_nothing(self, setup: LifecycleSetup) -> None:
        with pytest.raises(ForeignRequest):
            setup.settler().expedite(
                a_ref(), note="callback not confirmed", now=NOON, runpod_id="rp-9"
            )

        assert setup.audit() == []

    def test_is_recorded_despite_a_conflicting_write(self, setup: LifecycleSetup) -> None:
        class Beaten(MemoryJobStore):
            """Somebody else writes the call just before the first save of it."""

            is_beaten = False

            def save_call(self, call: Call) -> Call:
                if not self.is_beaten:
                    self.is_beaten = True
                    later = NOON + minutes(5)
                    super().save_call(replace(call, due_at=later, pending_events=()))
                return super().save_call(call)

        setup.store = Beaten()
        setup.store.create(a_pull_job(), [a_pull_call()])

        expedite(setup, NOON + minutes(1))

        assert list(setup.store.due(NOON + minutes(1))) == [(JOB_ID, "whole")]


def expedite(setup: LifecycleSetup, now: datetime) -> None:
    setup.settler().expedite(a_ref(), note="callback without a body", now=now)

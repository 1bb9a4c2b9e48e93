"""Settling over the world in memory: what receiver and sweeper both do with a report."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from core.aws.files import S3IntermediateStore, S3Summaries
from core.errors import Conflict, ForeignRequest, UnknownCall
from core.jobs.decide import Step
from core.jobs.lifecycle import Lifecycle, Settlement
from core.jobs.model import Call, CallState, JobState
from core.runpod.reports import RunPodReport, gone, parse_report
from local.memory import MemoryJobStore, MemoryQueue, MemoryS3
from tests.builders import (
    JOB_ID,
    NOON,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_ref,
    a_report,
    a_source,
    a_summary,
    an_event,
    failed_body,
    lost_body,
    minutes,
)

LOST = parse_report(lost_body())
KEY = ("out", "summaries/calls/harbour board.txt")
FACTS_KEY = "summaries/calls/harbour board.json"


@dataclass
class World:
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)

    def lifecycle(self, by: str = "webhook_receiver", **changes: Any) -> Lifecycle:
        arguments: dict[str, Any] = {
            "store": self.store,
            "summaries": S3Summaries(self.s3, "out"),  # type: ignore[arg-type]
            "intermediate_store": S3IntermediateStore(self.s3, "out"),  # type: ignore[arg-type]
            "queue": self.queue,
            "max_attempts": 3,
        } | changes
        return Lifecycle(by=by, **arguments)

    def settle(self, report: RunPodReport, attempt: int = 1) -> Settlement:
        return self.lifecycle().settle(a_ref(attempt), report, now=NOON + minutes(2))

    @property
    def summary(self) -> str | None:
        stored = self.s3.objects.get(KEY)
        return stored.body.decode() if stored else None

    @property
    def states(self) -> tuple[str, str]:
        job, call = self.store.load(JOB_ID, "whole")
        return job.state.value, call.state.value

    def audit(self) -> list[str]:
        return [event.what for event in self.store.history(JOB_ID)[2]]


@pytest.fixture
def world() -> World:
    world = World()
    world.store.create(a_job(), [a_call()])
    return world


class TestASuccess:
    def test_becomes_the_summary(self, world: World) -> None:
        settled = world.settle(a_report())

        assert settled.step is Step.SUCCEED
        assert world.states == ("succeeded", "succeeded")
        assert world.summary == SUMMARY_TEXT + "\n"

    def test_is_told_in_the_audit_with_its_figures(self, world: World) -> None:
        world.settle(a_report())

        _, _, events = world.store.history(JOB_ID)
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
        }
        assert events[2].detail["words_out"] == len(SUMMARY_TEXT.split())
        assert "pump" not in repr(events)

    def test_that_comes_twice_changes_nothing_more(self, world: World) -> None:
        world.settle(a_report())
        before = world.store.history(JOB_ID)

        settled = world.settle(a_report())

        assert settled.step is Step.IGNORE
        assert world.store.history(JOB_ID) == before

    def test_teaches_the_call_no_runpod_id(self, world: World) -> None:
        """Whoever knows the URL can name any; what is asked with our key, RunPod told us itself."""
        world.store = MemoryJobStore()
        world.store.create(a_job(), [a_call(CallState.SUBMITTING)])

        settled = world.settle(a_report(id="rp-77"))

        assert settled.call.attempt.runpod_id == ""

    def test_of_an_earlier_attempt_is_taken_while_the_call_waits(self, world: World) -> None:
        world.settle(LOST)

        settled = world.settle(a_report())

        assert settled.step is Step.SUCCEED
        assert settled.job.summary is not None
        assert settled.job.summary.attempt == 1

    @pytest.mark.parametrize(
        ("text", "finish_reason"),
        [(SUMMARY_TEXT, "length"), ("Much too short.", "stop"), (SUMMARY_TEXT * 3, "stop")],
        ids=["cut off", "too short", "too long"],
    )
    def test_that_needs_repair_is_kept_and_the_next_stage_asked_for(
        self, world: World, text: str, finish_reason: str
    ) -> None:
        settled = world.settle(a_report(text=text, finish_reason=finish_reason))

        assert world.states == ("active", "succeeded")
        assert world.queue.stages == [JOB_ID]
        assert world.summary is None
        kept = world.lifecycle().intermediate_store.load(JOB_ID, "whole")
        assert kept is not None
        assert kept.was_cut == (finish_reason == "length")
        assert settled.job.due_at is not None

    def test_that_can_not_be_repaired_any_more_is_taken(self, world: World) -> None:
        world.store = MemoryJobStore()
        world.store.create(a_job(repairs=2), [a_call()])

        world.settle(a_report(text="Much too short."))

        assert world.states == ("succeeded", "succeeded")

    def test_after_the_job_failed_is_noted_and_not_published(self, world: World) -> None:
        world.settle(parse_report(failed_body("executionTimeout exceeded")))

        settled = world.settle(a_report())

        assert settled.step is Step.NOTE_LATE
        assert world.states == ("failed", "failed")
        assert world.summary is None
        assert world.audit().count("late COMPLETED noted") == 1

    def test_of_an_older_upload_gives_way_to_the_newer_summary(self, world: World) -> None:
        newer = a_job(id="f" * 32, source=a_source(sequencer="FF"))
        world.lifecycle().summaries.publish(newer, a_summary(), "newer", now=NOON)

        settled = world.settle(a_report())

        assert (settled.job.state, settled.job.reason_code) == (JobState.FAILED, "superseded")
        assert world.summary == "newer\n"


class TestAFailure:
    def test_that_may_pass_asks_for_another_attempt(self, world: World) -> None:
        settled = world.settle(LOST)

        assert settled.step is Step.RETRY
        assert world.states == ("active", "waiting")
        assert [sent[:2] for sent in world.queue.sent] == [(JOB_ID, "whole")]

    def test_that_comes_twice_asks_once(self, world: World) -> None:
        world.settle(LOST)
        world.settle(LOST)

        assert len(world.queue.sent) == 1

    def test_for_good_ends_the_job_with_its_reason(self, world: World) -> None:
        settled = world.settle(parse_report(failed_body("executionTimeout exceeded")))

        assert settled.job.reason_code == "execution-timeout"
        assert "ExecutionTimeoutSeconds" in settled.job.reason
        assert world.states == ("failed", "failed")

    def test_of_the_last_attempt_ends_the_job(self, world: World) -> None:
        world.store = MemoryJobStore()
        world.store.create(a_job(), [a_call(attempts=3)])
        lost = parse_report(lost_body(id="rp-3"))

        world.settle(lost, attempt=3)

        assert world.states == ("failed", "failed")
        assert world.queue.sent == []


class Killed(BaseException):
    """The function dies here."""


def dying_at(target: Any, method: str, *, after: bool) -> Callable[[], None]:
    """Make a method of an object die once, before or after its effect; return the cure."""
    real = getattr(target, method)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Killed

    setattr(target, method, dying)
    return lambda: setattr(target, method, real)


class TestWhoeverDiesInTheMiddle:
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("step", ["save_call", "put_object", "save"])
    def test_leaves_a_job_that_the_next_report_finishes(
        self, world: World, step: str, after: bool
    ) -> None:
        target = world.s3 if step == "put_object" else world.store
        cure = dying_at(target, step, after=after)
        with pytest.raises(Killed):
            world.settle(a_report())
        cure()

        world.settle(a_report())

        assert world.states == ("succeeded", "succeeded")
        assert world.summary == SUMMARY_TEXT + "\n"
        assert len([what for what in world.audit() if what == "active -> succeeded"]) == 1

    def test_leaves_a_call_that_the_sweeper_looks_at_again(self, world: World) -> None:
        cure = dying_at(world.s3, "put_object", after=False)
        with pytest.raises(Killed):
            world.settle(a_report())
        cure()

        assert list(world.store.due(NOON + minutes(60))) == [(JOB_ID, "whole")]

    def test_after_publishing_loses_nothing_when_runpod_forgets(self, world: World) -> None:
        cure = dying_at(world.store, "save", after=False)
        with pytest.raises(Killed):
            world.settle(a_report())
        cure()

        settled = world.settle(gone("rp-1"))

        assert settled.step is Step.RECOVER
        assert world.states == ("succeeded", "succeeded")
        assert settled.job.summary is not None
        assert settled.job.summary.words == len(SUMMARY_TEXT.split())

    def test_between_a_summary_and_its_facts_leaves_both_when_runpod_forgets(
        self, world: World
    ) -> None:
        cure = dying_at(world.s3, "put_object", after=True)
        with pytest.raises(Killed):
            world.settle(a_report())
        cure()

        world.settle(gone("rp-1"))

        assert world.states == ("succeeded", "succeeded")
        assert sorted(key for _, key in world.s3.objects) == [FACTS_KEY, KEY[1]]

    def test_before_publishing_costs_an_attempt_when_runpod_forgets(self, world: World) -> None:
        cure = dying_at(world.s3, "put_object", after=False)
        with pytest.raises(Killed):
            world.settle(a_report())
        cure()

        world.settle(gone("rp-1"))

        assert world.states == ("active", "waiting")
        assert len(world.queue.sent) == 1


class TestTwoAtOnce:
    def test_both_having_loaded_the_call_settle_it_once(self, world: World) -> None:
        """The second loads before the first writes: its write is refused and it decides again."""
        loaded = world.store.load(JOB_ID, "whole")
        real_load = world.store.load
        stale = [loaded]
        world.settle(a_report())
        world.store.load = lambda *ids: stale.pop() if stale else real_load(*ids)  # type: ignore[method-assign]

        settled = world.lifecycle("sweeper").settle(a_ref(), a_report(), now=NOON + minutes(3))

        assert settled.step is Step.IGNORE
        assert world.audit().count("active -> succeeded") == 1

    def test_one_giving_up_and_one_publishing_agree_on_one_end(self, world: World) -> None:
        job, call = world.store.load(JOB_ID, "whole")
        event = an_event(why="too late")
        world.store.save(job.with_failure("deadline", event), call.with_failure("deadline", event))

        world.settle(a_report())

        assert world.states == ("failed", "failed")
        assert world.summary is None

    def test_two_attempts_succeeding_leave_one_summary(self, world: World) -> None:
        world.store = MemoryJobStore()
        world.store.create(a_job(), [a_call(attempts=2)])
        world.settle(a_report(id="rp-2", text=f"{SUMMARY_TEXT} (2)"), attempt=2)

        world.settle(a_report(id="rp-1", text=f"{SUMMARY_TEXT} (1)"), attempt=1)

        assert world.summary == f"{SUMMARY_TEXT} (2)\n"

    def test_whose_writes_others_always_beat_is_an_error_so_that_runpod_calls_again(
        self, world: World
    ) -> None:
        def beaten(*_: object) -> Any:
            raise Conflict("changed meanwhile")

        world.store.save_call = beaten  # type: ignore[method-assign]

        with pytest.raises(Conflict):
            world.settle(a_report())


class TestACallbackThatTellsNothing:
    def test_makes_the_sweeper_ask_at_its_next_turn(self, world: World) -> None:
        expedite(world, NOON + minutes(1))

        assert list(world.store.due(NOON + minutes(1))) == [(JOB_ID, "whole")]

    def test_is_written_down_once(self, world: World) -> None:
        for _ in range(3):
            expedite(world, NOON + minutes(1))

        assert world.audit() == ["callback without a body"]

    def test_changes_nothing_after_the_end(self, world: World) -> None:
        world.settle(a_report())
        before = world.store.history(JOB_ID)

        expedite(world, NOON + minutes(3))

        assert world.store.history(JOB_ID) == before

    def test_about_an_attempt_that_never_began_is_unknown(self, world: World) -> None:
        with pytest.raises(UnknownCall):
            world.lifecycle().expedite(a_ref(2), what="callback without a body", now=NOON)

    def test_about_another_request_changes_nothing(self, world: World) -> None:
        with pytest.raises(ForeignRequest):
            world.lifecycle().expedite(
                a_ref(), what="callback not confirmed", now=NOON, runpod_id="rp-9"
            )

        assert world.audit() == []

    def test_is_heard_though_somebody_writes_at_the_same_instant(self, world: World) -> None:
        class Beaten(MemoryJobStore):
            """Somebody else writes the call just before the first save of it."""

            is_beaten = False

            def save_call(self, call: Call) -> Call:
                if not self.is_beaten:
                    self.is_beaten = True
                    later = NOON + minutes(5)
                    super().save_call(replace(call, due_at=later, pending_events=()))
                return super().save_call(call)

        world.store = Beaten()
        world.store.create(a_job(), [a_call()])

        expedite(world, NOON + minutes(1))

        assert list(world.store.due(NOON + minutes(1))) == [(JOB_ID, "whole")]


def expedite(world: World, now: datetime) -> None:
    world.lifecycle().expedite(a_ref(), what="callback without a body", now=now)

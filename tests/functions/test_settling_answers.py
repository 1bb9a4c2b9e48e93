"""Settling push mode's reports, each of which is an answer of many."""

from dataclasses import replace
from typing import Any

import pytest

from core.jobs.callback import CallRef
from core.jobs.decide import Close, Ignore, Recover
from core.jobs.ports import IntermediateText
from core.jobs.settle import Settlement
from core.runpod.reports import RunPodReport, gone, parse_report
from tests.builders import (
    JOB_ID,
    NOON,
    SUMMARY_TEXT,
    a_call,
    a_job,
    an_event,
    completed_body,
    failed_body,
    minutes,
)
from tests.functions.settling import Killed, LifecycleSetup, dying_at


def an_answer(text: str = SUMMARY_TEXT, **changes: Any) -> RunPodReport:
    """Return what RunPod reports of push mode's call."""
    return parse_report(completed_body(text, **changes))


@pytest.fixture
def setup() -> LifecycleSetup:
    setup = LifecycleSetup()
    setup.store.create(a_job(), [a_call()])
    return setup


class TestAnAnswerOfAStage:
    """In push mode a call's text is an answer of many."""

    @pytest.fixture
    def settled(self, setup: LifecycleSetup) -> Settlement:
        return self.settle(setup, an_answer(finish_reason="length"))

    def settle(self, setup: LifecycleSetup, report: RunPodReport) -> Settlement:
        return setup.settler().settle(CallRef(JOB_ID, "1-0", 1), report, now=NOON + minutes(2))

    def test_is_saved_with_what_it_cost(self, setup: LifecycleSetup, settled: Settlement) -> None:
        kept = setup.settler().intermediate_store.load(JOB_ID, "1-0")

        assert kept == IntermediateText(SUMMARY_TEXT, True, 14_000, 5_300, attempt=1)
        assert settled.call.state == "succeeded"

    def test_requests_the_next_stage_once_all_are_there(
        self, setup: LifecycleSetup, settled: Settlement
    ) -> None:
        assert setup.queue.stages == [JOB_ID]
        assert setup.summary is None
        assert (settled.job.state, settled.job.due_at) == ("active", NOON + minutes(4))

    def test_that_arrives_twice_changes_nothing_more(
        self, setup: LifecycleSetup, settled: Settlement
    ) -> None:
        before = setup.store.history(JOB_ID)

        again = self.settle(setup, an_answer("Another text.", finish_reason="length"))

        assert isinstance(again.decision, Ignore)
        assert setup.store.history(JOB_ID) == before
        assert setup.queue.stages == [JOB_ID]

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("step", "time"),
        [("put_object", 1), ("count_done", 1), ("save_call", 1)],
        ids=["its text", "counting it", "ending it"],
    )
    def test_is_counted_by_the_next_report_where_a_function_died(
        self, setup: LifecycleSetup, step: str, time: int, after: bool
    ) -> None:
        target = setup.s3 if step == "put_object" else setup.store
        cure = dying_at(target, step, after=after, time=time)
        with pytest.raises(Killed):
            self.settle(setup, an_answer())
        cure()

        settled = self.settle(setup, an_answer())

        assert settled.call.state == "succeeded"
        assert settled.job.is_stage_done
        assert setup.queue.stages

    def test_costs_an_attempt_when_a_function_died_over_it_and_runpod_forgets(
        self, setup: LifecycleSetup
    ) -> None:
        cure = dying_at(setup.s3, "put_object", after=False)
        with pytest.raises(Killed):
            self.settle(setup, an_answer())
        cure()

        settled = self.settle(setup, gone("rp-1"))

        assert (settled.job.state, settled.call.state) == ("active", "waiting")
        assert len(setup.queue.sent) == 1

    def test_that_was_saved_is_not_paid_for_again_when_runpod_forgets(
        self, setup: LifecycleSetup
    ) -> None:
        cure = dying_at(setup.s3, "put_object", after=True)
        with pytest.raises(Killed):
            self.settle(setup, an_answer())
        cure()

        settled = self.settle(setup, gone("rp-1"))

        assert isinstance(settled.decision, Recover)
        assert settled.call.state == "succeeded"
        assert setup.queue.sent == []

    def test_is_that_of_the_attempt_that_brought_it_whichever_failed_since(
        self, setup: LifecycleSetup
    ) -> None:
        setup.store.save_call(a_call(attempts=2))
        cure = dying_at(setup.s3, "put_object", after=True)
        with pytest.raises(Killed):
            self.settle(setup, an_answer())
        cure()

        settler = setup.settler()
        failed = parse_report(failed_body("executionTimeout exceeded", id="rp-2"))
        settled = settler.settle(CallRef(JOB_ID, "1-0", 2), failed, now=NOON + minutes(2))

        assert settled.call.state == "succeeded"
        assert [each.outcome for each in settled.call.attempts] == ["succeeded", ""]

    def test_that_can_not_be_all_is_not_judged_while_runpod_waits(
        self, setup: LifecycleSetup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The engine takes a quarter of a second to import, and would only ask for sections."""
        judged: list[str] = []
        monkeypatch.setattr(
            "core.jobs.at_once.finished_at_once", lambda _, call, *__: judged.append(call.ask)
        )
        setup.store.save_call(replace(setup.store.load(JOB_ID, "1-0")[1], ask="outline"))

        settled = self.settle(setup, an_answer())

        assert settled.call.state == "succeeded"
        assert judged == []

    def test_that_comes_after_its_job_has_ended_is_not_saved(self, setup: LifecycleSetup) -> None:
        job = setup.store.load_job(JOB_ID)
        setup.store.save_job(job.with_failure("deadline", an_event(why="too late")))

        settled = self.settle(setup, an_answer())

        assert isinstance(settled.decision, Close)
        assert settled.call.state == "cancelled"
        assert setup.settler().intermediate_store.load(JOB_ID, "1-0") is None

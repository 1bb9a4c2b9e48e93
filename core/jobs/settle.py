"""One report about one attempt moves its call and its job on. Receiver and sweeper share it.

    verify   pull mode: a manifest is believed once its summary was read (core/jobs/verify.py)
    decide   what the report means for the call as it is now (core/jobs/decide.py)
    settle   carries the decision out, whatever somebody else does at this instant

What becomes of a result is in core/jobs/publishing.py. Whatever is decided holds on the record as it was
read: where others wrote meanwhile, it is read and decided again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from core.errors import Conflict, OutputRefused
from core.failures import Failure
from core.jobs.call import OVERFLOW, Attempt, Call, CallState
from core.jobs.callback import CallRef
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
)
from core.jobs.job import Job, Summary
from core.jobs.lifecycle import (
    SUBMITTING_TIME,
    Lifecycle,
    output_refused,
)
from core.jobs.ports import IntermediateStore
from core.jobs.publishing import Publisher
from core.jobs.verify import verified
from core.runpod.reports import RunPodReport

_MOST_TRIES = 8

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What came of a report: the decision, and job and call as they now stand."""

    decision: Decision
    job: Job
    call: Call


@dataclass(frozen=True, kw_only=True)
class Settler:
    lifecycle: Lifecycle
    intermediate_store: IntermediateStore

    def settle(self, ref: CallRef, report: RunPodReport, *, now: datetime) -> Settlement:
        """Carry one report out.

        Raises UnknownCall and ForeignRequest, and Conflict where others write again and again.
        """

        def settle(job: Job, call: Call) -> Settlement:
            attempt = attempt_of(call, ref.attempt, report.runpod_id)
            is_open = not call.is_final
            believed = self._verified(job, ref, report) if is_open else report
            decision = decide(job, call, attempt, believed, max_attempts=self._max_attempts)
            decision = self._if_answered(decision, job, call, attempt)
            call = call.with_run_time(attempt.number, report.ran_ms)
            job, call = self._carry_out(decision, job, call, report, now)
            return Settlement(decision=decision, job=job, call=call)

        return self._persistently(ref, settle)

    def expedite(self, ref: CallRef, *, note: str, now: datetime, runpod_id: str = "") -> None:
        """Let the sweeper look at a call at its next turn: what came does not say enough.

        Not while a submitter can be at it: the sweeper would take the call for one that nobody answered,
        and have it paid for again.

        Raises UnknownCall and ForeignRequest, and Conflict where others write again and again.
        """

        def expedite(_: Job, call: Call) -> None:
            attempt = attempt_of(call, ref.attempt, runpod_id)
            if call.state is CallState.PUBLISHING:
                return  # who publishes has its time; the report says nothing about that
            is_at_work = call.state is CallState.SUBMITTING
            due_at = max(now, attempt.begun_at + SUBMITTING_TIME) if is_at_work else now
            if call.due_at is None or call.due_at <= due_at:
                return
            event = self.lifecycle.event(now, {"attempt": ref.attempt}, note=note)
            self.lifecycle.store.save_call(call.with_due_at(due_at).with_event(event))

        self._persistently(ref, expedite)

    def end_refused(
        self, ref: CallRef, refusal: OutputRefused, *, now: datetime
    ) -> Settlement | None:
        """End a job, past its deadline, of which S3 refuses what it takes to go on.

        Returns None where it is not time yet. Raises Conflict.
        """
        job, call = self.lifecycle.store.load(ref.job_id, ref.call_id)
        if job.is_final or call.is_final:
            return Settlement(decision=Ignore(), job=job, call=call)
        if job.is_publishing:
            return None  # it is the submitter who publishes
        failure = output_refused(refusal)
        match self.lifecycle.end_of_unpublished(job, failure, now=now):
            case None:
                return None
            case Summary() as existing:
                if call.state is not CallState.PUBLISHING:
                    event = self.lifecycle.event(now, why="its summary stands")
                    call = call.with_publishing(call.attempt.number, due_at=now, event=event)
                decision: Decision = Recover(call.attempt, failure)
                job, call = self.lifecycle.finish(job, call, existing, now=now)
            case end:
                decision = Fail(end)
                job, call = self.lifecycle.fail(job, call, end, now=now)
        return Settlement(decision=decision, job=job, call=call)

    def _persistently(self, ref: CallRef, act: Callable[[Job, Call], T]) -> T:
        """Do something with a call as it is now, again where others wrote meanwhile."""
        for _ in range(_MOST_TRIES):
            job, call = self.lifecycle.store.load(ref.job_id, ref.call_id)
            try:
                return act(job, call)
            except Conflict:
                continue
        raise Conflict(
            f"call {ref.call_id} of job {ref.job_id} was changed by others again and again"
        )

    def _if_answered(self, decision: Decision, job: Job, call: Call, attempt: Attempt) -> Decision:
        """Return what is to be done about a call whose answer is stored already, whatever was decided.

        Whoever stored it died before the call ended.
        """
        match decision:
            case Retry(failure) | Fail(failure) if self._publisher.stored_answer(job, call):
                return Recover(attempt, failure)
        return decision

    def _verified(self, job: Job, ref: CallRef, report: RunPodReport) -> RunPodReport:
        return verified(job, ref, report, self.intermediate_store)

    @property
    def _publisher(self) -> Publisher:
        return Publisher(lifecycle=self.lifecycle, intermediate_store=self.intermediate_store)

    @property
    def _max_attempts(self) -> int:
        return self.lifecycle.retries.max_attempts

    def _carry_out(
        self, decision: Decision, job: Job, call: Call, told: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        match decision:
            case Publish(attempt, report):
                return self._publisher.publish(job, call, attempt, report, now)
            case Recover(attempt, failure):
                return self._publisher.recover(job, call, attempt, failure, now)
            case Retry(failure):
                return self.lifecycle.retry(job, call, failure, now=now, detail=told.times)
            case Overflow(attempt, failure):
                return self._overflow(job, call, attempt, failure, told, now)
            case Fail(failure):
                return self.lifecycle.fail(job, call, failure, now=now, detail=told.times)
            case Close():
                return job, self.lifecycle.close(job, call, now=now)
            case NoteLate(attempt, report):
                note = f"late {report.status} noted"
                event = self.lifecycle.event(
                    now, {"attempt": attempt.number, **report.timings}, note=note
                )
                return job, self.lifecycle.store.save_call(call.with_late_result(event))
            case Ignore():
                return job, call

    def _overflow(
        self,
        job: Job,
        call: Call,
        attempt: Attempt,
        failure: Failure,
        told: RunPodReport,
        now: datetime,
    ) -> tuple[Job, Call]:
        """End a call whose prompt was too long for the model: its stage's end asks for less at a time.

        That it was too long stands on its record before it is counted: the stage may end at once.
        """
        if not call.was_too_long:
            call = self.lifecycle.store.save_call(call.attempt_ended(OVERFLOW))
        detail = {"attempt": attempt.number, **told.times}
        event = self.lifecycle.event(now, detail, why=failure.message)
        return self.lifecycle.end_in_stage(job, call, call.with_failure(OVERFLOW, event), now=now)

"""One report about one attempt moves its call and its job on. Receiver and sweeper share it.

    verify   pull mode: a manifest is believed once its summary was read (core/jobs/verify.py)
    decide   what the report means for the call as it is now (core/jobs/decide.py)
    settle   carries the decision out, whatever somebody else does at this instant

A result is published in three steps: the call is marked `publishing`, so that nobody gives it up; the
summary is created in S3, where only the first creation counts; job and call end together. Whoever dies
between them leaves a call that is due, and each step can be taken again.

In push mode a result is an answer of many: it is saved in the same way, and counted for the stage before
the call ends. Whoever counts a stage full asks for the next one; twice does no harm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from core.errors import Conflict, OutputRefused, Superseded
from core.failures import Failure
from core.jobs.call import OVERFLOW, Attempt, Call, CallState
from core.jobs.callback import CallRef
from core.jobs.decide import (
    CUT,
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
from core.jobs.durations import request_intervals, time_spent
from core.jobs.job import Job, Summary
from core.jobs.lifecycle import (
    PUBLISHING_TIME,
    SUBMITTING_TIME,
    Lifecycle,
    output_refused,
    superseded,
)
from core.jobs.ports import IntermediateStore, IntermediateText
from core.jobs.verify import delivered_report, verified
from core.runpod.reports import RunPodReport
from core.summaries.options import Mode
from core.words import count_words

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

    def _verified(self, job: Job, ref: CallRef, report: RunPodReport) -> RunPodReport:
        return verified(job, ref, report, self.intermediate_store)

    @property
    def _max_attempts(self) -> int:
        return self.lifecycle.retries.max_attempts

    def _carry_out(
        self, decision: Decision, job: Job, call: Call, told: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        match decision:
            case Publish(attempt, report):
                return self._publish(job, call, attempt, report, now)
            case Recover(attempt, failure):
                return self._recover(job, call, attempt, failure, now)
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

    def _publish(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        if call.state is not CallState.PUBLISHING:
            job, call = self._mark_publishing(job, call, attempt, report, now)
        words = count_words(report.text)
        if job.options.mode is Mode.PULL:
            summary = Summary(
                call_id=call.id,
                attempt=attempt.number,
                runpod_id=report.runpod_id,
                model=report.model or job.options.model,
                words=words,
                prompt_tokens=report.prompt_tokens,
                completion_tokens=report.completion_tokens,
                finish_reason=report.finish_reason,
                ran_ms=call.ran_ms,
            )
            facts: Mapping[str, Any] = {}
            if report.manifest:
                facts = report.manifest.facts
                summary = replace(
                    summary,
                    rounds=report.manifest.rounds,
                    calls=report.manifest.calls,
                    discarded_tokens=report.manifest.discarded_tokens,
                    doubts=report.manifest.doubts,
                )
            requests = request_intervals(now, report.queued, report.ran)
            spent = time_spent(requests, job.created_at, now)
            return self.lifecycle.publish(
                job, call, summary, report.text, facts, now=now, spent=spent
            )
        answer = IntermediateText(
            text=report.text,
            was_cut=report.finish_reason == CUT,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
        )
        self.intermediate_store.save(job.id, call.id, answer)
        event = self.lifecycle.event(
            now, {"attempt": attempt.number, "asked_words": call.words, "words_out": words}
        )
        return self.lifecycle.end_in_stage(job, call, call.with_success(event), now=now)

    def _mark_publishing(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Mark a call as publishing, so that nobody gives it up."""
        store = self.lifecycle.store
        event = self.lifecycle.event(now, {"attempt": attempt.number, **report.timings})
        due_at = now + PUBLISHING_TIME
        manifest = report.manifest
        if manifest is None:
            return job, store.save_call(
                call.with_publishing(attempt.number, due_at=due_at, event=event)
            )
        job = job.with_counts(
            words_in=manifest.words_in,
            target_words=manifest.target_words,
        )
        call = call.with_publishing(
            attempt.number, due_at=due_at, event=event, sha256=manifest.sha256
        )
        return store.save(job, call)

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

    def _recover(
        self, job: Job, call: Call, attempt: Attempt, failure: Failure, now: datetime
    ) -> tuple[Job, Call]:
        """Go on from where whoever was publishing died, without RunPod's report, which is gone."""
        try:
            existing = self.lifecycle.summaries.existing(job, now=now)
        except Superseded as exc:
            return self.lifecycle.fail(job, call, superseded(exc), now=now)
        if existing:
            return self.lifecycle.finish(job, call, existing, now=now)
        delivered = delivered_report(job, call, attempt, self.intermediate_store)
        if delivered:
            return self._publish(job, call, attempt, delivered, now)
        if self.intermediate_store.load(job.id, call.id):
            ended = call.with_success(self.lifecycle.event(now))
            return self.lifecycle.end_in_stage(job, call, ended, now=now)
        if call.paid_attempts < self._max_attempts and now < job.deadline:
            return self.lifecycle.retry(job, call, failure, now=now)
        return self.lifecycle.fail(job, call, Failure("result-lost"), now=now)

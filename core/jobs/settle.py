"""One report about one attempt moves its call and its job on. Receiver and sweeper share it.

    verify   pull mode: a manifest is believed once its summary was read (core/jobs/verify.py)
    decide   what the report means for the call as it is now (core/jobs/decide.py)
    settle   carries the decision out, whatever somebody else does at this instant

A result is published in three steps: the call is marked `publishing`, so that nobody gives it up; the
summary is created in S3, where only the first creation counts; job and call end together. Whoever dies
between them leaves a call that is due, and each step can be taken again.

In push mode a result is mostly an answer of many: it is stored, and counted for the stage before the call
ends. Whoever counts a stage full asks for the next one; twice does no harm. The one answer that a short
transcript needs is published as pull mode's result is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

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
from core.summaries.asks import AskKind, answer_of
from core.summaries.options import Mode
from core.words import count_words

if TYPE_CHECKING:
    from core.summaries.rounds import Finished

_MOST_TRIES = 8
# RunPod waits while its callback is answered: what takes longer to check is the submitter's work.
_MOST_WORDS_AT_ONCE = 20_000

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
            case Retry(failure) | Fail(failure) if self._is_answer_stored(job, call):
                return Recover(attempt, failure)
        return decision

    def _is_answer_stored(self, job: Job, call: Call) -> bool:
        is_push = job.options.mode is Mode.PUSH
        return is_push and self.intermediate_store.load(job.id, call.id) is not None

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
        """Publish what a call's result makes; or keep it, where it is an answer of several."""
        if job.options.mode is Mode.PULL:
            return self._publish_pulled(job, call, attempt, report, now)
        finished = self._finished_at_once(job, call, report) if _may_be_all(job, call) else None
        if finished is None:
            return self._keep_answer(job, call, attempt, report, now)
        cost = finished.facts.cost
        summary = replace(
            _summary_of(job, call, attempt, report, finished.text),
            prompt_tokens=cost.prompt_tokens,
            completion_tokens=cost.generated_tokens,
            rounds=cost.rounds,
            calls=cost.calls,
            discarded_tokens=cost.discarded_tokens,
            doubts=finished.facts.doubts,
        )
        facts = finished.facts.as_fields()
        return self._publish_summary(job, call, summary, finished.text, facts, report, now)

    def _publish_pulled(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Publish what pull mode's worker has written; its figures are the manifest's."""
        summary = _summary_of(job, call, attempt, report, report.text)
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
        return self._publish_summary(job, call, summary, report.text, facts, report, now)

    def _publish_summary(
        self,
        job: Job,
        call: Call,
        summary: Summary,
        text: str,
        facts: Mapping[str, Any],
        report: RunPodReport,
        now: datetime,
    ) -> tuple[Job, Call]:
        if call.state is not CallState.PUBLISHING:
            job, call = self._mark_publishing(job, call, summary.attempt, report, now)
        requests = request_intervals(now, report.queued, report.ran)
        spent = time_spent(requests, job.created_at, now)
        return self.lifecycle.publish(job, call, summary, text, facts, now=now, spent=spent)

    def _finished_at_once(self, job: Job, call: Call, report: RunPodReport) -> "Finished | None":
        from core.jobs.at_once import finished_at_once  # noqa: PLC0415 - it says why

        answer = answer_of(
            report.text,
            was_cut=report.finish_reason == CUT,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
        )
        return finished_at_once(job, call, answer, self.intermediate_store)

    def _keep_answer(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Store an answer, count it and end its call; the stage's end makes something of it.

        Nobody sees an answer, so nothing has to keep others from giving its job up meanwhile.
        """
        answer = IntermediateText(
            text=report.text,
            was_cut=report.finish_reason == CUT,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
        )
        self.intermediate_store.save(job.id, call.id, answer)
        detail = {
            "attempt": attempt.number,
            **report.timings,
            "asked_words": call.words,
            "words_out": count_words(report.text),
        }
        ended = call.with_answer(attempt.number, self.lifecycle.event(now, detail))
        return self.lifecycle.end_in_stage(job, call, ended, now=now)

    def _mark_publishing(
        self, job: Job, call: Call, number: int, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Mark a call as publishing attempt `number`'s result, so that nobody gives it up."""
        store = self.lifecycle.store
        event = self.lifecycle.event(now, {"attempt": number, **report.timings})
        due_at = now + PUBLISHING_TIME
        manifest = report.manifest
        if manifest is None:
            return job, store.save_call(call.with_publishing(number, due_at=due_at, event=event))
        job = job.with_counts(
            words_in=manifest.words_in,
            target_words=manifest.target_words,
        )
        call = call.with_publishing(number, due_at=due_at, event=event, sha256=manifest.sha256)
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
        """Go on from where whoever had the result died, without RunPod's report, which is gone."""
        if self._is_answer_stored(job, call):
            ended = call.with_answer(attempt.number, self.lifecycle.event(now))
            return self.lifecycle.end_in_stage(job, call, ended, now=now)
        try:
            existing = self.lifecycle.summaries.existing(job, now=now)
        except Superseded as exc:
            return self.lifecycle.fail(job, call, superseded(exc), now=now)
        if existing:
            return self.lifecycle.finish(job, call, existing, now=now)
        delivered = delivered_report(job, call, attempt, self.intermediate_store)
        if delivered:
            return self._publish(job, call, attempt, delivered, now)
        if call.paid_attempts < self._max_attempts and now < job.deadline:
            return self.lifecycle.retry(job, call, failure, now=now)
        return self.lifecycle.fail(job, call, Failure("result-lost"), now=now)


def _may_be_all(job: Job, call: Call) -> bool:
    """Can a call's answer be all that its job's summary needs, and be checked while RunPod waits?"""
    is_only_call = job.stage_calls == 1 and call.stage == job.stage == 1
    return is_only_call and call.ask == AskKind.SINGLE and job.words_in <= _MOST_WORDS_AT_ONCE


def _summary_of(job: Job, call: Call, attempt: Attempt, report: RunPodReport, text: str) -> Summary:
    return Summary(
        call_id=call.id,
        attempt=attempt.number,
        runpod_id=report.runpod_id,
        model=report.model or job.options.model,
        words=count_words(text),
        prompt_tokens=report.prompt_tokens,
        completion_tokens=report.completion_tokens,
        finish_reason=report.finish_reason,
        ran_ms=call.ran_ms,
    )

"""One report about one attempt moves its call and its job on. Receiver and sweeper share it.

    decide   what the report means for the call as it is now (core/jobs/decide.py)
    verify   pull mode: the manifest is believed once its summary was read (core/jobs/verify.py)
    settle   carries it out, whatever somebody else does at this instant

A result is published in three steps: the call is marked `publishing`, so that nobody gives it up; the
summary is created in S3, where only the first creation counts; job and call end together. Whoever dies
between them leaves a call that is due, and each step can be taken again.

A result that is not the summary itself (notes, a part, or a summary that came out too short) is kept in
the same way: marked, created in S3, and counted for the stage before the call ends. Whoever counts a
stage full asks for the next one; twice does no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import Conflict, OutputRefused, Superseded
from core.jobs.callback import CallRef
from core.jobs.decide import CUT, Step, attempt_of, decide, is_the_summary
from core.jobs.model import OVERFLOW, AuditEvent, Call, CallState, Job, Summary, retry_delay
from core.jobs.ports import IntermediateStore, JobStore, Summaries, WorkQueue
from core.jobs.refusals import end_of, refused, superseded
from core.jobs.verify import checked_text, verified
from core.runpod.failures import Failure
from core.runpod.reports import RunPodReport, RunPodStatus
from core.runpod.work_order import LONGEST_SUMMARY_BYTES
from core.words import count_words

# How long after its delay a message may take to be picked up before the sweeper sends another.
LATEST_PICKUP = timedelta(minutes=2)
# How long a submitter can be at a call that it has claimed: until its timeout, and a margin.
SUBMITTING_TIME = timedelta(seconds=75)
# How long publishing may take before the sweeper takes it over: longer than any function runs.
PUBLISHING_TIME = timedelta(minutes=3)

UNPUBLISHED = Failure(
    code="result-lost",
    message="RunPod's result came and was not in S3 before RunPod forgot it: S3 did not take it, or who"
    " wrote it died; look at the receiver's and the sweeper's logs, then upload the file again",
    may_help_to_retry=False,
)

_MOST_TRIES = 8


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What came of a report, for the log."""

    step: Step
    job: Job
    call: Call


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """The use case with what it needs of the world."""

    store: JobStore
    summaries: Summaries
    intermediate_store: IntermediateStore
    queue: WorkQueue
    max_attempts: int
    by: str  # who acts, for the audit

    def settle(self, ref: CallRef, report: RunPodReport, *, now: datetime) -> Settlement:
        """Carry one report out.

        Raises UnknownCall and ForeignRequest, and Conflict where others write again and again.
        """
        for _ in range(_MOST_TRIES):
            job, call = self.store.load(ref.job_id, ref.call_id)
            step = decide(job, call, ref.attempt, report, max_attempts=self.max_attempts)
            if step is Step.SUCCEED:
                report = verified(job, ref, report, self.intermediate_store)
                step = decide(job, call, ref.attempt, report, max_attempts=self.max_attempts)
            try:
                job, call = self._carry_out(step, job, call, ref.attempt, report, now)
            except Conflict:
                continue
            return Settlement(step=step, job=job, call=call)
        raise _changed_again_and_again(ref)

    def expedite(self, ref: CallRef, *, what: str, now: datetime, runpod_id: str = "") -> None:
        """Let the sweeper look at a call at its next turn: what came does not tell enough.

        Not while a submitter can be at it: the sweeper would take the call for one that nobody answered,
        and have it paid for again.

        Raises UnknownCall and ForeignRequest, and Conflict where others write again and again.
        """
        for _ in range(_MOST_TRIES):
            _, call = self.store.load(ref.job_id, ref.call_id)
            attempt = attempt_of(call, ref.attempt, runpod_id)
            if call.state is CallState.PUBLISHING:
                return  # who publishes has its time; what came tells nothing of that
            is_at_work = call.state is CallState.SUBMITTING
            due_at = max(now, attempt.begun_at + SUBMITTING_TIME) if is_at_work else now
            if call.due_at is None or call.due_at <= due_at:
                return
            event = self.event(now, {"attempt": ref.attempt}, what=what)
            try:
                self.store.save_call(call.with_due_at(due_at).with_event(event))
            except Conflict:
                continue
            return
        raise _changed_again_and_again(ref)

    def fail(self, job: Job, call: Call, failure: Failure, *, now: datetime) -> tuple[Job, Call]:
        """End a call and its job for good. Raises Conflict."""
        event = self.event(now, {"paid_attempts": call.paid_attempts}, why=failure.message)
        return self.store.save(
            job.with_failure(failure.code, event), call.with_failure(failure.code, event)
        )

    def retry(self, call: Call, failure: Failure, *, now: datetime) -> Call:
        """End an attempt and ask the submitter for the next. Raises Conflict.

        The record comes first: should the message be lost, the call is due and the sweeper asks again.
        """
        delay = retry_delay(len(call.attempts))
        waiting = call.with_wait(
            failure.code,
            due_at=now + delay + LATEST_PICKUP,
            event=self.event(now, {"attempt": call.attempt.number}, why=failure.message),
        )
        call = self.store.save_call(waiting)
        self.queue.request_attempt(call.job_id, call.id, after=delay)
        return call

    def end_refused(
        self, ref: CallRef, refusal: OutputRefused, *, now: datetime
    ) -> Settlement | None:
        """End a job, past its deadline, of which S3 refuses what it takes to go on.

        Returns None where it is not time yet. Raises Conflict.
        """
        job, call = self.store.load(ref.job_id, ref.call_id)
        if job.is_final or call.is_final:
            return Settlement(step=Step.IGNORE, job=job, call=call)
        if job.is_joining:
            return None  # it is the submitter who publishes
        match end_of(job, refused(refusal), summaries=self.summaries, now=now):
            case None:
                return None
            case Summary() as existing:
                if call.state is not CallState.PUBLISHING:
                    event = self.event(now, {}, why="its summary stands")
                    call = call.with_publishing(call.attempt.number, due_at=now, event=event)
                job, call = self._finish(job, call, existing, now)
                return Settlement(step=Step.RECOVER, job=job, call=call)
            case failure:
                job, call = self.fail(job, call, failure, now=now)
                return Settlement(step=Step.FAIL, job=job, call=call)

    def close(self, job: Job, call: Call, *, now: datetime) -> Call:
        """Let a call follow its job, which has ended or gone on. Raises Conflict."""
        event = self.event(now, {}, why=f"its job has {job.state if job.is_final else 'gone on'}")
        return self.store.save_call(call.with_cancellation(event))

    def event(
        self, now: datetime, detail: Mapping[str, str | int], *, what: str = "", why: str = ""
    ) -> AuditEvent:
        return AuditEvent(at=now, by=self.by, what=what, why=why, detail=detail)

    def _carry_out(
        self, step: Step, job: Job, call: Call, number: int, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        match step:
            case Step.SUCCEED:
                return self._publish(job, call, number, report, now)
            case Step.RECOVER if report.failure:
                return self._recover(job, call, number, report.failure, now)
            case Step.RETRY if report.failure:
                return job, self.retry(call, report.failure, now=now)
            case Step.SPLIT if report.failure:
                return self._split(job, call, number, report.failure, now)
            case Step.FAIL if report.failure:
                return self.fail(job, call, report.failure, now=now)
            case Step.CLOSE:
                return job, self.close(job, call, now=now)
            case Step.NOTE_LATE:
                what = f"late {report.status} noted"
                event = self.event(now, {"attempt": number, **report.timings}, what=what)
                return job, self.store.save_call(call.with_late_result(event))
        return job, call

    def _publish(
        self, job: Job, call: Call, number: int, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        if call.state is not CallState.PUBLISHING:
            job, call = self._taken(job, call, number, report, now)
        words = count_words(report.text)
        if not is_the_summary(job, call, words, report.finish_reason):
            was_cut = report.finish_reason == CUT
            self.intermediate_store.save(job.id, call.id, report.text, was_cut=was_cut)
            event = self.event(
                now,
                {"attempt": number, "asked_words": call.task.requested_words, "words_out": words},
            )
            return self._counted(job, call, call.with_success(event), now)
        came = Summary(
            call_id=call.id,
            attempt=number,
            runpod_id=report.runpod_id,
            model=report.model or job.options.model,
            words=words,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
            finish_reason=report.finish_reason,
        )
        try:
            existing = self.summaries.publish(job, came, report.text, now=now)
        except Superseded as exc:
            return self.fail(job, call, superseded(exc), now=now)
        return self._finish(job, call, existing, now)

    def _taken(
        self, job: Job, call: Call, number: int, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Mark a call as publishing, so that nobody gives it up."""
        event = self.event(now, {"attempt": number, **report.timings})
        due_at = now + PUBLISHING_TIME
        manifest = report.manifest
        if manifest is None:
            return job, self.store.save_call(
                call.with_publishing(number, due_at=due_at, event=event)
            )
        job = job.with_counts(
            words_in=manifest.words_in,
            target_words=manifest.target_words,
            repairs=manifest.repairs,
        )
        call = call.with_publishing(number, due_at=due_at, event=event, sha256=manifest.sha256)
        return self.store.save(job, call)

    def _split(
        self, job: Job, call: Call, number: int, failure: Failure, now: datetime
    ) -> tuple[Job, Call]:
        """End a call whose prompt was too long for the model: its stage's end does it anew in parts.

        That it was too long stands on its record before it is counted: the stage may end at once.
        """
        if not call.was_too_long:
            call = self.store.save_call(call.attempt_ended(OVERFLOW))
        event = self.event(now, {"attempt": number}, why=failure.message)
        return self._counted(job, call, call.with_failure(OVERFLOW, event), now)

    def _counted(self, job: Job, call: Call, ended: Call, now: datetime) -> tuple[Job, Call]:
        """Count a call for its stage, then end it; ask for the next stage if this one is full.

        In this order, so that whoever dies in between leaves a call that is due.
        """
        if call.stage == job.stage:  # else it was counted by somebody who died before ending it
            job = self.store.count_done(call, stage=call.stage, due_at=now + LATEST_PICKUP)
            if job.is_stage_done:
                self.queue.request_next_stage(job.id)
        return job, self.store.save_call(ended)

    def _recover(
        self, job: Job, call: Call, number: int, failure: Failure, now: datetime
    ) -> tuple[Job, Call]:
        """Go on from where whoever was publishing died, without RunPod's report, which is gone."""
        try:
            existing = self.summaries.existing(job, now=now)
        except Superseded as exc:
            return self.fail(job, call, superseded(exc), now=now)
        if existing:
            return self._finish(job, call, existing, now)
        delivered = self._delivered(job, call, number)
        if delivered:
            return self._publish(job, call, number, delivered, now)
        if self.intermediate_store.load(job.id, call.id):
            return self._counted(job, call, call.with_success(self.event(now, {})), now)
        if call.paid_attempts < self.max_attempts and now < job.deadline:
            return job, self.retry(call, failure, now=now)
        return self.fail(job, call, UNPUBLISHED, now=now)

    def _delivered(self, job: Job, call: Call, number: int) -> RunPodReport | None:
        """Return what still lies where the worker of pull mode put it. Its figures went with RunPod's."""
        attempt = call.attempt_numbered(number)
        if attempt is None or not attempt.sha256:
            return None
        body = self.intermediate_store.delivered(
            job.id, call.id, number, max_bytes=LONGEST_SUMMARY_BYTES
        )
        text = checked_text(body or b"", attempt.sha256)
        if not text:
            return None
        return RunPodReport(runpod_id=attempt.runpod_id, status=RunPodStatus.COMPLETED, text=text)

    def _finish(self, job: Job, call: Call, summary: Summary, now: datetime) -> tuple[Job, Call]:
        detail: dict[str, str | int] = {
            "attempt": summary.attempt,
            "words_in": job.words_in,
            "words_asked": job.target_words,
            "words_out": summary.words,
            "finish_reason": summary.finish_reason,
        }
        event = self.event(now, detail)
        return self.store.save(job.with_success(summary, event), call.with_success(event))


def _changed_again_and_again(ref: CallRef) -> Conflict:
    return Conflict(f"call {ref.call_id} of job {ref.job_id} was changed by others again and again")

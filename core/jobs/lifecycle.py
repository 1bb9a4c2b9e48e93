"""What can happen to a job and its calls, each written once: submitter, receiver, sweeper and
operator share it.

Every method writes on the revision that it was given, with a line in the audit, and raises Conflict where
others wrote first: then the caller loads, and decides again. A record is written before its message is
sent, so whoever dies in between leaves something that is due, and the sweeper finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import OutputRefused, Superseded
from core.failures import Failure
from core.jobs.audit import AuditEvent
from core.jobs.call import Call, retry_delay
from core.jobs.job import Job, Summary
from core.jobs.ports import JobStore, Summaries, WorkQueue
from core.settings import Retries

Detail = Mapping[str, str | int]  # of an audit event; units are in the names
_NO_DETAIL: Detail = {}

# How long after its delay a message may take to be picked up before the sweeper sends another.
LATEST_PICKUP = timedelta(minutes=2)
# How long a submitter can be at a call that it has claimed: until its timeout, and a margin.
SUBMITTING_TIME = timedelta(seconds=75)
# How long publishing may take before the sweeper takes it over: longer than any function runs.
PUBLISHING_TIME = timedelta(minutes=3)

# Requests for one call that are made at all, those that cost nothing included. A RunPod without room is
# asked every five minutes in the end, so the longest deadline passes before.
MOST_REQUESTS = 50
HOLD_PAUSE = timedelta(minutes=5)  # between two tries of a call that is held
LONGEST_HOLD = timedelta(hours=24)  # from when its job was recorded

# How long past its deadline a job goes on trying to publish what S3 refuses: then it fails, once S3 has
# said that no summary of it stands; and at last though S3 can't even be asked.
PATIENCE = timedelta(minutes=10)
LAST_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    store: JobStore
    summaries: Summaries
    queue: WorkQueue
    retries: Retries
    by: str  # who acts, for the audit
    # Lambda drops a message about sixteen hops after the first from a function through its own queue to
    # itself. After so many attempts in a row a call waits for the sweeper, whose messages begin anew.
    longest_chain: int | None = None

    def event(
        self, now: datetime, detail: Detail = _NO_DETAIL, *, note: str = "", why: str = ""
    ) -> AuditEvent:
        return AuditEvent(at=now, by=self.by, note=note, why=why, detail=detail)

    # One attempt

    def claim(self, call: Call, *, callback_overdue: timedelta, now: datetime) -> Call:
        """Return a waiting call in its next attempt; nothing is written.

        It is due once no submitter can be at it any more and its callback has had its time.
        """
        due_at = now + SUBMITTING_TIME + callback_overdue
        return call.with_claim(
            due_at=due_at, event=self.event(now, {"attempt": len(call.attempts) + 1})
        )

    def retry(
        self,
        job: Job,
        call: Call,
        failure: Failure,
        *,
        now: datetime,
        delay: timedelta | None = None,
        detail: Detail = _NO_DETAIL,
    ) -> tuple[Job, Call]:
        """End the attempt and ask for the next; after fifty of them the job fails instead."""
        made = len(call.attempts)
        if made >= MOST_REQUESTS:
            return self.fail(job, call, _requests_exhausted(made, failure), now=now, detail=detail)
        delay = retry_delay(made) if delay is None else delay
        is_asked_for = self.longest_chain is None or made < self.longest_chain
        due_at = now + delay + (LATEST_PICKUP if is_asked_for else timedelta())
        event = self.event(now, {"attempt": call.attempt.number, **detail}, why=failure.message)
        call = self.store.save_call(call.with_wait(failure.code, due_at=due_at, event=event))
        if is_asked_for:
            self.queue.request_attempt(call.job_id, call.id, after=delay)
        return job, call

    def request_attempt(self, call: Call, *, now: datetime) -> Call:
        """Send another message for a waiting call whose first one was lost."""
        call = self.store.save_call(call.with_due_at(now + LATEST_PICKUP))
        self.queue.request_attempt(call.job_id, call.id, after=timedelta())
        return call

    def hold(self, job: Job, call: Call, why: str, *, now: datetime) -> tuple[Job, Call]:
        """Hold a call that nothing was asked for, until what is amiss is mended.

        Its job gets more time for it, up to a day in all; then the sweeper fails it with this reason.
        """
        deadline = min(now + self.retries.job_deadline, job.created_at + LONGEST_HOLD)
        longer = job.prolonged(deadline)
        due_at = min(now + HOLD_PAUSE, longer.deadline)
        held = call.with_hold(why, due_at=due_at, event=self.event(now, why=why))
        if longer.deadline - job.deadline < HOLD_PAUSE:  # another of its calls has prolonged it
            return job, self.store.save_call(held)
        return self.store.save(longer, held)

    # A stage

    def end_in_stage(self, job: Job, call: Call, ended: Call, *, now: datetime) -> tuple[Job, Call]:
        """Count a call for its stage, then end it; ask for the next stage if this one is full.

        In this order, so that whoever dies in between leaves a call that is due.
        """
        if call.stage == job.stage:  # else it was counted by somebody who died before ending it
            job = self.store.count_done(job, call, due_at=now + LATEST_PICKUP)
            if job.is_stage_done:
                self.queue.request_next_stage(job.id)
        return job, self.store.save_call(ended)

    def request_next_stage(self, job: Job, *, now: datetime) -> Job:
        """Look at a job again soon; send another message if its next stage is wanted."""
        job = self.store.save_job(job.with_due_at(now + LATEST_PICKUP))
        if job.is_stage_done:
            self.queue.request_next_stage(job.id)
        return job

    # The end

    def publish(
        self,
        job: Job,
        call: Call,
        summary: Summary,
        text: str,
        facts: Mapping[str, Any],
        *,
        now: datetime,
        spent: Detail = _NO_DETAIL,
    ) -> tuple[Job, Call]:
        """Make the summary of a call visible, and end the call and its job with it.

        `spent` says where the job's time went (core/jobs/durations.py), for the audit.
        """
        try:
            existing = self.summaries.publish(job, summary, text, facts, now=now)
        except Superseded as exc:
            return self.fail(job, call, superseded(exc), now=now)
        return self.finish(job, call, existing, now=now, spent=spent)

    def publish_document(
        self,
        job: Job,
        summary: Summary,
        text: str,
        facts: Mapping[str, Any],
        *,
        now: datetime,
        spent: Detail = _NO_DETAIL,
    ) -> Job:
        """Make a summary that was assembled from several calls' answers visible, and end its job.

        Raises Superseded, and OutputRefused where S3 does not take it.
        """
        event = self.event(now, {"stages": job.stage}, note="publishing")
        job = self.store.save_job(job.with_publishing(due_at=now + PUBLISHING_TIME, event=event))
        existing = self.summaries.publish(job, summary, text, facts, now=now)
        return self.finish_job(job, existing, now=now, spent=spent)

    def finish(
        self, job: Job, call: Call, summary: Summary, *, now: datetime, spent: Detail = _NO_DETAIL
    ) -> tuple[Job, Call]:
        of_call: Detail = {"attempt": summary.attempt, "finish_reason": summary.finish_reason}
        event = self._success(job, summary, {**of_call, **spent}, now)
        return self.store.save(job.with_success(summary, event), call.with_success(event))

    def finish_job(
        self, job: Job, summary: Summary, *, now: datetime, spent: Detail = _NO_DETAIL
    ) -> Job:
        event = self._success(job, summary, spent, now)
        return self.store.save_job(job.with_success(summary, event))

    def fail(
        self, job: Job, call: Call, failure: Failure, *, now: datetime, detail: Detail = _NO_DETAIL
    ) -> tuple[Job, Call]:
        """End a call, and its job with it, for good."""
        event = self.event(
            now,
            {"call": call.id, "paid_attempts": call.paid_attempts, **detail},
            why=failure.message,
        )
        return self.store.save(
            job.with_failure(failure.code, event), call.with_failure(failure.code, event)
        )

    def fail_job(self, job: Job, failure: Failure, *, now: datetime) -> Job:
        event = self.event(now, {"stage": job.stage}, why=failure.message)
        return self.store.save_job(job.with_failure(failure.code, event))

    def cancel(self, job: Job, *, now: datetime) -> Job:
        """End a job because a person wants it. It is due at once: the sweeper ends what it leaves running.

        Not for a job whose summary is being published: what stands in S3 must not be a failed job's.
        """
        failure = Failure("cancelled-by-operator")
        event = self.event(now, {"stage": job.stage}, why=failure.message)
        return self.store.save_job(job.with_failure(failure.code, event).with_due_at(now))

    def note(self, job: Job, note: str, detail: Detail = _NO_DETAIL, *, now: datetime) -> Job:
        """Take down what was done about a job, in whatever state it is, without moving it."""
        return self.store.save_job(job.with_event(self.event(now, detail, note=note)))

    def close(self, job: Job, call: Call, *, now: datetime) -> Call:
        """Let a call follow its job, which has ended or gone on."""
        event = self.event(now, why=f"its job has {job.state if job.is_final else 'gone on'}")
        return self.store.save_call(call.with_cancellation(event))

    def end_of_unpublished(
        self, job: Job, failure: Failure, *, now: datetime
    ) -> Summary | Failure | None:
        """Say how a job ends that could not be published: well, or as failed; None is not yet.

        A summary that stands makes its job succeed at any time, also where its facts can't be written.
        """
        if now < job.deadline + PATIENCE:
            return None
        try:
            return self.summaries.visible(job) or failure
        except Superseded as exc:
            return superseded(exc)
        except OutputRefused:
            if now < job.deadline + LAST_PATIENCE:
                return None
            message = (
                f"{failure.message} (S3 could not be asked whether a summary stands all the same)"
            )
            return Failure(failure.code, message)

    def end_unpublished_job(self, job: Job, failure: Failure, *, now: datetime) -> Job | None:
        """End a job that could not be published once its time has come; return None before that."""
        match self.end_of_unpublished(job, failure, now=now):
            case None:
                return None
            case Summary() as existing:
                return self.finish_job(job, existing, now=now)
            case end:
                return self.fail_job(job, end, now=now)

    def _success(self, job: Job, summary: Summary, detail: Detail, now: datetime) -> AuditEvent:
        figures = {
            "words_in": job.words_in,
            "words_asked": job.target_words,
            "words_out": summary.words,
            "rounds": summary.rounds,
            "calls": summary.calls,
            "prompt_tokens": summary.prompt_tokens,
            "completion_tokens": summary.completion_tokens,
            "discarded_tokens": summary.discarded_tokens,
            "ran_ms": summary.ran_ms,
            "doubts": summary.doubts,
        }
        return self.event(now, {**figures, **detail})


def superseded(exc: Superseded) -> Failure:
    return Failure("superseded", str(exc))


def output_refused(refusal: OutputRefused) -> Failure:
    """Return why a job has failed whose summary, or what leads to it, S3 refused."""
    return Failure(
        "output-refused",
        f"{refusal}, until past the job's deadline; mend the bucket's policy, its key or the"
        " function's permissions, then upload the file again",
    )


def _requests_exhausted(made: int, failure: Failure) -> Failure:
    return Failure(
        "requests-exhausted",
        f"{made} requests were made for it, which is the most; of the last one: {failure.message}",
    )

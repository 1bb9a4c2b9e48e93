"""What a due call or job needs, as far as it can be done without RunPod.

waiting      its message was lost: send another
submitting   the submitter died, or RunPod never answered it: another attempt
submitted    the callback is overdue: ask RunPod (sweeper/polling.py)
publishing   whoever published died: ask RunPod for the text again
past its job's deadline: ask once more, then give up and cancel the request
of a job that has ended: cancel its request, then let it follow its job
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import Conflict, OutputRefused, Superseded, UnknownCall
from core.failures import Failure
from core.jobs.call import Attempt, Call, CallState
from core.jobs.decide import Fail, is_left_behind
from core.jobs.job import Job, JobState
from core.jobs.lifecycle import LAST_PATIENCE, LATEST_PICKUP, Lifecycle, output_refused, superseded
from core.jobs.ports import JobStore
from core.jobs.settle import Settlement
from core.summaries.options import Mode
from sweeper.results import DueItem, Poll, Polls, SweepOutcome, SweepResult

# How long past its deadline a call waits for RunPod to be reachable for the last question, and a call
# of a job that has ended for RunPod to cancel its request.
RUNPOD_PATIENCE = timedelta(minutes=10)
_NOT_CONTINUED = Failure(
    "deadline",
    "the texts of a stage were all there, and what follows had not begun by the job's deadline; look at"
    " the submitter's log and the dead-letter queue, or raise JobDeadlineMinutes",
)


@dataclass(frozen=True, kw_only=True)
class Looks:
    lifecycle: Lifecycle
    store: JobStore
    clock: Callable[[], datetime]

    def look(self, item: DueItem) -> SweepResult | Polls:
        """Do what one due call, or one due job, needs; or say what RunPod has to be asked for it."""
        now = self.clock()
        try:
            if not item.call_id:
                return self._look_at_job(item.job or self.store.load_job(item.job_id), now)
            if item.job and item.call:
                job, call = item.job, item.call
            else:
                job, call = self.store.load(item.job_id, item.call_id)
            if call.due_at is None or call.due_at > now:
                return SweepResult(SweepOutcome.SETTLED_ALREADY)  # the index lags behind the table
            attempt = polled_attempt(call)
            if attempt:
                return Polls((Poll(job, call, attempt),))
            if is_left_behind(job, call):
                self.lifecycle.close(job, call, now=now)
                return SweepResult(SweepOutcome.SETTLED_ALREADY)
            if call.stage > job.stage:
                # Its job is due itself, and begins the stage.
                return SweepResult(SweepOutcome.STILL_RUNNING)
            return self._act(job, call, now)
        except UnknownCall:
            return SweepResult(SweepOutcome.SETTLED_ALREADY)  # its record has just expired
        except Conflict:
            return SweepResult(SweepOutcome.LEFT)

    def _act(self, job: Job, call: Call, now: datetime) -> SweepResult:
        """Go on with a call of which RunPod knows nothing."""
        if now >= job.deadline:
            is_held = call.state is CallState.WAITING and call.hold
            return fail(
                self.lifecycle, job, call, _held(call) if is_held else Failure("deadline"), now
            )
        if call.state is CallState.WAITING:
            self.lifecycle.request_attempt(call, now=now)
            return SweepResult(SweepOutcome.RESENT)
        if call.paid_attempts < self.lifecycle.retries.max_attempts:
            self.lifecycle.retry(job, call, Failure("unanswered"), now=now)
            return SweepResult(SweepOutcome.RESENT)
        return fail(self.lifecycle, job, call, Failure("unanswered"), now)

    def _look_at_job(self, job: Job, now: datetime) -> SweepResult | Polls:
        """Go on with a job whose next stage was asked for in vain, or end what it left running."""
        if job.due_at is None or job.due_at > now:
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        if job.is_final:
            return self._close_calls(job, now)
        if now >= job.deadline and self._is_left_to_its_calls(job, now):
            return SweepResult(SweepOutcome.STILL_RUNNING)  # unwritten: its calls are to end it now
        ended = self._end_job(job, now) if now >= job.deadline else None
        if ended:
            is_success = ended.state is JobState.SUCCEEDED
            return SweepResult(SweepOutcome.TAKEN_OVER if is_success else SweepOutcome.GIVEN_UP)
        self.lifecycle.request_next_stage(job, now=now)
        return SweepResult(SweepOutcome.RESENT if job.is_stage_done else SweepOutcome.STILL_RUNNING)

    def _end_job(self, job: Job, now: datetime) -> Job | None:
        """End a job that is past its deadline, unless the submitter is to do it."""
        if job.is_publishing:
            if now < job.deadline + LAST_PATIENCE + LATEST_PICKUP:
                return None  # the submitter knows better why: it is asked once more
            return self.lifecycle.end_unpublished_job(job, Failure("not-published"), now=now)
        failure = _NOT_CONTINUED if job.is_stage_done else self._why_too_late(job)
        return self.lifecycle.fail_job(job, failure, now=now)

    def _why_too_late(self, job: Job) -> Failure:
        """Say what kept a stage from ending: a call that is held, or S3, which takes no answer."""
        for call in self._open_calls(job):
            if call.stage == job.stage and call.state is CallState.WAITING and call.hold:
                return _held(call)
        try:
            self.lifecycle.summaries.visible(job)
        except OutputRefused as exc:
            return output_refused(exc)
        except Superseded as exc:
            return superseded(exc)
        return Failure("deadline")

    def _is_left_to_its_calls(self, job: Job, now: datetime) -> bool:
        """Can a result be on its way to S3 at this instant, or wait at RunPod for the last poll?

        Then its call ends, and the job with it.
        """
        if job.is_publishing:
            return False
        if job.options.mode is Mode.PULL:
            return bool(self._open_calls(job))
        left = {CallState.PUBLISHING}
        if now < job.deadline + RUNPOD_PATIENCE:
            left.add(CallState.SUBMITTED)
        return any(call.state in left for call in self._open_calls(job))

    def _open_calls(self, job: Job) -> list[Call]:
        """Return the calls of a job's stage that have not ended."""
        of_stage = set(job.call_ids)
        calls = self.store.history(job.id)[1]
        return [call for call in calls if call.id in of_stage and not call.is_final]

    def _close_calls(self, job: Job, now: datetime) -> SweepResult | Polls:
        """End what a failed job has left open; once nothing is, it is due no more.

        What is being submitted or published at this instant is left until it is due itself: its
        request's id is not on record yet, or its text is on its way.
        """
        calls = self._open_calls(job)
        if not calls:
            self.store.save_job(job.with_due_at(None))
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        for call in calls:
            if call.state is CallState.WAITING:
                self.lifecycle.close(job, call, now=now)
        return Polls(
            tuple(
                Poll(job, call, call.attempt) for call in calls if call.state is CallState.SUBMITTED
            )
        )


def polled_attempt(call: Call) -> Attempt | None:
    """Return the attempt whose RunPod request can say how the call stands.

    That of a call that is being published may have no id on record; then S3 alone can tell.
    """
    if call.state is CallState.WAITING or not call.attempts:
        return None
    if call.state is CallState.PUBLISHING:
        return call.published_attempt or call.attempt
    return call.attempt if call.attempt.runpod_id else None


def fail(
    lifecycle: Lifecycle, job: Job, call: Call, failure: Failure, now: datetime
) -> SweepResult:
    job, call = lifecycle.fail(job, call, failure, now=now)
    settled = Settlement(decision=Fail(failure), job=job, call=call)
    return SweepResult(SweepOutcome.GIVEN_UP, settled)


def _held(call: Call) -> Failure:
    message = f"it was held for as long as a job may be, and nothing was mended: {call.hold}"
    return Failure("held", message)

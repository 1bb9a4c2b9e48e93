"""What becomes of an attempt that was claimed, as it is put on record.

Others may write meanwhile: the callback can be quicker than RunPod's answer, and the sweeper may have
given the attempt up. And a write can be turned away by another that comes to nothing, so a Conflict is
followed by a look at what stands, never by the belief that all is done.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import Conflict
from core.jobs.lifecycle import LATEST_PICKUP, SUBMITTING_TIME
from core.jobs.model import NOT_TAKEN, Call, CallState, Job, retry_delay
from core.jobs.ports import JobStore, WorkQueue
from core.settings import SubmitterSettings
from submitter.record import event

# Requests for one call that are made at all, those that cost nothing included. A RunPod without room is
# asked every five minutes in the end, so the longest deadline passes before.
MOST_REQUESTS = 50
# Lambda drops a message about sixteen hops after the first from a function through its own queue to
# itself. From here on a call waits for the sweeper, whose messages begin anew.
LONGEST_CHAIN = 6

HOLD_PAUSE = timedelta(minutes=5)  # between two tries of a call that is held
LONGEST_HOLD = timedelta(hours=24)  # from when its job was recorded

_AFTER_RUNPOD_BROKE = timedelta(seconds=30)  # what it may have taken all the same has begun by then
_MOST_TRIES = 4


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    store: JobStore
    queue: WorkQueue
    settings: SubmitterSettings
    clock: Callable[[], datetime]

    def claimed(self, call: Call) -> Call:
        """Return a call in its next attempt; nothing is written.

        It is due once no submitter can be at it any more and its callback has had its time.
        """
        now = self.clock()
        due_at = now + SUBMITTING_TIME + self.settings.callback_overdue
        return call.with_claim(due_at=due_at, event=event(now, attempt=len(call.attempts) + 1))

    def taken(self, job: Job, call: Call, runpod_id: str) -> tuple[Job, Call]:
        """Record what RunPod calls the request, also where its callback was quicker than its answer.

        Whoever wrote meanwhile can't have known the id, and without it nobody can ask for the result.
        """
        number = call.attempt.number
        for _ in range(_MOST_TRIES):
            try:
                return job, self.store.save_call(self._identified(call, number, runpod_id))
            except Conflict:
                job, call = self.store.load(job.id, call.id)
                attempt = call.attempt_numbered(number)
                if call.is_final or attempt is None or attempt.runpod_id:
                    break
        return job, call

    def _identified(self, call: Call, number: int, runpod_id: str) -> Call:
        now = self.clock()
        told = event(now, attempt=number, runpod_id=runpod_id)
        if not _is_at(call, number):
            return call.with_runpod_id(number, runpod_id).with_event(
                replace(told, what="identified")
            )
        overdue = now + self.settings.callback_overdue
        due_at = min(call.due_at or overdue, overdue)  # sooner if a callback has come in vain
        return call.with_submission(runpod_id, told).with_due_at(due_at)

    def turned_away(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Record that RunPod surely took nothing, and ask for another attempt."""
        return self._wait(job, call, NOT_TAKEN, why, retry_delay(len(call.attempts)))

    def broke(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Record that RunPod broke on the request, which it may have taken."""
        if call.paid_attempts < self.settings.retries.max_attempts:
            return self._wait(job, call, "runpod-broke", why, _AFTER_RUNPOD_BROKE)
        return self.left_to_callback(job, call, why)

    def left_to_callback(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Leave a request that RunPod may have taken to its callback, or else to the sweeper."""
        what = "left to the callback"
        told = event(self.clock(), what=what, why=why, attempt=call.attempt.number)
        return job, self._recorded(call, lambda it: it.with_event(told))[0]

    def held(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Hold a call that nothing was asked for, until what is amiss is mended.

        Its job gets more time for it, up to a day in all; then the sweeper fails it with this reason.
        """
        number = len(call.attempts)
        for _ in range(_MOST_TRIES):
            now = self.clock()
            longer = job.prolonged(self._deadline(job, now))
            due_at = min(now + HOLD_PAUSE, longer.deadline)
            changed = call.with_hold(why, due_at=due_at, event=event(now, why=why))
            try:
                if longer.deadline - job.deadline < HOLD_PAUSE:  # another call has seen to it
                    return job, self.store.save_call(changed)
                return self.store.save(longer, changed)
            except Conflict:
                job, call = self.store.load(job.id, call.id)
                is_waiting = call.state is CallState.WAITING
                if job.is_final or not (is_waiting or _is_at(call, number)):
                    break
        return job, call

    def _deadline(self, job: Job, now: datetime) -> datetime:
        return min(now + self.settings.retries.job_deadline, job.created_at + LONGEST_HOLD)

    def ended(self, job: Job, call: Call, code: str, why: str) -> tuple[Job, Call]:
        """End a call, and its job with it, for good."""
        for _ in range(_MOST_TRIES):
            job, call = self.store.load(job.id, call.id)  # others of its calls may have moved it on
            if job.is_final or call.is_final or call.state is CallState.PUBLISHING:
                break  # an earlier attempt's result may be on its way to S3
            told = event(self.clock(), why=why, call=call.id)
            try:
                return self.store.save(job.with_failure(code, told), call.with_failure(code, told))
            except Conflict:
                continue
        return job, call

    def _wait(
        self, job: Job, call: Call, outcome: str, why: str, delay: timedelta
    ) -> tuple[Job, Call]:
        """Record that the attempt came to nothing and ask for another."""
        made = len(call.attempts)
        if made >= MOST_REQUESTS:
            told = f"{made} requests were made for it, which is the most; of the last one: {why}"
            return self.ended(job, call, "requests-spent", told)
        now = self.clock()
        is_chained = made < LONGEST_CHAIN
        due_at = now + delay + (LATEST_PICKUP if is_chained else timedelta())
        told_event = event(now, why=why, attempt=call.attempt.number)
        call, is_ours = self._recorded(
            call, lambda it: it.with_wait(outcome, due_at=due_at, event=told_event)
        )
        if is_ours and is_chained:
            self.queue.request_attempt(call.job_id, call.id, after=delay)
        return job, call

    def _recorded(self, call: Call, change: Callable[[Call], Call]) -> tuple[Call, bool]:
        """Write what became of an attempt, unless somebody has moved its call on; say whether."""
        number = call.attempt.number
        for _ in range(_MOST_TRIES):
            try:
                return self.store.save_call(change(call)), True
            except Conflict:
                _, call = self.store.load(call.job_id, call.id)
                if not _is_at(call, number):
                    break
        return call, False


def _is_at(call: Call, number: int) -> bool:
    """Is attempt `number` still the one that is being submitted?"""
    return (
        call.state is CallState.SUBMITTING and bool(call.attempts) and call.attempt.number == number
    )

"""What becomes of an attempt that was claimed, as it is put on record.

Others may write meanwhile: the callback can be quicker than RunPod's answer, and the sweeper may have
given the attempt up. And a write can be turned away by another that comes to nothing, so a Conflict is
followed by a look at what stands, never by the belief that all is done.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import Conflict
from core.failures import Failure
from core.jobs.call import NOT_TAKEN, Call, CallState
from core.jobs.job import Job
from core.jobs.lifecycle import Lifecycle

_AFTER_RUNPOD_BROKE = timedelta(seconds=30)  # what it may have taken all the same has begun by then
_MOST_TRIES = 4

Change = Callable[[Job, Call], tuple[Job, Call]]


@dataclass(frozen=True, kw_only=True)
class Attempts:
    lifecycle: Lifecycle
    callback_overdue: timedelta
    clock: Callable[[], datetime]

    def record_taken(self, job: Job, call: Call, runpod_id: str) -> tuple[Job, Call]:
        """Record what RunPod calls the request, also where its callback was quicker than its answer.

        Whoever wrote meanwhile can't have known the id, and without it nobody can ask for the result.
        """
        number = call.attempt.number

        def is_unknown(_: Job, call: Call) -> bool:
            attempt = call.attempt_numbered(number)
            return not call.is_final and attempt is not None and not attempt.runpod_id

        def record(job: Job, call: Call) -> tuple[Job, Call]:
            identified = self._identified(call, number, runpod_id)
            return job, self.lifecycle.store.save_call(identified)

        return self._persistently(job, call, record, while_=is_unknown)

    def record_not_taken(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Record that RunPod surely took nothing, and ask for another attempt."""
        return self._retry(job, call, Failure(NOT_TAKEN, why), delay=None)

    def record_broken(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Record that RunPod broke on the request, which it may have taken."""
        if call.paid_attempts < self.lifecycle.retries.max_attempts:
            return self._retry(job, call, Failure("runpod-error", why), delay=_AFTER_RUNPOD_BROKE)
        return self.leave_to_callback(job, call, why)

    def leave_to_callback(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Leave a request that RunPod may have taken to its callback, or else to the sweeper."""
        event = self.lifecycle.event(
            self.clock(), {"attempt": call.attempt.number}, note="left to the callback", why=why
        )

        def note(job: Job, call: Call) -> tuple[Job, Call]:
            return job, self.lifecycle.store.save_call(call.with_event(event))

        return self._while_submitting(job, call, note)

    def hold(self, job: Job, call: Call, why: str) -> tuple[Job, Call]:
        """Hold a call that nothing was asked for, until what is amiss is mended."""
        number = len(call.attempts)

        def wants_attempt(job: Job, call: Call) -> bool:
            is_waiting = call.state is CallState.WAITING
            return not job.is_final and (is_waiting or _is_at(call, number))

        return self._persistently(
            job,
            call,
            lambda job, call: self.lifecycle.hold(job, call, why, now=self.clock()),
            while_=wants_attempt,
        )

    def fail(self, job: Job, call: Call, failure: Failure) -> tuple[Job, Call]:
        """End a call, and its job with it, for good."""
        job, call = self.lifecycle.store.load(job.id, call.id)  # its other calls may have moved it
        if not _is_open(job, call):
            return job, call
        return self._persistently(
            job,
            call,
            lambda job, call: self.lifecycle.fail(job, call, failure, now=self.clock()),
            while_=_is_open,
        )

    def _retry(
        self, job: Job, call: Call, failure: Failure, *, delay: timedelta | None
    ) -> tuple[Job, Call]:
        return self._while_submitting(
            job,
            call,
            lambda job, call: self.lifecycle.retry(
                job, call, failure, now=self.clock(), delay=delay
            ),
        )

    def _while_submitting(self, job: Job, call: Call, change: Change) -> tuple[Job, Call]:
        number = call.attempt.number

        def is_submitting(job: Job, call: Call) -> bool:
            return not job.is_final and _is_at(call, number)  # else the sweeper closes the call

        return self._persistently(job, call, change, while_=is_submitting)

    def _persistently(
        self, job: Job, call: Call, change: Change, *, while_: Callable[[Job, Call], bool]
    ) -> tuple[Job, Call]:
        """Make a change, again after each Conflict while it still holds; return what stands."""
        for _ in range(_MOST_TRIES):
            try:
                return change(job, call)
            except Conflict:
                job, call = self.lifecycle.store.load(job.id, call.id)
                if not while_(job, call):
                    break
        return job, call

    def _identified(self, call: Call, number: int, runpod_id: str) -> Call:
        now = self.clock()
        event = self.lifecycle.event(now, {"attempt": number, "runpod_id": runpod_id})
        if not _is_at(call, number):
            return call.with_runpod_id(number, runpod_id).with_event(
                replace(event, note="identified")
            )
        overdue = now + self.callback_overdue
        due_at = min(call.due_at or overdue, overdue)  # sooner if a callback has come in vain
        return call.with_submission(runpod_id, event).with_due_at(due_at)


def _is_at(call: Call, number: int) -> bool:
    """Is attempt `number` still the one that is being submitted?"""
    return (
        call.state is CallState.SUBMITTING and bool(call.attempts) and call.attempt.number == number
    )


def _is_open(job: Job, call: Call) -> bool:
    """Can a call still be failed? Not while an earlier attempt's result may be on its way to S3."""
    return not (job.is_final or call.is_final or call.state is CallState.PUBLISHING)

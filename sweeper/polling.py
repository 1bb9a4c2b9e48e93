"""Asks RunPod about a due call, and does what its answer says."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import Conflict, OutputRefused, RunPodError, RunPodKeyUnusable, UnknownCall
from core.failures import Failure
from core.jobs.call import Attempt, Call, CallState
from core.jobs.callback import CallRef
from core.jobs.decide import Close, Fail, Ignore, NoteLate, is_left_behind
from core.jobs.job import Job
from core.jobs.lifecycle import LAST_PATIENCE, Lifecycle
from core.jobs.ports import JobStore, RunPod
from core.jobs.settle import Settlement, Settler
from core.runpod.reports import RunPodReport, RunPodStatus, gone
from sweeper.lanes import Circuit, CircuitOpen
from sweeper.looks import RUNPOD_PATIENCE, fail
from sweeper.results import Cancelled, Poll, SweepOutcome, SweepResult

# RunPod's /run can answer with an id before /status knows it: others saw 150 seconds, and many
# minutes on an endpoint whose first image was still being pulled.
_YOUNG = timedelta(minutes=10)
# How far a call goes back in the queue at most that could not be asked about, so that those behind it
# have their turn. The shortest schedule, for RunPod forgets a result in 30 minutes and the settings
# leave the sweep only five of them.
PUT_BACK = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Polling:
    lifecycle: Lifecycle
    settler: Settler
    store: JobStore
    runpod: RunPod
    max_polls: int  # MAX_POLLING_ATTEMPTS, counted for each attempt
    poll_interval: timedelta  # POLLING_INTERVAL
    clock: Callable[[], datetime]

    def poll(self, poll: Poll, circuit: Circuit) -> SweepResult:
        now = self.clock()
        try:
            if is_left_behind(poll.job, poll.call):
                return self._close(poll, circuit, now)
            return self._poll_or_end(poll, circuit, now)
        except UnknownCall:
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        except (Conflict, CircuitOpen):
            return SweepResult(SweepOutcome.LEFT)
        except RunPodKeyUnusable as exc:
            self._put_back(poll.call, now)
            return SweepResult(SweepOutcome.LEFT, key_error=str(exc))
        except RunPodError:
            self._put_back(poll.call, now)
            return SweepResult(SweepOutcome.LEFT)
        except Exception:
            self._put_back(poll.call, now)
            raise

    def cancel(self, runpod_id: str, circuit: Circuit) -> Cancelled:
        """Cancel the request of a call that was given up, if RunPod takes it.

        If not, its executionTimeout and ttl bound what it can cost.
        """
        with suppress(RunPodError):
            circuit.through(lambda: self.runpod.cancel(runpod_id))
        return Cancelled()

    def _poll_or_end(self, poll: Poll, circuit: Circuit, now: datetime) -> SweepResult:
        try:
            return self._poll(poll, circuit, now)
        except OutputRefused as exc:
            settled = self.settler.end_refused(_ref(poll.call, poll.attempt), exc, now=now)
            if settled is None:
                raise
            is_given_up = isinstance(settled.decision, Fail)
            return SweepResult(
                SweepOutcome.GIVEN_UP if is_given_up else SweepOutcome.TAKEN_OVER, settled
            )

    def _poll(self, poll: Poll, circuit: Circuit, now: datetime) -> SweepResult:
        job, call, attempt = poll.job, poll.call, poll.attempt
        try:
            report = self._report_of(attempt, circuit)
        except RunPodError:
            if now < job.deadline + RUNPOD_PATIENCE:
                raise
            if call.state is CallState.PUBLISHING:
                return self._settle(call, attempt, gone(attempt.runpod_id), now)
            return self._fail(poll, Failure("deadline"), now)
        is_gone = report.status is RunPodStatus.GONE
        is_young = is_gone and now - attempt.begun_at < _YOUNG
        if report.status.is_final and (call.state is CallState.PUBLISHING or not is_young):
            return self._settle(call, attempt, report, now)
        if now >= job.deadline:
            return self._give_up(poll, Failure("deadline"), now)
        if call.polls + 1 >= self.max_polls:
            return self._give_up(poll, Failure("polls-exhausted"), now)
        self.store.save_call(call.with_poll(due_at=self._next_poll(job, call, now)))
        return SweepResult(SweepOutcome.STILL_RUNNING)

    def _report_of(self, attempt: Attempt, circuit: Circuit) -> RunPodReport:
        if not attempt.runpod_id:
            return gone("")
        return circuit.through(lambda: self.runpod.status(attempt.runpod_id))

    def _settle(
        self, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> SweepResult:
        settled = self.settler.settle(_ref(call, attempt), report, now=now)
        if isinstance(settled.decision, Ignore) and settled.call.revision == call.revision:
            return self._go_on_without(settled, now)
        return SweepResult(
            _outcome(call, settled, is_gone=report.status is RunPodStatus.GONE), settled
        )

    def _go_on_without(self, settled: Settlement, now: datetime) -> SweepResult:
        """See to it that a call about which a report says nothing neither comes first nor stays."""
        if now >= settled.job.deadline + LAST_PATIENCE and not settled.call.is_final:
            return fail(self.lifecycle, settled.job, settled.call, Failure("deadline"), now)
        self._put_back(settled.call, now)
        return SweepResult(SweepOutcome.STILL_RUNNING)

    def _next_poll(self, job: Job, call: Call, now: datetime) -> datetime:
        """Spread the polls that are left evenly, the last of them at the deadline."""
        polls_left = self.max_polls - call.polls - 1
        gap = max((job.deadline - now) / polls_left, self.poll_interval)
        return min(now + gap, job.deadline)

    def _give_up(self, poll: Poll, failure: Failure, now: datetime) -> SweepResult:
        call, attempt = poll.call, poll.attempt
        if call.state is CallState.PUBLISHING:
            # S3 knows how far that got, and a summary that stands there must not be a failed job's.
            return self._settle(call, attempt, gone(attempt.runpod_id), now)
        # The record first: RunPod calls back about what is cancelled, and would give that as the reason.
        return replace(self._fail(poll, failure, now), left_running=attempt.runpod_id)

    def _fail(self, poll: Poll, failure: Failure, now: datetime) -> SweepResult:
        """End a call, and its job as it is by now: the job's own look has often written it meanwhile."""
        job, call = self.store.load_job(poll.job.id), poll.call
        if is_left_behind(job, call):
            self.lifecycle.close(job, call, now=now)
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        return fail(self.lifecycle, job, call, failure, now)

    def _close(self, poll: Poll, circuit: Circuit, now: datetime) -> SweepResult:
        """Cancel a request that nobody waits for any more, and let its call follow the job.

        The cancellation first: a call that is closed is never looked at again.
        """
        job, runpod_id = poll.job, poll.attempt.runpod_id
        try:
            if runpod_id:
                circuit.through(lambda: self.runpod.cancel(runpod_id))
        except RunPodError:
            if job.finished_at and now < job.finished_at + RUNPOD_PATIENCE:
                raise
        self.lifecycle.close(job, poll.call, now=now)
        return SweepResult(SweepOutcome.SETTLED_ALREADY)

    def _put_back(self, call: Call, now: datetime) -> None:
        """Let those behind a call have their turn first, for a minute at most."""
        # Spread by the call's name, so that those that failed together don't come back together.
        share = zlib.crc32(f"{call.job_id} {call.id}".encode()) / 2**32
        with suppress(Conflict):
            self.store.save_call(call.with_due_at(now + PUT_BACK * (1 + share) / 2))


def _ref(call: Call, attempt: Attempt) -> CallRef:
    return CallRef(call.job_id, call.id, attempt.number)


def _outcome(call: Call, settled: Settlement, *, is_gone: bool) -> SweepOutcome:
    """Say what it was that a report settled about a call that was due."""
    if isinstance(settled.decision, Ignore | Close | NoteLate):
        return SweepOutcome.SETTLED_ALREADY  # at this instant, by somebody else
    if is_gone and settled.call.state is CallState.WAITING:
        return SweepOutcome.RESENT
    if is_gone and settled.call.state is CallState.FAILED:
        return SweepOutcome.GIVEN_UP
    if call.state is CallState.PUBLISHING:
        return SweepOutcome.TAKEN_OVER
    return SweepOutcome.LOST_CALLBACK

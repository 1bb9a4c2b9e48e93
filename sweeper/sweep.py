"""The sweeper's use case: look at every call that is due, and at no other.

    waiting      its message was lost: send another
    submitting   the submitter died, or RunPod never answered it: another attempt
    submitted    the callback is overdue: ask RunPod, and settle what it says
    publishing   whoever published died: ask RunPod for the text again
    past its job's deadline: ask once more, then give up and cancel the request
    of a job that has ended: cancel its request, then let it follow its job

RunPod keeps a result for 30 minutes and calls back for 20 seconds, so this is what makes the system
correct; the callback is what makes it fast.

A look reads the call and does what it can without RunPod; if RunPod has to be asked, it returns an
`Ask`. The two have lanes of their own, so that a RunPod that hangs holds up no look that needs none.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.errors import Conflict, OutputRefused, RunPodError, RunPodKeyUnusable, UnknownCall
from core.jobs.callback import CallRef
from core.jobs.decide import Step, is_left_behind
from core.jobs.lifecycle import LATEST_PICKUP, Lifecycle, Settlement
from core.jobs.model import Attempt, Call, CallState, Job, Summary
from core.jobs.ports import RunPod, WorkFiles
from core.jobs.refusals import LAST_PATIENCE, NOT_JOINED, end_of
from core.runpod.failures import Failure, held_up
from core.runpod.reports import RunPodReport, RunPodStatus, gone
from sweeper.findings import (
    DEADLINE,
    NOT_CONTINUED,
    POLLS_EXHAUSTED,
    UNANSWERED,
    Ask,
    Asks,
    Done,
    Due,
    SweepOutcome,
    SweepResult,
)
from sweeper.lanes import Circuit, CircuitOpen, Lane, as_completed

# RunPod's /run can answer with an id before /status knows it: others saw 150 seconds, and many
# minutes on an endpoint whose first image was still being pulled.
_YOUNG = timedelta(minutes=10)
# How long past its deadline a call waits for RunPod to be reachable for the last question, and a call
# of a job that has ended for RunPod to cancel its request.
RUNPOD_PATIENCE = timedelta(minutes=10)
# How far a call goes back in the queue at most that could not be asked about, so that those behind it
# have their turn. The shortest schedule, for RunPod forgets a result in 30 minutes and the settings
# leave the sweep only five of them.
PUT_BACK = timedelta(minutes=1)

_LOOK_THREADS = 8
_LOOK_SECONDS = 10.0  # two or three requests to DynamoDB and SQS
_ASK_THREADS = 16
# An answer of RunPod (10 s, or 15 to find no connection), then a result to publish or a request to cancel.
_ASK_SECONDS = 35.0
# More than there are threads: some requests that hang occupy them all without RunPod being away.
_FAILURES_IN_A_ROW = 20


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    """The use case with what it needs of the world."""

    lifecycle: Lifecycle
    runpod: RunPod
    max_polls: int  # MAX_POLLING_ATTEMPTS, counted for each attempt
    poll_interval: timedelta  # POLLING_INTERVAL
    clock: Callable[[], datetime]
    work_files: WorkFiles | None = None  # None where the output bucket has a rule for them

    def sweep(
        self, *, pace: Callable[[], None], seconds_left: Callable[[], float]
    ) -> Iterator[SweepResult]:
        """Look at every due call while there is time, several at once; yield as they end.

        `pace` returns when RunPod may be asked next. A call that can't be looked at holds up no other:
        what went wrong is raised at the end.
        """
        troubles: list[Exception] = []
        circuit = Circuit(failures_in_a_row=_FAILURES_IN_A_ROW)
        looks: Lane[Done] = Lane(_LOOK_THREADS, longest_seconds=_LOOK_SECONDS)
        polls: Lane[Done] = Lane(_ASK_THREADS, longest_seconds=_ASK_SECONDS, pace=pace)
        looks.add(lambda: Due(list(self.lifecycle.store.due(self.clock()))))
        try:
            for future in as_completed((looks, polls), seconds_left):
                trouble = future.exception()
                if isinstance(trouble, Exception):
                    troubles.append(trouble)
                    continue
                match future.result():
                    case SweepResult() as look:
                        yield look
                    case Due(found):
                        for job_id, call_id in found:
                            looks.add(partial(self.look, job_id, call_id))
                    case Asks(wanted):
                        for requested_words in wanted:
                            polls.add(partial(self.requested_words, requested_words, circuit))
        finally:
            looks.stop()
            polls.stop()
        yield from [SweepResult(SweepOutcome.LEFT)] * polls.unfinished
        if troubles:
            raise ExceptionGroup(f"{len(troubles)} due calls could not be looked at", troubles)

    def look(self, job_id: str, call_id: str) -> SweepResult | Asks:
        """Do what one due call, or one due job, needs; or say what RunPod has to be asked for it."""
        now = self.clock()
        try:
            if not call_id:
                return self._look_at_job(job_id, now)
            job, call = self.lifecycle.store.load(job_id, call_id)
            if call.due_at is None or call.due_at > now:
                return SweepResult(SweepOutcome.SETTLED_ALREADY)  # the index lags behind the table
            attempt = _polled_attempt(call)
            if attempt:
                return Asks((Ask(job, call, attempt),))
            if is_left_behind(job, call):
                self.lifecycle.close(job, call, now=now)
                return SweepResult(SweepOutcome.SETTLED_ALREADY)
            return self._needed(job, call, now)
        except UnknownCall:
            return SweepResult(SweepOutcome.SETTLED_ALREADY)  # its record has just expired
        except Conflict:
            return SweepResult(SweepOutcome.LEFT)

    def requested_words(self, asked: Ask, circuit: Circuit) -> SweepResult:
        """Ask RunPod about one call and do what its answer says."""
        job, call = asked.job, asked.call
        now = self.clock()
        try:
            if is_left_behind(job, call):
                return self._close(asked, circuit, now)
            return self._ask_or_end(asked, circuit, now)
        except UnknownCall:
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        except (Conflict, CircuitOpen):
            return SweepResult(SweepOutcome.LEFT)
        except RunPodKeyUnusable as exc:
            self._put_back(call, now)
            return SweepResult(SweepOutcome.LEFT, key_trouble=str(exc))
        except RunPodError:
            self._put_back(call, now)
            return SweepResult(SweepOutcome.LEFT)
        except Exception:
            self._put_back(call, now)
            raise

    def _look_at_job(self, job_id: str, now: datetime) -> SweepResult | Asks:
        """Go on with a job whose next stage was asked for in vain, or end what it left running."""
        store = self.lifecycle.store
        job = store.load_job(job_id)
        if job.due_at is None or job.due_at > now:
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        if job.is_final:
            return self._close_calls(job, now)
        if now >= job.deadline:
            look = self._end_job(job, now)
            if look:
                return look
        store.save_job(job.with_due_at(now + LATEST_PICKUP))
        if not job.is_stage_done:
            return SweepResult(SweepOutcome.STILL_RUNNING)
        self.lifecycle.queue.request_next_stage(job_id)
        return SweepResult(SweepOutcome.RESENT)

    def _end_job(self, job: Job, now: datetime) -> SweepResult | None:
        """End a job that is past its deadline, unless one of its calls or the submitter is to do it."""
        end: Summary | Failure | None
        if job.is_joining and now < job.deadline + LAST_PATIENCE:
            return None  # the submitter knows better why
        if job.is_joining:
            end = end_of(job, NOT_JOINED, summaries=self.lifecycle.summaries, now=now)
        elif self._is_left_to_its_calls(job):
            end = None
        else:
            end = NOT_CONTINUED if job.is_stage_done else self._why_too_late(job)
        if end is None:
            return None
        if isinstance(end, Summary):
            job = job.with_success(end, self.lifecycle.event(now, {"stage": job.stage}))
        else:
            event = self.lifecycle.event(now, {"stage": job.stage}, why=end.message)
            job = job.with_failure(end.code, event)
        self.lifecycle.store.save_job(job)
        return SweepResult(
            SweepOutcome.TAKEN_OVER if isinstance(end, Summary) else SweepOutcome.GIVEN_UP
        )

    def _why_too_late(self, job: Job) -> Failure:
        """Say what kept a stage from ending: one of its calls may have been held."""
        for call in self._open_calls(job):
            if call.stage == job.stage and call.state is CallState.WAITING and call.hold:
                return held_up(call.hold)
        return DEADLINE

    def _is_left_to_its_calls(self, job: Job) -> bool:
        """Can a result be on its way to S3 at this instant? Then its call ends, and the job with it."""
        if job.is_stage_done and len(job.slots) > 1:
            return False
        calls = self._open_calls(job)
        return any(len(job.slots) == 1 or call.state is CallState.PUBLISHING for call in calls)

    def _open_calls(self, job: Job) -> list[Call]:
        """Return the calls of a job's stage that have not ended."""
        calls: list[Call] = []
        for name in job.slots:
            if name in job.done and len(job.slots) > 1:
                continue
            with suppress(UnknownCall):  # it has expired
                calls.append(self.lifecycle.store.load(job.id, name)[1])
        return [call for call in calls if not call.is_final]

    def _close_calls(self, job: Job, now: datetime) -> SweepResult | Asks:
        """End what a failed job has left open; once nothing is, it is due no more.

        What is being submitted or published at this instant is left until it is due itself: its
        request's id is not on record yet, or its text is on its way.
        """
        calls = self._open_calls(job)
        if not calls:
            self.lifecycle.store.save_job(job.with_due_at(None))
            return SweepResult(SweepOutcome.SETTLED_ALREADY)
        wanted = []
        for call in calls:
            if call.state is CallState.WAITING:
                self.lifecycle.close(job, call, now=now)
            elif call.state is CallState.SUBMITTED:
                wanted.append(Ask(job, call, call.attempt))
        return Asks(tuple(wanted))

    def _needed(self, job: Job, call: Call, now: datetime) -> SweepResult:
        if now >= job.deadline:
            is_held = call.state is CallState.WAITING and call.hold
            return self._fail(job, call, held_up(call.hold) if is_held else DEADLINE, now)
        if call.state is CallState.WAITING:
            self.lifecycle.store.save_call(call.with_due_at(now + LATEST_PICKUP))
            self.lifecycle.queue.request_attempt(call.job_id, call.id, after=timedelta())
            return SweepResult(SweepOutcome.RESENT)
        if call.paid_attempts < self.lifecycle.max_attempts:
            self.lifecycle.retry(call, UNANSWERED, now=now)
            return SweepResult(SweepOutcome.RESENT)
        return self._fail(job, call, UNANSWERED, now)

    def _ask_or_end(self, asked: Ask, circuit: Circuit, now: datetime) -> SweepResult:
        try:
            return self._ask(asked, circuit, now)
        except OutputRefused as exc:
            settled = self.lifecycle.end_refused(_ref(asked.call, asked.attempt), exc, now=now)
            if settled is None:
                raise
            is_given_up = settled.step is Step.FAIL
            return SweepResult(
                SweepOutcome.GIVEN_UP if is_given_up else SweepOutcome.TAKEN_OVER, settled
            )

    def _ask(self, asked: Ask, circuit: Circuit, now: datetime) -> SweepResult:
        job, call, attempt = asked.job, asked.call, asked.attempt
        try:
            report = self._report_of(attempt, circuit)
        except RunPodError:
            if now < job.deadline + RUNPOD_PATIENCE:
                raise
            if call.state is CallState.PUBLISHING:
                return self._settle(call, attempt, gone(attempt.runpod_id), now)
            return self._fail(job, call, DEADLINE, now)
        is_gone = report.status is RunPodStatus.GONE
        is_young = is_gone and now - attempt.begun_at < _YOUNG
        if report.status.is_final and (call.state is CallState.PUBLISHING or not is_young):
            return self._settle(call, attempt, report, now)
        if now >= job.deadline:
            return self._give_up(asked, DEADLINE, circuit, now)
        if call.polls + 1 >= self.max_polls:
            return self._give_up(asked, POLLS_EXHAUSTED, circuit, now)
        self.lifecycle.store.save_call(call.with_poll(due_at=self._next_poll(job, call, now)))
        return SweepResult(SweepOutcome.STILL_RUNNING)

    def _report_of(self, attempt: Attempt, circuit: Circuit) -> RunPodReport:
        if not attempt.runpod_id:
            return gone("")
        return circuit.through(lambda: self.runpod.status(attempt.runpod_id))

    def _settle(
        self, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> SweepResult:
        settled = self.lifecycle.settle(_ref(call, attempt), report, now=now)
        if settled.step is Step.IGNORE and settled.call.revision == call.revision:
            return self._go_on_without(settled, now)
        return SweepResult(
            _found(call, settled, is_gone=report.status is RunPodStatus.GONE), settled
        )

    def _go_on_without(self, settled: Settlement, now: datetime) -> SweepResult:
        """See to it that a call about which a report says nothing neither comes first nor stays."""
        if now >= settled.job.deadline + LAST_PATIENCE and not settled.call.is_final:
            return self._fail(settled.job, settled.call, DEADLINE, now)
        self._put_back(settled.call, now)
        return SweepResult(SweepOutcome.STILL_RUNNING)

    def _next_poll(self, job: Job, call: Call, now: datetime) -> datetime:
        """Spread the asks that are left evenly, the last of them at the deadline."""
        polls_left = self.max_polls - call.polls - 1
        gap = max((job.deadline - now) / polls_left, self.poll_interval)
        return min(now + gap, job.deadline)

    def _give_up(
        self, asked: Ask, failure: Failure, circuit: Circuit, now: datetime
    ) -> SweepResult:
        call, attempt = asked.call, asked.attempt
        if call.state is CallState.PUBLISHING:
            # S3 knows how far that got, and a summary that stands there must not be a failed job's.
            return self._settle(call, attempt, gone(attempt.runpod_id), now)
        # The record first: RunPod calls back about what is cancelled, and would give that as the reason.
        look = self._fail(asked.job, call, failure, now)
        with suppress(RunPodError):  # its executionTimeout and ttl bound what it can cost
            circuit.through(lambda: self.runpod.cancel(attempt.runpod_id))
        return look

    def _fail(self, job: Job, call: Call, failure: Failure, now: datetime) -> SweepResult:
        job, call = self.lifecycle.fail(job, call, failure, now=now)
        return SweepResult(SweepOutcome.GIVEN_UP, Settlement(step=Step.FAIL, job=job, call=call))

    def _close(self, asked: Ask, circuit: Circuit, now: datetime) -> SweepResult:
        """Cancel a request that nobody waits for any more, and let its call follow the job.

        The cancellation first: a call that is closed is never looked at again.
        """
        job, runpod_id = asked.job, asked.attempt.runpod_id
        try:
            if runpod_id:
                circuit.through(lambda: self.runpod.cancel(runpod_id))
        except RunPodError:
            if job.finished_at and now < job.finished_at + RUNPOD_PATIENCE:
                raise
        self.lifecycle.close(job, asked.call, now=now)
        return SweepResult(SweepOutcome.SETTLED_ALREADY)

    def _put_back(self, call: Call, now: datetime) -> None:
        """Let those behind a call have their turn first, for a minute at most."""
        share = (
            zlib.crc32(f"{call.job_id} {call.id}".encode()) / 2**32
        )  # spreads what failed together
        with suppress(Conflict):
            self.lifecycle.store.save_call(call.with_due_at(now + PUT_BACK * (1 + share) / 2))


def _polled_attempt(call: Call) -> Attempt | None:
    """Return the attempt whose RunPod request can tell how the call stands.

    That of a call that is being published may have no id on record; then S3 alone can tell.
    """
    if call.state is CallState.WAITING or not call.attempts:
        return None
    if call.state is CallState.PUBLISHING:
        return call.published_attempt or call.attempt
    return call.attempt if call.attempt.runpod_id else None


def _ref(call: Call, attempt: Attempt) -> CallRef:
    return CallRef(call.job_id, call.id, attempt.number)


def _found(call: Call, settled: Settlement, *, is_gone: bool) -> SweepOutcome:
    """Say what it was that a report settled about a call that was due."""
    if settled.step in {Step.IGNORE, Step.CLOSE, Step.NOTE_LATE}:
        return SweepOutcome.SETTLED_ALREADY  # at this instant, by somebody else
    if is_gone and settled.call.state is CallState.WAITING:
        return SweepOutcome.RESENT
    if is_gone and settled.call.state is CallState.FAILED:
        return SweepOutcome.GIVEN_UP
    return (
        SweepOutcome.TAKEN_OVER
        if call.state is CallState.PUBLISHING
        else SweepOutcome.LOST_CALLBACK
    )

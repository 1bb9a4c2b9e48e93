"""The sweeper's use case: look at every call that is due, and at no other.

    waiting      its message was lost: send another
    submitting   the submitter died, or RunPod never answered it: another attempt
    submitted    the callback is overdue: ask RunPod, and settle what it says
    publishing   whoever published died: ask RunPod for the text again
    past its job's deadline: ask once more, then give up and cancel the request

RunPod keeps a result for 30 minutes and calls back for 20 seconds, so this is what makes the system
correct; the callback is what makes it fast.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.callback import CallRef
from core.decide import Step, is_left_behind
from core.errors import Conflict, RunPodError, UnknownCall
from core.jobs import SUCCEEDED, Attempt, Call, CallState, Job
from core.ports import RunPod, WorkFiles
from core.reports import Report, Status, gone
from core.settle import LATEST_PICKUP, Settled, Settler
from core.troubles import Failure

# RunPod's /run can answer with an id before /status knows it: others saw 150 seconds, and many
# minutes on an endpoint whose first image was still being pulled.
_YOUNG = timedelta(minutes=10)
# How long past its deadline a call waits for RunPod to be reachable for the last question.
_LAST_PATIENCE = timedelta(minutes=10)

_WORKERS = 16
_QUEUED_PER_WORKER = 4

UNANSWERED = Failure(
    code="unanswered",
    message="the request went out, RunPod gave no id for it, and no callback came",
    may_help_to_retry=True,
)
DEADLINE = Failure(
    code="deadline",
    message="no result came before the job's deadline; see RunPod's console for what held it up,"
    " or raise JobDeadlineMinutes",
    may_help_to_retry=False,
)
ASKS_SPENT = Failure(
    code="asks-spent",
    message="RunPod was asked MaxPollingAttempts times and was not done; raise it, or look at the"
    " endpoint's workers in RunPod's console",
    may_help_to_retry=False,
)


class Found(StrEnum):
    """What a look at a due call came to."""

    LOST_CALLBACK = "lost callback"  # RunPod had ended the request, and nobody had told us
    TAKEN_OVER = "taken over"  # whoever was publishing the result died
    STILL_RUNNING = "still running"
    RESENT = "resent"  # the call gets another attempt
    GIVEN_UP = "given up"
    SETTLED_ALREADY = "settled already"
    LEFT = "left for the next sweep"  # RunPod could not be asked, or others were writing


@dataclass(frozen=True)
class Look:
    found: Found
    settled: Settled | None = None


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    """The use case with what it needs of the world."""

    settler: Settler
    runpod: RunPod
    max_asks: int  # MAX_POLLING_ATTEMPTS, counted for each attempt
    shortest_wait: timedelta  # POLLING_INTERVAL
    clock: Callable[[], datetime]
    work_files: WorkFiles | None = None  # None where the output bucket has a rule for them

    def sweep(self, *, pace: Callable[[], None], has_time: Callable[[], bool]) -> Iterator[Look]:
        """Look at every due call while there is time, several at once; yield as they end.

        `pace` returns when the next look may begin. A call that can't be looked at holds up no other:
        what went wrong is raised at the end.
        """
        troubles: list[Exception] = []
        pending: set[Future[Look]] = set()
        with ThreadPoolExecutor(_WORKERS) as pool:
            for job_id, call_id in self.settler.store.due(self.clock()):
                if not has_time():
                    break
                pace()
                pending.add(pool.submit(self.look, job_id, call_id))
                if len(pending) >= _WORKERS * _QUEUED_PER_WORKER:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from _looks(done, troubles)
            yield from _looks(wait(pending).done, troubles)
        if troubles:
            raise ExceptionGroup(f"{len(troubles)} due calls could not be looked at", troubles)

    def look(self, job_id: str, call_id: str) -> Look:
        """Do what one due call, or one due job, needs."""
        now = self.clock()
        try:
            if not call_id:
                return self._look_at_job(job_id, now)
            job, call = self.settler.store.load(job_id, call_id)
            if call.due_at is None or call.due_at > now:
                return Look(Found.SETTLED_ALREADY)  # the index lags behind the table
            if is_left_behind(job, call):
                self.settler.close(job, call, now=now)
                self._cancel(_asked_about(call))
                return Look(Found.SETTLED_ALREADY)
            return self._needed(job, call, now)
        except UnknownCall:
            return Look(Found.SETTLED_ALREADY)  # its record has just expired
        except (Conflict, RunPodError):
            return Look(Found.LEFT)

    def _look_at_job(self, job_id: str, now: datetime) -> Look:
        """Go on with a job whose next stage was asked for in vain."""
        store = self.settler.store
        job = store.load_job(job_id)
        if job.due_at is None or job.due_at > now:
            return Look(Found.SETTLED_ALREADY)
        if now >= job.deadline and not job.is_joining and not self._is_left_to_its_call(job):
            event = self.settler.event(now, {"stage": job.stage}, why=DEADLINE.message)
            store.save_job(job.failed(DEADLINE.code, event))
            return Look(Found.GIVEN_UP)
        store.save_job(job.due_again(now + LATEST_PICKUP))
        if not job.is_stage_done:
            return Look(Found.STILL_RUNNING)
        self.settler.queue.wants_next_stage(job_id)
        return Look(Found.RESENT)

    def _is_left_to_its_call(self, job: Job) -> bool:
        """Can the summary be on its way to S3 at this instant? Then job and call end in one write."""
        if len(job.slots) != 1:
            return False
        _, call = self.settler.store.load(job.id, job.slots[0])
        return not call.is_final

    def _needed(self, job: Job, call: Call, now: datetime) -> Look:
        attempt = _asked_about(call)
        if attempt:
            return self._ask(job, call, attempt, now)
        if now >= job.deadline:
            return self._give_up(job, call, DEADLINE, now)
        if call.state is CallState.WAITING:
            self.settler.store.save_call(call.due_again(now + LATEST_PICKUP))
            self.settler.queue.wants_attempt(call.job_id, call.id, after=timedelta())
            return Look(Found.RESENT)
        if call.paid_attempts < self.settler.max_attempts:
            self.settler.retry(call, UNANSWERED, now=now)
            return Look(Found.RESENT)
        return self._give_up(job, call, UNANSWERED, now)

    def _ask(self, job: Job, call: Call, attempt: Attempt, now: datetime) -> Look:
        try:
            report = self.runpod.status(attempt.runpod_id)
        except RunPodError:
            if now >= job.deadline + _LAST_PATIENCE:
                return self._give_up(job, call, DEADLINE, now)
            raise
        is_gone = report.status is Status.GONE
        is_young = is_gone and now - attempt.begun_at < _YOUNG
        if report.status.is_final and (call.state is CallState.PUBLISHING or not is_young):
            return self._settle(call, attempt, report, now)
        if now >= job.deadline:
            return self._give_up(job, call, DEADLINE, now)
        if call.asks + 1 >= self.max_asks:
            return self._give_up(job, call, ASKS_SPENT, now)
        self.settler.store.save_call(call.asked(due_at=self._next_ask(job, call, now)))
        return Look(Found.STILL_RUNNING)

    def _settle(self, call: Call, attempt: Attempt, report: Report, now: datetime) -> Look:
        ref = CallRef(call.job_id, call.id, attempt.number)
        settled = self.settler.settle(ref, report, now=now)
        return Look(_found(call, settled, is_gone=report.status is Status.GONE), settled)

    def _next_ask(self, job: Job, call: Call, now: datetime) -> datetime:
        """Spread the asks that are left evenly, the last of them at the deadline."""
        asks_left = self.max_asks - call.asks - 1
        gap = max((job.deadline - now) / asks_left, self.shortest_wait)
        return min(now + gap, job.deadline)

    def _give_up(self, job: Job, call: Call, failure: Failure, now: datetime) -> Look:
        attempt = _asked_about(call)
        if call.state is CallState.PUBLISHING and attempt:
            # S3 knows how far that got, and a summary that stands there must not be a failed job's.
            return self._settle(call, attempt, gone(attempt.runpod_id), now)
        # The record first: RunPod calls back about what is cancelled, and would give that as the reason.
        job, call = self.settler.fail(job, call, failure, now=now)
        self._cancel(attempt)
        return Look(Found.GIVEN_UP, Settled(step=Step.FAIL, job=job, call=call))

    def _cancel(self, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        try:
            self.runpod.cancel(attempt.runpod_id)
        except RunPodError:
            return  # its executionTimeout and ttl bound what it can cost


def _asked_about(call: Call) -> Attempt | None:
    """Return the attempt whose RunPod request can tell how the call stands."""
    if call.state is CallState.WAITING or not call.attempts:
        return None
    published = [attempt for attempt in call.attempts if attempt.outcome == SUCCEEDED]
    attempt = published[0] if published else call.attempt
    return attempt if attempt.runpod_id else None


def _found(call: Call, settled: Settled, *, is_gone: bool) -> Found:
    """Say what it was that a report settled about a call that was due."""
    if settled.step is Step.IGNORE:
        return Found.SETTLED_ALREADY  # at this instant, by somebody else
    if is_gone and settled.call.state is CallState.WAITING:
        return Found.RESENT
    if is_gone and settled.call.state is CallState.FAILED:
        return Found.GIVEN_UP
    return Found.TAKEN_OVER if call.state is CallState.PUBLISHING else Found.LOST_CALLBACK


def _looks(done: set[Future[Look]], troubles: list[Exception]) -> Iterator[Look]:
    for future in done:
        trouble = future.exception()
        if trouble is None:
            yield future.result()
        elif isinstance(trouble, Exception):
            troubles.append(trouble)
        else:
            raise trouble

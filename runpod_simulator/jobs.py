"""The life of RunPod's jobs. Pure: every method that depends on the time is given it, in RunPod seconds.

IN_QUEUE ──► IN_PROGRESS ──► COMPLETED | FAILED | CANCELLED | TIMED_OUT
   │ ▲            │ a worker died: again, with `retries`
   │ └────────────┘◄── /retry, from FAILED and TIMED_OUT
   └──► CANCELLED
ttl, retention and purge-queue remove a job altogether: 404 from then on.
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .scenarios import Plan


class Status(StrEnum):
    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_final(self) -> bool:
        return not MOVES[self] - {Status.IN_QUEUE}


MOVES: dict[Status, frozenset[Status]] = {
    Status.IN_QUEUE: frozenset({Status.IN_PROGRESS, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset(
        {Status.IN_QUEUE, Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.TIMED_OUT}
    ),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset({Status.IN_QUEUE}),
    Status.CANCELLED: frozenset(),
    Status.TIMED_OUT: frozenset({Status.IN_QUEUE}),
}


class IllegalMoveError(Exception):
    """The job cannot go from its state to that one."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller sent, already checked."""

    input: dict[str, Any]
    webhook: str = ""
    execution_timeout_seconds: float
    ttl_seconds: float
    retention_seconds: float
    is_sync: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    status: Status
    output: Any = None
    error: str = ""


@dataclass(kw_only=True)
class Job:
    id: str
    request: Request
    plan: Plan
    scenarios: tuple[str, ...]
    submitted_at: float
    queued_at: float  # a retry starts the count of delayTime again
    ready_at: float  # no worker takes it before
    status: Status = Status.IN_QUEUE
    started_at: float | None = None
    finished_at: float | None = None
    execution_seconds: float | None = None
    worker_id: str = ""
    executions: int = 0
    retries: int = 0
    output: Any = None
    error: str = ""
    stream: list[Any] = field(
        default_factory=list
    )  # what a generator yielded, until it is asked for
    faults: Counter[str] = field(default_factory=Counter)

    def move_to(self, status: Status) -> None:
        if status not in MOVES[self.status]:
            msg = f"job {self.id} cannot go from {self.status} to {status}"
            raise IllegalMoveError(msg)
        self.status = status

    def suffers(self, fault: str, times: float) -> bool:
        """True the first `times` that this job meets this fault."""
        self.faults[fault] += 1
        return self.faults[fault] <= times

    def is_visible(self, now: float) -> bool:
        return now >= self.submitted_at + self.plan.hidden_seconds

    def ends_at(self) -> float:
        """When it is removed: its ttl in any state, its retention once it is over."""
        by_ttl = self.submitted_at + self.request.ttl_seconds
        if self.status.is_final and self.finished_at is not None:
            return min(by_ttl, self.finished_at + self.request.retention_seconds)
        return by_ttl

    def status_body(self) -> dict[str, Any]:
        """The body of GET /status, keys in RunPod's (alphabetical) order."""
        body: dict[str, Any] = {"id": self.id, "status": self.status.value}
        if self.status is Status.CANCELLED:
            return body
        if self.started_at is not None:
            body["delayTime"] = round((self.started_at - self.queued_at) * 1000)
            body["workerId"] = self.worker_id
        if self.execution_seconds is not None:
            body["executionTime"] = round(self.execution_seconds * 1000)
        if self.retries:
            body["retries"] = self.retries
        if self.output is not None:
            body["output"] = self.output
        if self.error:
            body["error"] = self.error
        return dict(sorted(body.items()))

    def webhook_body(self) -> dict[str, Any]:
        """Like /status, without the worker, with the caller's input and webhook."""
        body = self.status_body() | {"input": self.request.input, "webhook": self.request.webhook}
        body.pop("workerId", None)
        return dict(sorted(body.items()))


@dataclass(kw_only=True)
class Book:
    """All jobs of one endpoint and the workers that take them, first come, first served."""

    max_workers: int
    queue_delay_seconds: float
    jobs: dict[str, Job] = field(default_factory=dict)
    ended: dict[Status, int] = field(default_factory=dict)
    retried: int = 0
    _worker_ids: list[str] = field(default_factory=list)

    def submit(self, request: Request, plan: Plan, scenarios: tuple[str, ...], now: float) -> Job:
        prefix = "sync-" if request.is_sync else ""
        job = Job(
            id=f"{prefix}{uuid.uuid4()}-u1",
            request=request,
            plan=plan,
            scenarios=scenarios,
            submitted_at=now,
            queued_at=now,
            ready_at=self._ready_at(plan, now),
        )
        self.jobs[job.id] = job
        return job

    def find(self, job_id: str, now: float) -> Job | None:
        """None for a job that is unknown, removed, lost or not visible yet: RunPod's 404."""
        job = self.jobs.get(job_id)
        return job if job and job.is_visible(now) and now < job.ends_at() else None

    def start_ready(self, now: float) -> list[Job]:
        """Gives waiting jobs to free workers."""
        started = []
        for job in self.ready(now):
            if len(self._running()) >= self.max_workers:
                break
            self.start(job, self._free_worker(), now)
            started.append(job)
        return started

    def ready(self, now: float) -> list[Job]:
        """The jobs that wait for nothing but a worker, in their order."""
        ready = [job for job in self._waiting() if job.ready_at <= now]
        return sorted(ready, key=lambda job: job.ready_at)

    def next_ready_at(self) -> float:
        return min((job.ready_at for job in self._waiting()), default=math.inf)

    def start(self, job: Job, worker_id: str, now: float) -> None:
        job.move_to(Status.IN_PROGRESS)
        job.started_at, job.worker_id = now, worker_id
        job.executions += 1

    def requeue(self, job: Job, now: float) -> None:
        """The worker died without a report; the platform dispatches the job once more."""
        job.move_to(Status.IN_QUEUE)
        job.retries += 1
        self.retried += 1
        job.queued_at, job.ready_at, job.started_at, job.worker_id = now, now, None, ""
        job.output = None  # it may have told its progress
        job.stream.clear()

    def finish(self, job: Job, result: Result, now: float, execution_seconds: float) -> None:
        job.move_to(result.status)
        job.output, job.error = result.output, result.error
        job.finished_at, job.execution_seconds = now, execution_seconds
        self.ended[result.status] = self.ended.get(result.status, 0) + 1

    def cancel(self, job: Job, now: float) -> bool:
        """False when it is over already: then nothing changes."""
        if job.status.is_final:
            return False
        job.move_to(Status.CANCELLED)
        job.finished_at = now
        return True

    def retry(self, job: Job, now: float) -> None:
        """The same job again, without its earlier result and without its scenarios.

        Raises:
            IllegalMoveError: it is neither FAILED nor TIMED_OUT.
        """
        if not job.status.is_final:
            msg = f"job {job.id} is not over"
            raise IllegalMoveError(msg)
        job.move_to(Status.IN_QUEUE)
        self.retried += 1
        job.plan, job.scenarios = Plan(), ()
        job.output, job.error, job.retries = None, "", 0
        job.stream.clear()
        job.started_at = job.finished_at = job.execution_seconds = None
        job.queued_at, job.ready_at, job.worker_id = now, self._ready_at(job.plan, now), ""

    def purge(self) -> list[Job]:
        waiting = self._waiting()
        for job in waiting:
            del self.jobs[job.id]
        return waiting

    def remove_ended(self, now: float) -> list[Job]:
        over = [job for job in self.jobs.values() if job.ends_at() <= now]
        for job in over:
            del self.jobs[job.id]
        return over

    def next_event_at(self) -> float:
        """When to look again: the next job that gets ready or must be removed. Infinite if none."""
        return min(self._event_times(), default=math.inf)

    def health(self) -> dict[str, dict[str, int]]:
        running = len(self._running())
        return {
            "jobs": {
                "completed": self.ended.get(Status.COMPLETED, 0),
                "failed": self.ended.get(Status.FAILED, 0) + self.ended.get(Status.TIMED_OUT, 0),
                "inProgress": running,
                "inQueue": len(self._waiting()),
                "retried": self.retried,
            },
            "workers": {
                "idle": self.max_workers - running,
                "initializing": 0,
                "ready": self.max_workers,
                "running": running,
                "throttled": 0,
                "unhealthy": 0,
            },
        }

    def _event_times(self) -> Iterator[float]:
        has_room = len(self._running()) < self.max_workers
        for job in self.jobs.values():
            yield job.ends_at()
            if has_room and job.status is Status.IN_QUEUE:
                yield job.ready_at

    def _ready_at(self, plan: Plan, now: float) -> float:
        if plan.lost_in_queue:
            return math.inf
        if plan.webhook_before_answer:
            return now
        return now + self.queue_delay_seconds + plan.extra_queue_seconds

    def _waiting(self) -> list[Job]:
        return [
            job
            for job in self.jobs.values()
            if job.status is Status.IN_QUEUE and not job.plan.lost_in_queue
        ]

    def _running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status is Status.IN_PROGRESS]

    def _free_worker(self) -> str:
        busy = {job.worker_id for job in self._running()}
        free = [worker for worker in self._worker_ids if worker not in busy]
        if not free:
            free = [uuid.uuid4().hex[:14]]
            self._worker_ids += free
        return free[0]

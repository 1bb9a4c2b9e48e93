"""A RunPod job and its states. Pure: methods that depend on the time take it, in RunPod seconds.

IN_QUEUE ──► IN_PROGRESS ──► COMPLETED | FAILED | CANCELLED | TIMED_OUT
   │ ▲            │ its worker died: queued again, `retries` counts
   │ └────────────┘◄── /retry, from FAILED and TIMED_OUT
   └──► CANCELLED
ttl, retention and purge-queue remove a job altogether: 404 from then on.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runpod_simulator.fault_plan import FaultPlan


class JobStatus(StrEnum):
    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_final(self) -> bool:
        return not TRANSITIONS[self] - {JobStatus.IN_QUEUE}


TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.IN_QUEUE: frozenset({JobStatus.IN_PROGRESS, JobStatus.CANCELLED}),
    JobStatus.IN_PROGRESS: frozenset(
        {
            JobStatus.IN_QUEUE,
            JobStatus.COMPLETED,
            JobStatus.FAILED,
            JobStatus.CANCELLED,
            JobStatus.TIMED_OUT,
        }
    ),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.IN_QUEUE}),
    JobStatus.CANCELLED: frozenset(),
    JobStatus.TIMED_OUT: frozenset({JobStatus.IN_QUEUE}),
}


class IllegalTransition(Exception):
    """The job cannot go from its state to that one."""


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """What a caller sent, validated."""

    input: dict[str, Any]
    webhook: str = ""
    execution_timeout_seconds: float
    ttl_seconds: float
    retention_seconds: float
    is_sync: bool = False


@dataclass(frozen=True, kw_only=True)
class JobResult:
    status: JobStatus
    output: Any = None
    error: str = ""


@dataclass(kw_only=True)
class Job:
    id: str
    request: JobRequest
    plan: FaultPlan
    scenarios: tuple[str, ...]
    submitted_at: float
    queued_at: float  # a retry starts the count of delayTime again
    ready_at: float  # no worker takes it before
    status: JobStatus = JobStatus.IN_QUEUE
    started_at: float | None = None
    finished_at: float | None = None
    execution_seconds: float | None = None
    worker_id: str = ""
    executions: int = 0
    retries: int = 0
    output: Any = None
    error: str = ""
    stream: list[Any] = field(default_factory=list)  # chunks that /stream has not returned yet
    faults: Counter[str] = field(default_factory=Counter)

    def transition_to(self, status: JobStatus) -> None:
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(f"job {self.id} cannot go from {self.status} to {status}")
        self.status = status

    def trigger_fault(self, fault: str, times: float) -> bool:
        """Count an occasion for this fault; True for the first `times` of them."""
        self.faults[fault] += 1
        return self.faults[fault] <= times

    def is_visible(self, now: float) -> bool:
        return now >= self.submitted_at + self.plan.hidden_seconds

    def expires_at(self) -> float:
        """Return when it is removed: at its ttl in any state, at the end of its retention once it ended."""
        by_ttl = self.submitted_at + self.request.ttl_seconds
        if self.status.is_final and self.finished_at is not None:
            return min(by_ttl, self.finished_at + self.request.retention_seconds)
        return by_ttl

    def status_body(self) -> dict[str, Any]:
        """Return the body of GET /status, with the keys in RunPod's alphabetical order."""
        body: dict[str, Any] = {"id": self.id, "status": self.status.value}
        if self.status is JobStatus.CANCELLED:
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
        """Return the body of GET /status without the worker, with the caller's input and webhook."""
        body = self.status_body() | {"input": self.request.input, "webhook": self.request.webhook}
        body.pop("workerId", None)
        return dict(sorted(body.items()))

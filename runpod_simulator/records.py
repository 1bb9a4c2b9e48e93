"""A job as tests and the control API see it."""

from dataclasses import dataclass, field
from typing import Any

from runpod_simulator.jobs import Job, JobStatus
from runpod_simulator.webhooks import host_of


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """A snapshot of a job."""

    id: str
    status: JobStatus
    scenarios: tuple[str, ...]
    executions: int
    retries: int
    submitted_at_seconds: float
    delay_seconds: float | None
    execution_seconds: float | None
    webhook_host: str
    webhook: str = field(repr=False)
    input: dict[str, Any] = field(repr=False)
    output: Any = field(repr=False)
    error: str = field(repr=False)

    def public(self) -> dict[str, Any]:
        """Leave out what the caller or the worker wrote."""
        private = {"webhook", "input", "output", "error"}
        return {name: value for name, value in vars(self).items() if name not in private}


def record_of(job: Job) -> JobRecord:
    return JobRecord(
        id=job.id,
        status=job.status,
        scenarios=job.scenarios,
        executions=job.executions,
        retries=job.retries,
        submitted_at_seconds=job.submitted_at,
        delay_seconds=None if job.started_at is None else job.started_at - job.queued_at,
        execution_seconds=job.execution_seconds,
        webhook_host=host_of(job.request.webhook) if job.request.webhook else "",
        webhook=job.request.webhook,
        input=job.request.input,
        output=job.output,
        error=job.error,
    )

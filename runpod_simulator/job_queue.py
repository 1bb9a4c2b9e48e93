"""The queue of one endpoint. Pure: every method that depends on the time takes it, in RunPod seconds."""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from runpod_simulator.fault_plan import FaultPlan
from runpod_simulator.jobs import IllegalTransition, Job, JobRequest, JobResult, JobStatus


@dataclass(kw_only=True)
class JobQueue:
    """All jobs of one endpoint, and the workers that take them in order of arrival."""

    max_workers: int
    queue_delay_seconds: float
    jobs: dict[str, Job] = field(default_factory=dict)
    ended: dict[JobStatus, int] = field(default_factory=dict)
    retried: int = 0
    _worker_ids: list[str] = field(default_factory=list)

    def submit(
        self, request: JobRequest, plan: FaultPlan, scenarios: tuple[str, ...], now: float
    ) -> Job:
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
        """Return None where RunPod answers 404: the job is unknown, removed, lost or not visible yet."""
        job = self.jobs.get(job_id)
        return job if job and job.is_visible(now) and now < job.expires_at() else None

    def start_ready(self, now: float) -> list[Job]:
        """Give waiting jobs to free workers."""
        started = []
        for job in self.ready(now):
            if len(self._running()) >= self.max_workers:
                break
            self.start(job, self._free_worker(), now)
            started.append(job)
        return started

    def ready(self, now: float) -> list[Job]:
        """Return the jobs that wait for nothing but a worker, in order."""
        ready = [job for job in self._waiting() if job.ready_at <= now]
        return sorted(ready, key=lambda job: job.ready_at)

    def next_ready_at(self) -> float:
        return min((job.ready_at for job in self._waiting()), default=math.inf)

    def start(self, job: Job, worker_id: str, now: float) -> None:
        job.transition_to(JobStatus.IN_PROGRESS)
        job.started_at, job.worker_id = now, worker_id
        job.executions += 1

    def requeue(self, job: Job, now: float) -> None:
        """Dispatch the job once more, because its worker died without a report."""
        job.transition_to(JobStatus.IN_QUEUE)
        job.retries += 1
        self.retried += 1
        job.queued_at, job.ready_at, job.started_at, job.worker_id = now, now, None, ""
        job.output = None  # a progress update may have set it
        job.stream.clear()

    def finish(self, job: Job, result: JobResult, now: float, execution_seconds: float) -> None:
        job.transition_to(result.status)
        job.output, job.error = result.output, result.error
        job.finished_at, job.execution_seconds = now, execution_seconds
        self.ended[result.status] = self.ended.get(result.status, 0) + 1

    def cancel(self, job: Job, now: float) -> bool:
        """Return False, and change nothing, if the job has ended already."""
        if job.status.is_final:
            return False
        job.transition_to(JobStatus.CANCELLED)
        job.finished_at = now
        return True

    def retry(self, job: Job, now: float) -> None:
        """Queue the same job again, without its earlier result and without its scenarios.

        Raises:
            IllegalTransition: it is neither FAILED nor TIMED_OUT.
        """
        if not job.status.is_final:
            raise IllegalTransition(f"job {job.id} has not ended")
        job.transition_to(JobStatus.IN_QUEUE)
        self.retried += 1
        job.plan, job.scenarios = FaultPlan(), ()
        job.output, job.error, job.retries = None, "", 0
        job.stream.clear()
        job.started_at = job.finished_at = job.execution_seconds = None
        job.queued_at, job.ready_at, job.worker_id = now, self._ready_at(job.plan, now), ""

    def purge(self) -> list[Job]:
        waiting = self._waiting()
        for job in waiting:
            del self.jobs[job.id]
        return waiting

    def remove_expired(self, now: float) -> list[Job]:
        over = [job for job in self.jobs.values() if job.expires_at() <= now]
        for job in over:
            del self.jobs[job.id]
        return over

    def next_event_at(self) -> float:
        """Return when the next job gets ready or must be removed; infinite if there is none."""
        return min(self._event_times(), default=math.inf)

    def health(self) -> dict[str, dict[str, int]]:
        running = len(self._running())
        return {
            "jobs": {
                "completed": self.ended.get(JobStatus.COMPLETED, 0),
                "failed": self.ended.get(JobStatus.FAILED, 0)
                + self.ended.get(JobStatus.TIMED_OUT, 0),
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
            yield job.expires_at()
            if has_room and job.status is JobStatus.IN_QUEUE:
                yield job.ready_at

    def _ready_at(self, plan: FaultPlan, now: float) -> float:
        if plan.lost_in_queue:
            return math.inf
        if plan.webhook_before_answer:
            return now
        return now + self.queue_delay_seconds + plan.extra_queue_seconds

    def _waiting(self) -> list[Job]:
        return [
            job
            for job in self.jobs.values()
            if job.status is JobStatus.IN_QUEUE and not job.plan.lost_in_queue
        ]

    def _running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status is JobStatus.IN_PROGRESS]

    def _free_worker(self) -> str:
        busy = {job.worker_id for job in self._running()}
        free = [worker for worker in self._worker_ids if worker not in busy]
        if not free:
            free = [uuid.uuid4().hex[:14]]
            self._worker_ids += free
        return free[0]

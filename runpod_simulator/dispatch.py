"""Hands queued jobs to the remote workers that poll for them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from runpod_simulator.clock import Clock
from runpod_simulator.job_queue import JobQueue
from runpod_simulator.jobs import Job, JobStatus
from runpod_simulator.notifier import Notifier
from runpod_simulator.workers.remote import RemoteWorkerPool


@dataclass(frozen=True, kw_only=True)
class TakeOutcome:
    """The answer to one job-take request: jobs, or a simulated failure."""

    jobs: list[Job] = field(default_factory=list)
    fails: bool = False  # answer 500; no job was taken
    drops_connection: bool = False  # taken, but the answer never reaches the worker


class Dispatcher:
    def __init__(
        self,
        queue: JobQueue,
        remote_workers: RemoteWorkerPool,
        clock: Clock,
        notifier: Notifier,
        start: Callable[[Job], None],
    ) -> None:
        self._queue = queue
        self._remote_workers = remote_workers
        self._clock = clock
        self._notifier = notifier
        self._start = start

    async def take(
        self, worker_id: str, count: int, wait_seconds: float, is_gone: Callable[[], bool]
    ) -> TakeOutcome:
        """Take at most `count` jobs; none if nothing is ready within `wait_seconds` real seconds.

        `is_gone` says whether the worker has closed its connection: a job given to it now would be lost.
        """
        ends_at = time.monotonic() + wait_seconds
        while not (is_gone() or self._notifier.is_closed):
            outcome = self._take_now(worker_id, count)
            left = ends_at - time.monotonic()
            if outcome.jobs or outcome.fails or left <= 0:
                return outcome
            until_ready = self._clock.real_seconds(self._queue.next_ready_at() - self._clock.now())
            await self._notifier.wait(left if until_ready is None else min(left, until_ready))
        return TakeOutcome()

    def _take_now(self, worker_id: str, count: int) -> TakeOutcome:
        chosen = [*self._second_copies(worker_id), *self._queue.ready(self._clock.now())][:count]
        # A list rather than a generator, so that every job counts its fault.
        if any([job.trigger_fault("job-take-error", job.plan.take_errors) for job in chosen]):  # noqa: C419
            return TakeOutcome(fails=True)
        for job in chosen:
            self._give(job, worker_id)
        lost = [
            job.trigger_fault("job-take-unanswered", job.plan.take_answers_lost) for job in chosen
        ]
        return TakeOutcome(jobs=chosen, drops_connection=any(lost))

    def _second_copies(self, worker_id: str) -> list[Job]:
        return [
            job
            for job in self._queue.jobs.values()
            if job.plan.given_twice
            and job.status is JobStatus.IN_PROGRESS
            and self._remote_workers.may_join(worker_id, job.id)
        ]

    def _give(self, job: Job, worker_id: str) -> None:
        self._remote_workers.take(worker_id, job.id)
        if job.status is JobStatus.IN_PROGRESS:
            job.executions += 1
            self._remote_workers.join(worker_id, job.id)
        else:
            self._queue.start(job, worker_id, self._clock.now())
            self._start(job)

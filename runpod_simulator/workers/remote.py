"""Workers that run elsewhere with RunPod's SDK: which jobs they run, and when each was last seen.

A job belongs to the worker that took it. It is lost when no worker has named it within the heartbeat
timeout: in a ping, a progress update or a chunk of its stream. A worker that only pings, without naming its
jobs, loses them too.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from runpod_simulator.notifier import Notifier
from runpod_simulator.workers import WorkerLost, WorkerResult, WorkItem, vllm


@dataclass(kw_only=True)
class RemoteWorker:
    """One worker, identified by the RUNPOD_POD_ID with which it polls."""

    id: str
    seen_at: float  # time.monotonic()
    pings: int = 0
    refreshes: int = 0  # how often it asked to be restarted (refresh_worker)
    is_unhealthy: bool = False  # its own fitness checks failed
    jobs_to_stop: list[str] = field(default_factory=list, repr=False)  # stop orders not yet sent
    stopped_jobs: set[str] = field(default_factory=set, repr=False)  # it was ordered to stop these

    def public(self) -> dict[str, Any]:
        shown = ("id", "pings", "refreshes", "is_unhealthy")
        return {name: getattr(self, name) for name in shown}


@dataclass(kw_only=True)
class _RunningJob:
    worker_ids: set[str]
    last_named_at: float  # time.monotonic()
    result: asyncio.Future[WorkerResult]


class RemoteWorkerPool:
    """All remote workers as one Worker: `run` waits for the result that one of them posts."""

    def __init__(self, *, heartbeat_timeout_seconds: float, notifier: Notifier) -> None:
        self._timeout_seconds = heartbeat_timeout_seconds
        self._notifier = notifier
        self._running: dict[str, _RunningJob] = {}  # by job id
        self.workers: dict[str, RemoteWorker] = {}

    async def run(self, item: WorkItem) -> WorkerResult:
        result: asyncio.Future[WorkerResult] = asyncio.get_running_loop().create_future()
        job = _RunningJob(
            worker_ids={item.worker_id}, last_named_at=time.monotonic(), result=result
        )
        self._running[item.job_id] = job
        try:
            while (left := job.last_named_at + self._timeout_seconds - time.monotonic()) > 0:
                await asyncio.wait({result}, timeout=left)
                if result.done():
                    return _with_faults(result.result(), item)
        except asyncio.CancelledError:  # cancelled, out of time, or its ttl is over
            self._order_stop(item.job_id, job.worker_ids)
            raise
        finally:
            del self._running[item.job_id]
        raise WorkerLost

    async def close(self) -> None:
        """Do nothing: the workers are not the simulator's to end."""

    def seen(self, worker_id: str) -> RemoteWorker:
        """Record a sign of life, which any request of a worker is."""
        now = time.monotonic()
        worker = self.workers.setdefault(worker_id, RemoteWorker(id=worker_id, seen_at=now))
        worker.seen_at = now
        return worker

    def ping(self, worker_id: str, job_ids: Iterable[str]) -> None:
        """Keep the named jobs alive, and repeat the stop order for a job that was stopped.

        The SDK ignores a stop order for a job that it has taken and not begun.
        """
        worker = self.seen(worker_id)
        worker.pings += 1
        for job_id in job_ids:
            if self.runs(worker_id, job_id):
                self.keep_alive(job_id)
            elif job_id in worker.stopped_jobs:
                self._order_stop(job_id, (worker_id,))

    def keep_alive(self, job_id: str) -> None:
        self._running[job_id].last_named_at = time.monotonic()

    def runs(self, worker_id: str, job_id: str) -> bool:
        job = self._running.get(job_id)
        return job is not None and worker_id in job.worker_ids and not job.result.done()

    def take(self, worker_id: str, job_id: str) -> None:
        """Drop stop orders that were meant for an earlier execution of the job."""
        worker = self.seen(worker_id)
        worker.jobs_to_stop[:] = [one for one in worker.jobs_to_stop if one != job_id]
        worker.stopped_jobs.discard(job_id)

    def may_join(self, worker_id: str, job_id: str) -> bool:
        """Say whether exactly one worker runs the job, and it is another one."""
        job = self._running.get(job_id)
        return job is not None and len(job.worker_ids) == 1 and worker_id not in job.worker_ids

    def join(self, worker_id: str, job_id: str) -> None:
        self._running[job_id].worker_ids.add(worker_id)

    def finish(self, job_id: str, result: WorkerResult) -> None:
        self._running[job_id].result.set_result(result)

    async def wait_for_stop_orders(self, worker_id: str, timeout_seconds: float) -> list[str]:
        """Return the jobs that this worker must stop, each once; none after so many real seconds."""
        orders = self.seen(worker_id).jobs_to_stop
        ends_at = time.monotonic() + timeout_seconds
        while not (orders or self._notifier.is_closed):
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            await self._notifier.wait(left)
        sent = list(orders)
        orders.clear()
        return sent

    def health(self) -> dict[str, int]:
        """Count the workers that were seen within the timeout, as /health does."""
        since = time.monotonic() - self._timeout_seconds
        alive = [worker for worker in self.workers.values() if worker.seen_at > since]
        ready = {worker.id for worker in alive if not worker.is_unhealthy}
        busy = {worker for job in self._running.values() for worker in job.worker_ids} & ready
        return {
            "idle": len(ready) - len(busy),
            "initializing": 0,
            "ready": len(ready),
            "running": len(busy),
            "throttled": 0,
            "unhealthy": len(alive) - len(ready),
        }

    def _order_stop(self, job_id: str, worker_ids: Iterable[str]) -> None:
        for worker_id in worker_ids:
            worker = self.workers[worker_id]
            worker.stopped_jobs.add(job_id)
            if job_id not in worker.jobs_to_stop:
                worker.jobs_to_stop.append(job_id)
        self._notifier.notify_all()


def _with_faults(result: WorkerResult, item: WorkItem) -> WorkerResult:
    """Apply the scenarios about the model's text to a result in OpenAI's shape."""
    match result.output:
        case [{"choices": [{}, *_]} as completion]:
            return replace(result, output=[vllm.with_faults(completion, item.manner)])
    return result

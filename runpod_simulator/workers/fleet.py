"""The workers that run elsewhere with RunPod's SDK: what they hold and when they were last heard.

A job belongs to whoever took it. It is lost when no worker has named it for the heartbeat's timeout:
in a ping, by its progress or by a chunk of its stream. A worker that only pings has lost its jobs too.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from runpod_simulator.bell import Bell

from . import Answer, Task, WorkerLostError, shapes


@dataclass(kw_only=True)
class RemoteWorker:
    """One worker, by the RUNPOD_POD_ID under which it asks for jobs."""

    id: str
    heard_at: float  # time.monotonic()
    pings: int = 0
    refreshes: int = 0  # how often it asked to be restarted (refresh_worker)
    is_unhealthy: bool = False  # its own fitness checks failed
    jobs_to_stop: list[str] = field(default_factory=list, repr=False)  # it has not been told yet
    jobs_not_its_own: set[str] = field(default_factory=set, repr=False)  # that it was to stop

    def public(self) -> dict[str, Any]:
        shown = ("id", "pings", "refreshes", "is_unhealthy")
        return {name: getattr(self, name) for name in shown}


@dataclass(kw_only=True)
class _Held:
    """A job that runs out there."""

    workers: set[str]
    named_at: float
    answer: asyncio.Future[Answer]


class Fleet:
    """All of them as one Worker: `run` waits for what one of them reports."""

    def __init__(self, *, heartbeat_timeout_seconds: float, bell: Bell) -> None:
        self._timeout_seconds = heartbeat_timeout_seconds
        self._bell = bell
        self._held: dict[str, _Held] = {}
        self.workers: dict[str, RemoteWorker] = {}

    async def run(self, task: Task) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        held = _Held(workers={task.worker_id}, named_at=time.monotonic(), answer=answer)
        self._held[task.job_id] = held
        try:
            while (left := held.named_at + self._timeout_seconds - time.monotonic()) > 0:
                await asyncio.wait({answer}, timeout=left)
                if answer.done():
                    return _spoiled(answer.result(), task)
        except asyncio.CancelledError:  # cancelled, out of time, or its ttl is over
            self._stop(task.job_id, held.workers)
            raise
        finally:
            del self._held[task.job_id]
        raise WorkerLostError

    async def close(self) -> None:
        """They are not ours to end."""

    def hear(self, worker_id: str) -> RemoteWorker:
        """Any request of a worker is a sign of life."""
        now = time.monotonic()
        worker = self.workers.setdefault(worker_id, RemoteWorker(id=worker_id, heard_at=now))
        worker.heard_at = now
        return worker

    def ping(self, worker_id: str, job_ids: Iterable[str]) -> None:
        """It is told again to stop a job that it still names: the SDK ignores the order for a job
        that it has taken and not begun."""
        worker = self.hear(worker_id)
        worker.pings += 1
        for job_id in job_ids:
            if self.holds(worker_id, job_id):
                self.name(job_id)
            elif job_id in worker.jobs_not_its_own:
                self._stop(job_id, (worker_id,))

    def name(self, job_id: str) -> None:
        self._held[job_id].named_at = time.monotonic()

    def holds(self, worker_id: str, job_id: str) -> bool:
        held = self._held.get(job_id)
        return held is not None and worker_id in held.workers and not held.answer.done()

    def took(self, worker_id: str, job_id: str) -> None:
        """An order to stop that was meant for an earlier execution must not hit this one."""
        worker = self.hear(worker_id)
        worker.jobs_to_stop[:] = [one for one in worker.jobs_to_stop if one != job_id]
        worker.jobs_not_its_own.discard(job_id)

    def is_wanted_twice(self, worker_id: str, job_id: str) -> bool:
        """One worker runs it, and it is another one."""
        held = self._held.get(job_id)
        return held is not None and len(held.workers) == 1 and worker_id not in held.workers

    def join(self, worker_id: str, job_id: str) -> None:
        self._held[job_id].workers.add(worker_id)

    def report(self, job_id: str, answer: Answer) -> None:
        self._held[job_id].answer.set_result(answer)

    async def wait_for_stops(self, worker_id: str, seconds: float) -> list[str]:
        """The jobs that this worker is to give up, each told once; none after so many real seconds."""
        stops = self.hear(worker_id).jobs_to_stop
        ends_at = time.monotonic() + seconds
        while not stops and not self._bell.is_over and (left := ends_at - time.monotonic()) > 0:
            await self._bell.wait(left)
        told = list(stops)
        stops.clear()
        return told

    def health(self) -> dict[str, int]:
        """Those heard lately, as /health counts workers."""
        since = time.monotonic() - self._timeout_seconds
        alive = [worker for worker in self.workers.values() if worker.heard_at > since]
        ready = {worker.id for worker in alive if not worker.is_unhealthy}
        busy = {worker for held in self._held.values() for worker in held.workers} & ready
        return {
            "idle": len(ready) - len(busy),
            "initializing": 0,
            "ready": len(ready),
            "running": len(busy),
            "throttled": 0,
            "unhealthy": len(alive) - len(ready),
        }

    def _stop(self, job_id: str, worker_ids: Iterable[str]) -> None:
        for worker_id in worker_ids:
            worker = self.workers[worker_id]
            worker.jobs_not_its_own.add(job_id)
            if job_id not in worker.jobs_to_stop:
                worker.jobs_to_stop.append(job_id)
        self._bell.ring()


def _spoiled(answer: Answer, task: Task) -> Answer:
    """Scenarios about the model's text hold for one in OpenAI's shape, whoever wrote it."""
    match answer.output:
        case [{"choices": [{}, *_]} as completion]:
            changed = shapes.spoiled(completion, length_fraction=task.length_fraction, cut=task.cut)
            return replace(answer, output=[changed])
    return answer

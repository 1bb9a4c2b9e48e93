"""Workers that start, take requests from RunPod's queue and stop: what is billed, and how long jobs wait.

Transcripts arrive by chance (Poisson) from a seed. A round's requests are queued at once, and the next
round a moment after its last answer. A worker takes as many as it has room for; where something has waited
for as long as the queue-delay scaler allows, another worker starts, at most one in that time. It is billed
from its start until it has been idle for the idle timeout.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.costs.gpu import Card, Gpu
from benchmarks.costs.work import ModelRequest, Rounds, of_job

_NEVER = float("inf")
_A_MOMENT = 1e-6


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """An endpoint, as far as it decides dollars and waits."""

    card: Card
    least_workers: int = 0  # active: always up, and billed always
    most_workers: int = 3
    idle_timeout_seconds: float = 5
    cold_start_seconds: float = 60
    queue_delay_seconds: float = 4
    between_rounds_seconds: float = (
        1.0  # the last answer, until the next round's requests are queued
    )
    jobs_at_once: int = 0  # pull mode: a worker takes whole jobs, so many at once; 0 is push mode


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a fleet did in some hours."""

    jobs: int
    seconds: float
    flex_seconds: float  # billed of workers that come and go
    active_seconds: float  # billed of workers that are always up
    busy_seconds: float
    starts: int
    waits: Sequence[float]  # of each job, from the upload to the summary, ascending
    callbacks: Sequence[float]  # when each answer was there

    def wait(self, share: float) -> float:
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))]

    @property
    def busy_share(self) -> float:
        return self.busy_seconds / (self.flex_seconds + self.active_seconds)


@dataclass
class _Worker:
    gpu: Gpu[int]
    started_at: float
    ready_at: float
    is_active: bool
    stop_at: float = _NEVER  # if nothing comes until then
    next_end: float = _NEVER  # of its next answer
    jobs: int = 0  # pull mode: that it has taken


@dataclass
class _Running:
    """A run of a fleet."""

    fleet: Fleet
    rounds: Rounds
    chance: random.Random
    now: float = 0.0
    coming: list[tuple[float, int]] = field(default_factory=list)  # jobs, whose next round begins
    queue: deque[tuple[float, int, ModelRequest | None]] = field(default_factory=deque)
    home: dict[int, _Worker] = field(default_factory=dict)  # pull mode: who has a job
    workers: list[_Worker] = field(default_factory=list)
    work: dict[int, deque[tuple[ModelRequest, ...]]] = field(default_factory=dict)
    left: Counter[int] = field(default_factory=Counter)  # answers of a job's round
    waits: list[float] = field(default_factory=list)
    callbacks: list[float] = field(default_factory=list)
    flex_seconds: float = 0.0
    busy_seconds: float = 0.0
    starts: int = 0
    last_start: float = -_NEVER

    def run(self, at: Sequence[float]) -> Ran:
        for _ in range(self.fleet.least_workers):
            self._start(is_active=True)
        self.coming = list(zip(at, range(len(at)), strict=True))
        while (now := self._next_moment()) < _NEVER:
            self.now = max(now, self.now)
            self._finish()
            self._begin_rounds(at)
            self._hand_out()
            self._stop_idle()
            if self.now + _A_MOMENT >= self._next_start():
                self._start(is_active=False)
        self.busy_seconds += sum(each.gpu.busy_seconds for each in self.workers)
        return Ran(
            jobs=len(at),
            seconds=self.now,
            flex_seconds=self.flex_seconds,
            active_seconds=self.fleet.least_workers * self.now,
            busy_seconds=self.busy_seconds,
            starts=self.starts,
            waits=sorted(self.waits),
            callbacks=self.callbacks,
        )

    def _next_moment(self) -> float:
        """Return when something happens next, if nothing else comes."""
        moments = [self._next_start(), self.coming[0][0] if self.coming else _NEVER]
        for worker in self.workers:
            moments.append(min(worker.next_end, worker.stop_at))
            if self.queue and worker.ready_at > self.now:
                moments.append(worker.ready_at)
        return min(moments)

    def _next_start(self) -> float:
        """Return when another worker starts: what waits has waited for long, or nothing is up."""
        if not self.queue or len(self.workers) >= self.fleet.most_workers:
            return _NEVER
        if not self.workers:
            return self.now
        delay = self.fleet.queue_delay_seconds
        return max(self.queue[0][0] + delay, self.last_start + delay)

    def _start(self, *, is_active: bool) -> None:
        ready_at = self.now + (0 if is_active else self.fleet.cold_start_seconds)
        worker = _Worker(Gpu(self.fleet.card), self.now, ready_at, is_active)
        self.workers.append(worker)
        self._look_at(worker)
        self.last_start = self.now
        self.starts += not is_active

    def _finish(self) -> None:
        for worker in self.workers:
            if worker.next_end > self.now + _A_MOMENT:
                continue
            for job in worker.gpu.advance(self.now):
                self.callbacks.append(self.now)
                self.left[job] -= 1
                if not self.left[job]:
                    heapq.heappush(self.coming, (self.now + self._pause(job), job))
            self._look_at(worker)

    def _pause(self, job: int) -> float:
        """Return how long it takes until a job's next round begins; no time beside the model."""
        is_at_the_model = self.fleet.jobs_at_once or not self.work[job]
        return 0 if is_at_the_model else self.fleet.between_rounds_seconds

    def _begin_rounds(self, at: Sequence[float]) -> None:
        while self.coming and self.coming[0][0] <= self.now + _A_MOMENT:
            _, job = heapq.heappop(self.coming)
            work = self.work.setdefault(job, deque(of_job(self.rounds, job)))
            if not work:
                self._end(job, self.now - at[job])
            elif job in self.home:
                self._ask(self.home[job], job)
            elif self.fleet.jobs_at_once:
                self.queue.append((self.now, job, None))
            else:
                asked = work.popleft()
                self.left[job] = len(asked)
                self.queue.extend((self.now, job, each) for each in asked)

    def _end(self, job: int, wait: float) -> None:
        self.waits.append(wait)
        del self.work[job]
        if worker := self.home.pop(job, None):
            worker.jobs -= 1
            self._look_at(worker)

    def _ask(self, worker: _Worker, job: int) -> None:
        """Ask the next round of a job of the worker that has it as a whole."""
        worker.gpu.advance(self.now)
        asked = self.work[job].popleft()
        self.left[job] = len(asked)
        for request in asked:
            worker.gpu.take(request, job)
        self._look_at(worker)

    def _hand_out(self) -> None:
        """Let workers take what waits, in an order of chance, each as much as it has room for."""
        if not self.queue:
            return
        ready = [each for each in self.workers if each.ready_at <= self.now + _A_MOMENT]
        self.chance.shuffle(ready)
        for worker in ready:
            worker.gpu.advance(self.now)
            while self.queue and self._room(worker) > 0:
                _, job, request = self.queue.popleft()
                if request:
                    worker.gpu.take(request, job)
                else:
                    self.home[job] = worker
                    worker.jobs += 1
                    self._ask(worker, job)
            self._look_at(worker)

    def _room(self, worker: _Worker) -> int:
        if self.fleet.jobs_at_once:
            return self.fleet.jobs_at_once - worker.jobs
        return worker.gpu.room

    def _look_at(self, worker: _Worker) -> None:
        """Note what happens next on a worker."""
        end = worker.gpu.next_end
        worker.next_end = _NEVER if end is None else end
        is_idle = not (worker.gpu.requests or worker.jobs or worker.is_active)
        since = max(self.now, worker.ready_at)
        worker.stop_at = since + self.fleet.idle_timeout_seconds if is_idle else _NEVER

    def _stop_idle(self) -> None:
        for worker in [each for each in self.workers if each.stop_at <= self.now + _A_MOMENT]:
            self.workers.remove(worker)
            self.flex_seconds += self.now - worker.started_at
            self.busy_seconds += worker.gpu.busy_seconds


def arrivals(jobs: int, seconds: float, *, seed: int = 1) -> list[float]:
    """Return when so many transcripts arrive, by chance, in some seconds."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return sorted(chance.uniform(0, seconds) for _ in range(jobs))


def ran(fleet: Fleet, rounds: Rounds, at: Sequence[float], *, seed: int = 1) -> Ran:
    return _Running(fleet, rounds, random.Random(seed)).run(at)  # noqa: S311 - no secret

"""One card that reads prompts and writes answers for many requests at once, as vLLM does. Pure.

What is being written advances by one token of each request in a step, and a step is longer the more there
are. A prompt is read before its answer begins, and meanwhile nothing is written: vLLM mixes the two in one
step, which comes to the same sum. Parts of prompts that are still in the KV cache are not read again; what
nobody uses goes first. A request that does not fit waits.
"""

import heapq
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from benchmarks.costs.work import ModelRequest, Rounds, of_job
from cli.endpoint.catalogue import Pace
from cli.endpoint.gpu_time import step_seconds

Owner = TypeVar("Owner")
_A_MOMENT = 1e-6  # seconds, and steps: what floating point may be off


@dataclass(frozen=True, kw_only=True)
class Card:
    pace: Pace
    most_requests: int  # that a worker takes at once: MAX_CONCURRENCY


@dataclass
class Gpu(Generic[Owner]):
    """A card at work. Time is given from outside, in seconds, and never goes back."""

    card: Card
    now: float = 0.0
    busy_seconds: float = 0.0
    read_tokens: float = 0.0
    written_tokens: int = 0
    _to_read_seconds: float = 0.0
    _steps: float = 0.0  # since the beginning: what is written has advanced by so many tokens
    _running: list[tuple[float, int, Owner, ModelRequest]] = field(default_factory=list)
    _waiting: deque[tuple[Owner, ModelRequest]] = field(default_factory=deque)
    _cache: OrderedDict[int, float] = field(default_factory=OrderedDict)  # least used first
    _uses: Counter[int] = field(default_factory=Counter)
    _cached_tokens: float = 0.0
    _used_tokens: float = 0.0  # in the cache, of prompts whose answers are being written
    _writing_tokens: float = 0.0  # of answers; they grow, so half of what each will have
    _order: "count[int]" = field(default_factory=count)

    @property
    def requests(self) -> int:
        return len(self._running) + len(self._waiting)

    @property
    def room(self) -> int:
        return self.card.most_requests - self.requests

    @property
    def next_end(self) -> float | None:
        """Return when the next answer is there, if nothing else is taken until then."""
        if not self._running:
            return None
        return self.now + self._to_read_seconds + self._steps_left * self._step_seconds

    def take(self, request: ModelRequest, owner: Owner) -> None:
        self._waiting.append((owner, request))
        self._admit()

    def advance(self, to: float) -> list[Owner]:
        """Go on until then; return whose answers are there."""
        ended: list[Owner] = []
        while self._running and (end := self.next_end) is not None and end <= to + _A_MOMENT:
            self._spend(end - self.now)
            while self._running and self._steps_left <= _A_MOMENT:
                _, _, owner, request = heapq.heappop(self._running)
                self._release(request)
                ended.append(owner)
            self._admit()
        if self._running:
            self._spend(to - self.now)
        self.now = max(to, self.now)
        return ended

    @property
    def _steps_left(self) -> float:
        return self._running[0][0] - self._steps

    @property
    def _step_seconds(self) -> float:
        cached = self._used_tokens + self._writing_tokens
        return step_seconds(self.card.pace, len(self._running), cached)

    def _spend(self, seconds: float) -> None:
        reading = min(seconds, self._to_read_seconds)
        self._to_read_seconds -= reading
        self._steps += (seconds - reading) / self._step_seconds
        self.busy_seconds += seconds
        self.now += seconds

    def _admit(self) -> None:
        while self._waiting and self._fits(self._waiting[0][1]):
            owner, request = self._waiting.popleft()
            self._read(request)
            end = self._steps + request.written_tokens
            heapq.heappush(self._running, (end, next(self._order), owner, request))

    def _fits(self, request: ModelRequest) -> bool:
        new = sum(tokens for name, tokens in request.prompt if name not in self._uses)
        wanted = self._used_tokens + new + self._writing_tokens + request.written_tokens / 2
        return wanted <= self.card.pace.kv_cache_tokens or not self._running

    def _read(self, request: ModelRequest) -> None:
        missing = sum(tokens for name, tokens in request.prompt if name not in self._cache)
        self._to_read_seconds += missing / self.card.pace.read_tokens_per_second
        self.read_tokens += missing
        self.written_tokens += request.written_tokens
        self._writing_tokens += request.written_tokens / 2
        for name, tokens in request.prompt:
            self._cached_tokens += 0 if name in self._cache else tokens
            self._used_tokens += 0 if name in self._uses else tokens
            self._cache[name] = tokens
            self._cache.move_to_end(name)
            self._uses[name] += 1
        self._forget()

    def _forget(self) -> None:
        """Drop what nobody uses, longest unused first, until what is used has its room."""
        surplus = self._cached_tokens + self._writing_tokens - self.card.pace.kv_cache_tokens
        dropped: list[int] = []
        for name, tokens in self._cache.items():
            if surplus <= 0:
                break
            if name not in self._uses:
                dropped.append(name)
                surplus -= tokens
        for name in dropped:
            self._cached_tokens -= self._cache.pop(name)

    def _release(self, request: ModelRequest) -> None:
        self._writing_tokens -= request.written_tokens / 2
        for name, tokens in request.prompt:
            self._uses[name] -= 1
            if not self._uses[name]:
                del self._uses[name]
                self._used_tokens -= tokens


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a card took for some jobs that came at once."""

    jobs: int
    seconds: float
    read_tokens: float
    written_tokens: int

    @property
    def gpu_seconds(self) -> float:
        """For one summary."""
        return self.seconds / self.jobs


def taken(rounds: Rounds, card: Card, *, jobs: int = 1) -> Taken:
    """Return what a card takes for so many alike jobs that come at once, with nothing between rounds."""
    work = [of_job(rounds, job) for job in range(jobs)]
    gpu: Gpu[int] = Gpu(card)
    outside: deque[tuple[int, ModelRequest]] = deque()
    left, at_round = Counter[int](), Counter[int]()

    def ask(job: int) -> None:
        asked = work[job][at_round[job]]
        left[job] = len(asked)
        outside.extend((job, each) for each in asked)

    for job in range(jobs):
        ask(job)
    while outside or gpu.requests:
        while outside and gpu.room > 0:
            job, request = outside.popleft()
            gpu.take(request, job)
        end = gpu.next_end
        assert end is not None
        for job in gpu.advance(end):
            left[job] -= 1
            if not left[job]:
                at_round[job] += 1
                if at_round[job] < len(work[job]):
                    ask(job)
    return Taken(
        jobs=jobs,
        seconds=gpu.now,
        read_tokens=gpu.read_tokens,
        written_tokens=gpu.written_tokens,
    )

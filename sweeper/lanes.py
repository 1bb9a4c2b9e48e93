"""Runs work in threads within a time budget, whatever the work waits for.

A lane has threads of its own, so work that hangs holds up its own lane and no other. Work is begun only
while there is time for it to end; what has not ended when the time is up is left to itself. That is safe
here, for whoever dies in the middle of a look leaves a call that is due.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from core.errors import RunPodBusy, RunPodError

T = TypeVar("T")


class Lane(Generic[T]):
    """Work waiting for a thread, in order, and the work that has one."""

    def __init__(
        self, threads: int, *, longest_seconds: float, pace: Callable[[], None] = lambda: None
    ) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._threads = threads
        self._longest_seconds = longest_seconds  # what one piece of work may take
        self._pace = pace  # returns when the next may begin
        self._waiting: deque[Callable[[], T]] = deque()
        self._running: set[Future[T]] = set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def unfinished(self) -> int:
        return len(self._waiting) + len(self._running)

    def add(self, work: Callable[[], T]) -> None:
        self._waiting.append(work)

    def begin(self, seconds_left: Callable[[], float]) -> set[Future[T]]:
        """Give each free thread its work while there is time; return what is running."""
        while (
            self._waiting
            and len(self._running) < self._threads
            and seconds_left() >= self._longest_seconds
        ):
            self._pace()
            self._running.add(self._pool.submit(self._waiting.popleft()))
        return self._running

    def release(self, done: set[Future[T]]) -> None:
        self._running -= done

    def stop(self) -> None:
        """Wait for nobody: a thread that hangs would take the whole function with it."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def as_completed(
    lanes: Sequence[Lane[T]], seconds_left: Callable[[], float]
) -> Iterator[Future[T]]:
    """Yield work as it ends, until there is none or the time is up. Work may be added meanwhile."""
    while running := {future for lane in lanes for future in lane.begin(seconds_left)}:
        done = wait(running, timeout=max(seconds_left(), 0), return_when=FIRST_COMPLETED).done
        if not done:
            return
        for lane in lanes:
            lane.release(done)
        yield from done


def paced(
    per_second: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Callable[[], None]:
    """Return a function that returns at most so often a second, however many threads call it."""
    lock = threading.Lock()
    next_turn = 0.0

    def pace() -> None:
        nonlocal next_turn
        with lock:
            now = clock()
            turn = max(next_turn, now)
            next_turn = turn + 1 / per_second
        sleep(turn - now)

    return pace


class CircuitOpen(RunPodBusy):
    """RunPod has failed so often in a row that it is asked no more for now."""


class Circuit:
    """Lets requests to RunPod through until a number of them in a row have failed.

    Threads share it without a lock: a count that is one off does no harm.
    """

    def __init__(self, *, failures_in_a_row: int) -> None:
        self._allowed = failures_in_a_row
        self._failed = 0

    def through(self, request: Callable[[], T]) -> T:
        """Return what the request returns. Raises what it raises, and CircuitOpen."""
        if self._failed >= self._allowed:
            raise CircuitOpen("RunPod failed again and again; it is asked again in the next sweep")
        try:
            answer = request()
        except RunPodError:
            self._failed += 1
            raise
        if self._failed < self._allowed:
            self._failed = 0
        return answer

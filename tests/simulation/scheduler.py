"""Runs functions in turn: an invocation runs until it reaches for the outside world, and waits there.

The functions' code is synchronous and knows nothing of this. Each invocation, and each task of a thread
pool in it, is a greenlet. Every request to the outside world goes through `outside`, which yields twice:
while the request is on its way and while the answer is. Meanwhile others run, the invocation may be
killed, or the request may fail. So one thread runs any number of Lambdas, in the order of the agenda.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
R = TypeVar("R")


class Killed(BaseException):
    """The execution environment died: nothing in it runs again."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    name: str
    error: Callable[[], BaseException]
    has_effect: bool  # it fails after it was carried out
    kills: bool = False


@dataclass(frozen=True)
class Repeated:
    """The answer is lost, and the SDK sends the same request again."""

    name: str = "sent twice"


class Surroundings(Protocol):
    """What an invocation needs of the simulation around it."""

    def after(self, delay_seconds: float, what: Callable[[], None]) -> None:
        """Do something later."""

    def latency_seconds(self) -> float:
        """Return how long a request, or its answer, is on its way."""

    def fault(self, service: str, operation: str) -> Fault | Repeated | None:
        """Return what goes wrong with this request."""

    def seconds(self) -> float:
        """Return the simulated time."""

    def record(self, who: str, what: str) -> None:
        """Add a line to the history."""

    def check_step(self) -> None:
        """Check every invariant."""


class SimulatedThread(greenlet):
    """One thread of an invocation."""

    def __init__(self, invocation: "Invocation", run: Callable[[], None]) -> None:
        super().__init__(run, parent=invocation.hub)
        self.invocation = invocation


@dataclass
class Invocation:
    """One run of a function."""

    name: str
    simulation: Surroundings
    environment: Any
    ends_at_seconds: float  # its timeout
    on_end: Callable[[Any, BaseException | None], None]
    hub: greenlet = field(default_factory=getcurrent)
    is_dead: bool = False
    _parked: list[SimulatedThread] = field(default_factory=list)
    _tasks: int = 0

    def number_a_task(self) -> int:
        self._tasks += 1
        return self._tasks

    def start(self, handler: Callable[[], Any]) -> None:
        def run() -> None:
            result, error = None, None
            try:
                result = handler()
            except (Killed, Exception) as exc:
                error = exc
            self.is_dead = True  # Lambda freezes its threads, perhaps for ever
            self.on_end(result, error)

        SimulatedThread(self, run).switch()

    def reach(
        self, service: str, operation: str, effect: Callable[[], T], again: Callable[[], T] | None
    ) -> T:
        if self.is_dead:
            raise Killed
        what = f"{service} {operation}"
        fault = self.simulation.fault(service, operation)
        if fault:
            self.simulation.record(self.name, f"{what}: {fault.name}")
        self._pause()
        if isinstance(fault, Fault) and not fault.has_effect:
            self._fail(fault)
        result = effect()
        self.simulation.record(self.name, what)
        self.simulation.check_step()
        self._pause()
        if isinstance(fault, Fault):
            self._fail(fault)
        if isinstance(fault, Repeated) and again:
            result = again()
            self.simulation.check_step()
            self._pause()
        return result

    def hang(self, seconds: float) -> None:
        """Wait for an answer that does not come."""
        self._pause(seconds)

    def park(self) -> None:
        """Wait until some task of the invocation has ended."""
        thread = getcurrent()
        assert isinstance(thread, SimulatedThread)
        self._parked.append(thread)
        self.hub.switch()

    def wake(self) -> None:
        parked, self._parked = self._parked, []
        for thread in parked:
            self.simulation.after(0, thread.switch)

    def _fail(self, fault: Fault) -> None:
        self.is_dead = self.is_dead or fault.kills
        raise fault.error()

    def _pause(self, seconds: float | None = None) -> None:
        if not self.is_dead:
            pause = self.simulation.latency_seconds() if seconds is None else seconds
            self.simulation.after(pause, getcurrent().switch)
            self.hub.switch()
        if self.simulation.seconds() >= self.ends_at_seconds and not self.is_dead:
            self.simulation.record(self.name, "timed out")
            self.is_dead = True
        if self.is_dead:
            raise Killed


def here() -> Invocation:
    """Return the invocation whose code is running."""
    thread = getcurrent()
    assert isinstance(thread, SimulatedThread)
    return thread.invocation


def outside(
    service: str, operation: str, effect: Callable[[], T], *, again: Callable[[], T] | None = None
) -> T:
    """Make a request. `again` is the effect of sending it once more, if not the same."""
    return here().reach(service, operation, effect, again)


class Future:
    """As concurrent.futures.Future, with an order of its own, so that sets of them have one."""

    def __init__(self, number: int) -> None:
        self._number = number  # within its invocation
        self._result: Any = None
        self._exception: BaseException | None = None
        self.is_done = False

    def __hash__(self) -> int:
        return self._number

    def result(self) -> Any:
        self._await()
        if self._exception:
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        self._await()
        return self._exception

    def run(self, work: Callable[[], Any]) -> None:
        try:
            self._result = work()
        except BaseException as exc:
            self._exception = exc
        self.is_done = True

    def _await(self) -> None:
        while not self.is_done:
            here().park()


class Pool:
    """As concurrent.futures.ThreadPoolExecutor, with greenlets for threads."""

    def __init__(self, max_workers: int) -> None:
        self._invocation = here()
        self._free = max_workers
        self._queue: list[tuple[Future, Callable[[], Any]]] = []
        self._all: list[Future] = []

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._all:
            future.exception()

    def submit(self, work: Callable[..., Any], *args: Any) -> Future:
        future = Future(self._invocation.number_a_task())
        self._all.append(future)
        self._queue.append((future, lambda: work(*args)))
        self._start_next(here())
        return future

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        """Don't wait, as the sweeper asks; what still runs dies with the invocation."""
        assert not wait
        assert cancel_futures
        self._queue.clear()

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        futures = [self.submit(work, item) for item in items]
        return (future.result() for future in futures)

    def _start_next(self, invocation: Invocation) -> None:
        if not self._free or not self._queue:
            return
        self._free -= 1
        future, work = self._queue.pop(0)

        def run() -> None:
            future.run(work)
            self._free += 1
            self._start_next(invocation)
            invocation.wake()

        invocation.simulation.after(0, SimulatedThread(invocation, run).switch)


class Waited(NamedTuple):
    done: set[Future]
    not_done: set[Future]


def wait(
    futures: Iterable[Future], timeout: float | None = None, return_when: str = "ALL_COMPLETED"
) -> Waited:
    """As concurrent.futures.wait."""
    invocation = here()
    every = sorted(futures, key=hash)
    enough = any if return_when == "FIRST_COMPLETED" else all
    until = float("inf") if timeout is None else invocation.simulation.seconds() + timeout
    if timeout is not None:
        invocation.simulation.after(timeout, invocation.wake)
    while every and not enough(future.is_done for future in every):
        if invocation.simulation.seconds() >= until:
            break
        invocation.park()
    done = {future for future in every if future.is_done}
    return Waited(done, set(every) - done)

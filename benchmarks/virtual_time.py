"""The functions' own code on a clock that only requests and computing move.

An invocation, and each thread of it, is a greenlet of tests/simulation/scheduler.py. What would wait
outside (DynamoDB, RunPod) calls `spend` instead, and what would compute calls `Processor.compute`; so
minutes with thousands of requests pass in seconds, and always alike.

How long things take is an assumption, stated here once. Of AWS: what its pages and common measurements
give within a region. Of RunPod: what its own examples show for `/run` and `/status`. A new connection is
two round trips more, for TCP and TLS 1.3.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar
from unittest.mock import patch

from tests.simulation.agenda import Agenda
from tests.simulation.scheduler import Invocation, Pool, here, wait

T = TypeVar("T")

READ_SECONDS = 0.005  # DynamoDB: GetItem, Query of a page
BATCH_READ_SECONDS = 0.012  # a hundred items
WRITE_SECONDS = 0.007
TRANSACTION_SECONDS = 0.020
S3_SECONDS = 0.030
SQS_SECONDS = 0.010
RUNPOD_SECONDS = 0.100
NEW_CONNECTION_SECONDS = 0.060

SECONDS_OF = {
    "Query": READ_SECONDS,
    "GetItem": READ_SECONDS,
    "BatchGetItem": BATCH_READ_SECONDS,
    "UpdateItem": WRITE_SECONDS,
    "PutItem": WRITE_SECONDS,
    "TransactWriteItems": TRANSACTION_SECONDS,
    "status": RUNPOD_SECONDS,
}

SECONDS_OF_SERVICE = {
    "dynamodb": WRITE_SECONDS,
    "s3": S3_SECONDS,
    "sqs": SQS_SECONDS,
    "secretsmanager": 0.020,
    "events": 0.020,
}

_OURS = ("core", "submitter", "sweeper", "webhook_receiver")


class VirtualTime(Agenda):
    """The clock and the agenda: what the scheduler calls the surroundings."""

    def latency_seconds(self) -> float:
        return 0.0

    def fault(self, _service: str, _operation: str) -> None:
        return None

    def record(self, _who: str, _what: str) -> None: ...

    def check_step(self) -> None: ...

    def invoke(
        self,
        handler: Callable[[], T],
        *,
        timeout_seconds: float,
        on_end: Callable[[T | None, BaseException | None], None] = lambda _result, _error: None,
    ) -> Invocation:
        """Begin an invocation now. It is killed once its time is up, as by Lambda."""
        invocation = Invocation(
            name="function",
            simulation=self,
            environment=None,
            ends_at_seconds=self.now_seconds + timeout_seconds,
            on_end=on_end,
        )
        self.after(0, lambda: invocation.start(handler))
        return invocation

    def result_of(self, handler: Callable[[], T], *, timeout_seconds: float) -> T:
        """Run one invocation to its end and return what it returned; the clock stands at its end."""
        ended: list[tuple[T | None, BaseException | None]] = []
        self.invoke(
            handler,
            timeout_seconds=timeout_seconds,
            on_end=lambda result, error: ended.append((result, error)),
        )
        self.run(until=lambda: bool(ended))
        result, error = ended[0]
        if error:
            raise error
        return result  # type: ignore[return-value]

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Do what is on the agenda, until there is nothing or something holds."""
        while not until() and self.do_next():
            pass


def spend(seconds: float) -> None:
    """Wait for an answer; others run meanwhile."""
    here().hang(seconds)


@dataclass
class Processor:
    """The processor of one invocation, which its threads share: Python runs one of them at a time."""

    virtual_processors: float = 1.0  # what Lambda gives for the memory: 1 for 1,769 MB
    _free_at_seconds: float = 0.0

    def compute(self, seconds: float) -> None:
        now = here().simulation.seconds()
        begins = max(now, self._free_at_seconds)
        self._free_at_seconds = begins + seconds / min(self.virtual_processors, 1.0)
        spend(self._free_at_seconds - now)


@contextmanager
def threads_in_virtual_time() -> Iterator[None]:
    """Make the functions' thread pools ones of greenlets."""
    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] not in _OURS:
                continue
            for what, instead in (("ThreadPoolExecutor", Pool), ("wait", wait), ("time", _Clock)):
                if hasattr(module, what):
                    stack.enter_context(patch.object(module, what, instead))
            for adapter in vars(module).values():
                defaults = getattr(getattr(adapter, "__init__", None), "__kwdefaults__", None)
                if defaults and "sleep" in defaults:
                    stack.enter_context(patch.dict(defaults, sleep=spend))
        yield


class _Clock:
    """What the functions use of the module `time`."""

    @staticmethod
    def sleep(seconds: float) -> None:
        spend(max(seconds, 0.0))

    @staticmethod
    def monotonic() -> float:
        return here().simulation.seconds()

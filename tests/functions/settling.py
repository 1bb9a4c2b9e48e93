"""What it takes to settle a report: a store, S3 and a queue in memory, and functions that die."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.jobs.callback import CallRef
from core.jobs.settle import Settlement, Settler
from core.runpod.reports import RunPodReport
from tests.builders import JOB_ID, NOON, minutes
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryS3
from tests.functions.use_cases import UseCases

KEY = ("out", "summaries/calls/harbour board.txt")
FACTS_KEY = "summaries/calls/harbour board.json"


def a_ref(attempt: int = 1) -> CallRef:
    return CallRef(JOB_ID, "whole", attempt)


@dataclass
class LifecycleSetup:
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)

    def settler(self, by: str = "webhook_receiver") -> Settler:
        use_cases = UseCases(store=self.store, s3=self.s3, queue=self.queue, clock=lambda: NOON)
        return use_cases.settler(by)

    def settle(self, report: RunPodReport, attempt: int = 1) -> Settlement:
        return self.settler().settle(a_ref(attempt), report, now=NOON + minutes(2))

    @property
    def summary(self) -> str | None:
        stored = self.s3.objects.get(KEY)
        return stored.body.decode() if stored else None

    @property
    def states(self) -> tuple[str, str]:
        job, call = self.store.load(JOB_ID, "whole")
        return job.state.value, call.state.value

    def audit(self) -> list[str]:
        return [event.what for event in self.store.history(JOB_ID)[2]]


class Killed(BaseException):
    """The function dies here."""


def dying_at(target: Any, method: str, *, after: bool, time: int = 1) -> Callable[[], None]:
    """Make a method of an object die when it is called for the n-th time, before or after its effect.

    Returns the cure.
    """
    real = getattr(target, method)
    times = itertools.count(1)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if next(times) != time:
            return real(*args, **kwargs)
        if after:
            real(*args, **kwargs)
        raise Killed

    setattr(target, method, dying)
    return lambda: setattr(target, method, real)

"""Sweeps of thousands of due calls among a million jobs, beside RunPod's own limit for `/status`.

The sweeper's own code over its real store, on virtual time (benchmarks/virtual_time.py): the table is a
client that has what is due (benchmarks/due_table.py), RunPod answers each poll that it is at it, and
answers 429 where it does. The processor's share is measured in this run. How true the model is shows one
sweep for real, over HTTP, of the same code.

    python -m benchmarks.measures.sweep 1000 10000 30000
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from benchmarks.answering import answering
from benchmarks.due_table import DueTable
from benchmarks.figures import Figure
from benchmarks.own_time import OwnSeconds, own_seconds, runpod_at, store_at
from benchmarks.virtual_time import (
    RUNPOD_SECONDS,
    SECONDS_OF,
    Processor,
    VirtualTime,
    spend,
    threads_in_virtual_time,
)
from core import wiring
from core.aws.job_store import DynamoJobStore
from core.errors import RunPodBusy
from core.runpod.reports import RunPodReport, parse_report
from runpod_simulator.config import Config
from runpod_simulator.rate_limits import RateLimiter
from sweeper.app import CANCELS_PER_SECOND, POLLS_PER_SECOND, SECONDS_TO_TELL
from sweeper.lanes import paced
from sweeper.results import SweepOutcome
from tests.builders import status_body
from tests.fakes.memory import MemoryQueue, MemoryRunPod, MemoryS3
from tests.functions.use_cases import UseCases

TIMEOUT_SECONDS = 120.0  # as in template.yaml
_SECONDS_BETWEEN = 120.0
_JOBS = 1_000_000
_REAL_DUE = 500
_RUNNING = parse_report(status_body("IN_PROGRESS"))
_STATUS_PER_SECOND = Config().status_limit.per_10_seconds / 10


@dataclass
class PacedRunPod(MemoryRunPod):
    """Answers as soon as RunPod does, and 429 where it does."""

    time: VirtualTime = field(default_factory=VirtualTime)
    processor: Processor = field(default_factory=Processor)
    own_seconds: float = 0.0
    refused: int = 0
    polls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._limiter = RateLimiter(Config().status_limit)

    def status(self, runpod_id: str) -> RunPodReport:
        self.processor.compute(self.own_seconds)
        self.polls[runpod_id] += 1
        if not self._limiter.acquire(self.time.now_seconds):
            self.refused += 1
            spend(RUNPOD_SECONDS)
            raise RunPodBusy("429")
        spend(RUNPOD_SECONDS)
        self._limiter.release()
        return _RUNNING


@dataclass(frozen=True)
class Swept:
    due: int
    jobs: int
    sweeps: int
    seconds: float  # of work, in all sweeps
    longest_seconds: float
    requests: Counter[str]
    refused: int
    looked_at: int
    order: tuple[str, ...] = field(
        repr=False
    )  # what was polled, as it was; longest overdue has number 0

    @property
    def floor_seconds(self) -> float:
        return self.due / _STATUS_PER_SECOND


def swept(due: int, jobs: int, own: OwnSeconds) -> Swept:
    """Sweep until nothing is due that was at the first sweep's begin."""
    time = VirtualTime()
    now = time.now()
    table = DueTable(jobs=jobs, due=due, now=now)
    runpod = PacedRunPod(time=time, own_seconds=own.poll)
    taken: list[float] = []
    found: Counter[SweepOutcome] = Counter()
    with threads_in_virtual_time():
        while runpod.polls.total() - runpod.refused < due:
            begun = time.now_seconds
            processor = runpod.processor = Processor()
            table.request = _request(processor, own)
            found += time.result_of(
                lambda: _sweep(time, table, runpod),
                timeout_seconds=TIMEOUT_SECONDS,
            )
            taken.append(time.now_seconds - begun)
            time.now_seconds = max(time.now_seconds, begun + _SECONDS_BETWEEN)
    return Swept(
        due=due,
        jobs=jobs,
        sweeps=len(taken),
        seconds=sum(taken),
        longest_seconds=max(taken),
        requests=table.requests,
        refused=runpod.refused,
        looked_at=found.total() - found[SweepOutcome.LEFT],
        order=tuple(runpod.polls),
    )


def _request(processor: Processor, own: OwnSeconds):  # type: ignore[no-untyped-def]
    def request(operation: str, items: int) -> None:
        each = own.write if operation == "UpdateItem" else own.read
        processor.compute(items * each)
        spend(SECONDS_OF[operation])

    return request


def _sweep(time: VirtualTime, table: DueTable, runpod: PacedRunPod) -> Counter[SweepOutcome]:
    begun = time.now_seconds
    use_cases = UseCases(
        store=DynamoJobStore(table, "jobs"),  # type: ignore[arg-type]
        s3=MemoryS3(),
        queue=MemoryQueue(),
        clock=time.now,
    )
    sweeper = use_cases.sweeper(runpod=runpod, poll_interval=timedelta(minutes=10))
    looks = sweeper.sweep(
        pace=paced(POLLS_PER_SECOND, clock=time.seconds, sleep=spend),
        cancel_pace=paced(CANCELS_PER_SECOND, clock=time.seconds, sleep=spend),
        seconds_left=lambda: begun + TIMEOUT_SECONDS - SECONDS_TO_TELL - time.now_seconds,
    )
    return Counter(look.outcome for look in looks)


def really_swept(due: int) -> float:
    """Sweep over HTTP, with a server that takes as long as the model supposes; return the seconds."""
    with answering(due, is_patient=True) as address:
        use_cases = UseCases(
            store=store_at(address), s3=MemoryS3(), queue=MemoryQueue(), clock=wiring.now
        )
        runpod = runpod_at(address)
        sweeper = use_cases.sweeper(runpod=runpod, poll_interval=timedelta(minutes=10))
        begun = monotonic()
        with runpod.keeping_connections():
            found = Counter(
                look.outcome
                for look in sweeper.sweep(
                    pace=paced(POLLS_PER_SECOND),
                    cancel_pace=paced(CANCELS_PER_SECOND),
                    seconds_left=lambda: begun + TIMEOUT_SECONDS - monotonic(),
                )
            )
        seconds = monotonic() - begun
    assert found == {SweepOutcome.STILL_RUNNING: due}, found
    return seconds


def figures() -> list[Figure]:
    own = own_seconds()
    few, many = (swept(due, _JOBS, own) for due in (1_000, 10_000))
    real = really_swept(_REAL_DUE)
    return [
        _figure(few),
        _figure(many),
        Figure(
            group="Queues",
            name="its requests of DynamoDB, per due call",
            value=many.requests.total() / many.due,
            unit="requests",
            most=1.1,
            note="the same however many jobs there are: the index holds what is due",
        ),
        Figure(
            group="Queues",
            name=f"a sweep of {_REAL_DUE:,} over HTTP",
            value=real,
            unit="s",
            beside="the same by the model",
            beside_value=swept(_REAL_DUE, _JOBS, own).seconds,
            note="shows whether the model of the two above holds, on a machine with nothing else to do",
        ),
    ]


def _figure(each: Swept) -> Figure:
    return Figure(
        group="Queues",
        name=f"sweep of {each.due:,} due among {each.jobs:,} jobs",
        value=each.seconds,
        unit="s",
        beside="/status alone at RunPod's limit",
        beside_value=each.floor_seconds,
        most=1.3,
        note=f"{each.sweeps} sweep(s), the longest {each.longest_seconds:.0f} of its 120 s,"
        f" {each.refused} polls refused",
    )


def main(arguments: Sequence[str]) -> None:
    for due in map(int, arguments):
        print(swept(due, _JOBS, own_seconds()))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Which deployment for how many transcripts a day: dollars and waits, by simulation.

A day's transcripts of 10,000 words arrive by chance within eight hours. The card is an H100 with FP8
weights; a start takes a minute, or eight seconds where FlashBoot brings back a worker that was up not long
ago.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.costs.dollars import SUMMARIES
from benchmarks.costs.fleet import Fleet, Ran, arrivals, ran
from benchmarks.costs.measured import as_shipped, card
from benchmarks.costs.work import rounds_of, sample
from cli.endpoint.catalogue import catalogue

BUSY_HOURS = 8
COLD_SECONDS, FLASHBOOT_SECONDS = 60.0, 8.0
_PRECISION = "fp8"
_PART = 4


@dataclass(frozen=True, kw_only=True)
class Deployment:
    a_day: int
    how: str
    jobs: int  # that are simulated
    fleet: Fleet
    is_chosen: bool = False
    part: int = 1  # one in so many of the day's transcripts and workers is simulated

    def run(self) -> Ran:
        seconds = self.jobs / self.a_day * self.part * BUSY_HOURS * 3_600
        return ran(self.fleet, rounds_of(sample()), arrivals(self.jobs, seconds))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    deployment: Deployment
    billed_seconds: float  # for one summary
    busy_share: float
    dollars: float  # of GPUs, for 1,000 summaries
    median_wait: float
    p95_wait: float

    @property
    def dollars_a_day(self) -> float:
        return self.dollars * self.deployment.a_day / SUMMARIES


def price() -> float:
    """Return the dollars for a second of the card."""
    return catalogue().pools[card(_PRECISION).pace.pool].dollars_per_second


def outcome(deployment: Deployment) -> Outcome:
    done = deployment.run()
    billed = (done.flex_seconds + done.active_seconds) / done.jobs
    return Outcome(
        deployment=deployment,
        billed_seconds=billed,
        busy_share=done.busy_share,
        dollars=billed * price() * SUMMARIES,
        median_wait=done.wait(0.5),
        p95_wait=done.wait(0.95),
    )


def deployments() -> Iterator[Deployment]:
    yield from _rare()
    yield from _steady()
    yield from _many()


def fleet(
    workers: int,
    *,
    idle: float = 5,
    cold: float = COLD_SECONDS,
    whole_jobs: int = 0,
) -> Fleet:
    return Fleet(
        card=card(_PRECISION) if whole_jobs else as_shipped(_PRECISION),
        most_workers=workers,
        idle_timeout_seconds=idle,
        cold_start_seconds=cold,
        jobs_at_once=whole_jobs,
    )


def _rare() -> Iterator[Deployment]:
    for how, each, is_chosen in (
        ("3 workers, idle 5 s", fleet(3), False),
        ("1 worker, idle 5 s", fleet(1), False),
        ("1 worker, idle 60 s", fleet(1, idle=60), False),
        ("1 worker, idle 5 s, FlashBoot", fleet(1, cold=FLASHBOOT_SECONDS), True),
    ):
        yield Deployment(a_day=10, how=how, jobs=100, fleet=each, is_chosen=is_chosen)


def _steady() -> Iterator[Deployment]:
    for how, each, is_chosen in (
        ("3 workers, idle 5 s", fleet(3), False),
        ("1 worker, idle 5 s", fleet(1), False),
        ("1 worker, idle 60 s", fleet(1, idle=60), False),
        ("1 worker, idle 5 s, FlashBoot", fleet(1, cold=FLASHBOOT_SECONDS), False),
        ("1 worker, idle 60 s, FlashBoot", fleet(1, idle=60, cold=FLASHBOOT_SECONDS), True),
    ):
        yield Deployment(a_day=1_000, how=how, jobs=500, fleet=each, is_chosen=is_chosen)


def _many() -> Iterator[Deployment]:
    """Yield a quarter of a day's load, on a quarter of the workers, which are up already."""
    for workers, whole_jobs, is_chosen in (
        (24, 0, False),
        (32, 0, False),
        (24, 8, True),
        (32, 8, False),
    ):
        each = fleet(workers // _PART, idle=60, whole_jobs=whole_jobs)
        yield Deployment(
            a_day=100_000,
            how=f"{workers} workers, {'pull' if whole_jobs else 'push'} mode",
            jobs=600,
            fleet=replace(each, least_workers=each.most_workers),
            is_chosen=is_chosen,
            part=_PART,
        )

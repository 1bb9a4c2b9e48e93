"""Answers come in bursts, as a round's sections end together: what the API's throttle makes of them.

API Gateway's throttle is a bucket of tokens: so many are put in each second, so many fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.costs.deployments import BUSY_HOURS, fleet
from benchmarks.costs.dollars import template
from benchmarks.costs.fleet import arrivals, ran
from benchmarks.costs.work import rounds_of, sample

# Transcripts a day, the workers that keep up with them, and how many are simulated.
LOADS = (
    (1_000, 1, 100),
    (10_000, 4, 300),
    (50_000, 16, 500),
    (75_000, 24, 500),
    (100_000, 32, 500),
)


@dataclass(frozen=True, kw_only=True)
class Burst:
    a_day: int
    mean: float  # callbacks in a second
    most: int  # in any one second
    turned_away: float  # the share that is answered 429, and that RunPod sends again


def burst(a_day: int, workers: int, jobs: int) -> Burst:
    up = replace(fleet(workers, idle=60), least_workers=workers)
    seconds = jobs / a_day * BUSY_HOURS * 3_600
    at = ran(up, rounds_of(sample()), arrivals(jobs, seconds)).callbacks
    parameters = template()["Parameters"]
    return Burst(
        a_day=a_day,
        mean=len(at) / seconds,
        most=most_within(at, 1.0),
        turned_away=share_turned_away(
            at,
            rate=parameters["CallbackRatePerSecond"]["Default"],
            bucket=parameters["CallbackBurstRequests"]["Default"],
        ),
    )


def most_within(at: Sequence[float], seconds: float) -> int:
    """Return how many of some moments, in their order, lie within so many seconds at most."""
    most, first = 0, 0
    for last, moment in enumerate(at):
        while at[first] < moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def share_turned_away(at: Sequence[float], *, rate: float, bucket: float) -> float:
    tokens, before, turned_away = bucket, 0.0, 0
    for moment in at:
        tokens = min(bucket, tokens + (moment - before) * rate)
        before = moment
        if tokens >= 1:
            tokens -= 1
        else:
            turned_away += 1
    return turned_away / len(at) if at else 0.0

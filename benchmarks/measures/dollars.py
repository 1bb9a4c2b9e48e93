"""What 1,000 summaries of transcripts of 10,000 words cost, and what breaks first (benchmarks/costs/)."""

from collections.abc import Iterator

from benchmarks.costs.dollars import SUMMARIES, lines
from benchmarks.costs.gpu import taken
from benchmarks.costs.limits import per_job, reached
from benchmarks.costs.measured import PRECISIONS, as_shipped
from benchmarks.costs.usage import Usage, usage_of
from benchmarks.costs.work import rounds_of, sample
from benchmarks.figures import Figure
from cli.endpoint.catalogue import catalogue
from core.summaries.options import Strategy

GROUP = "Dollars"
WORDS = 10_000
_JOBS_AT_ONCE = 8


def figures() -> list[Figure]:
    usage = usage_of(WORDS)
    return [*_for_1000(usage), *_reached_first(usage)]


def gpu_dollars(precision: str, *, jobs: int, strategy: Strategy = Strategy.AUTO) -> float:
    """Return the dollars for 1,000 summaries on a card that is up and full: no starts, no idle time."""
    card = as_shipped(precision)
    seconds = taken(rounds_of(sample(), strategy), card, jobs=jobs).gpu_seconds
    return seconds * catalogue().pools[card.pace.pool].dollars_per_second * SUMMARIES


def _for_1000(usage: Usage) -> Iterator[Figure]:
    for precision in ("bf16", "fp8"):
        yield Figure(
            group=GROUP,
            name=f"GPU for 1,000 summaries, {PRECISIONS[precision]}, {_JOBS_AT_ONCE} at once",
            value=gpu_dollars(precision, jobs=_JOBS_AT_ONCE),
            unit="$",
            beside="as one answer, alone, bf16",
            beside_value=gpu_dollars("bf16", jobs=1, strategy=Strategy.SINGLE),
            note="an H100 that is up: starts and idle time come on top",
        )
    yield Figure(
        group=GROUP,
        name="AWS for 1,000 summaries",
        value=sum(line.dollars for line in lines(usage)),
        unit="$",
        beside=f"GPU, FP8, {_JOBS_AT_ONCE} at once",
        beside_value=gpu_dollars("fp8", jobs=_JOBS_AT_ONCE),
        note="beside what the stack costs in a month without any",
    )


def _reached_first(usage: Usage) -> Iterator[Figure]:
    found = reached(per_job(usage))
    for whose in ("parameter", "quota", "fixed"):
        first = next(each for each in found if each.whose == whose)
        yield Figure(
            group=GROUP,
            name=f"transcripts until the first {whose} is reached",
            value=round(first.a_day),
            unit="a day",
            beside=first.name,
            note=f"turn: {first.turn}",
        )

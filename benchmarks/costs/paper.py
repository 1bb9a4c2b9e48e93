"""The tables of docs/performance.md that are computed and not measured."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from benchmarks.costs.bursts import LOADS as LOADS_OF_BURSTS
from benchmarks.costs.bursts import burst
from benchmarks.costs.deployments import Outcome, deployments, outcome
from benchmarks.costs.dollars import Line, fixed, lines
from benchmarks.costs.gpu import Card, taken
from benchmarks.costs.kept import Table
from benchmarks.costs.limits import per_job, reached
from benchmarks.costs.measured import (
    LOADS,
    PRECISIONS,
    UNLIMITED,
    as_shipped,
    card,
    compared,
    scaled,
)
from benchmarks.costs.usage import Usage, usage_of
from benchmarks.costs.work import Rounds, made_up, rounds_of, sample
from benchmarks.figures import TIMES, number
from cli.endpoint.catalogue import catalogue
from core.summaries.options import Strategy

WORDS = (5_000, 10_000, 50_000, 100_000, 1_000_000)
_SUMMARIES = 1_000
_A_DAY = 10  # what grows tenfold, a thousandfold and so on
_STRATEGIES = {"one answer": Strategy.SINGLE, "in sections": Strategy.AUTO}


def computed(usages: Sequence[Usage], outcomes: Sequence[Outcome]) -> dict[str, Table]:
    usage = next(each for each in usages if each.words == 10_000)
    return {
        "gpu-seconds": gpu_seconds(),
        "model-off": model_off(),
        "gpu-dollars": gpu_dollars(),
        "aws-dollars": aws_dollars(usage),
        "dollars-by-words": dollars_by_words(usages),
        "stack-dollars": stack_dollars(),
        "deployments": deployed(outcomes),
        "limits": limits(usage),
        "growth": growth(usage),
        "bursts": bursts(),
    }


def outcomes() -> list[Outcome]:
    return [outcome(each) for each in deployments()]


def usages() -> list[Usage]:
    return [usage_of(words) for words in WORDS]


def gpu_seconds() -> Table:
    rows = [
        [PRECISIONS[precision], how, *(_seconds(way, on, jobs) for jobs in LOADS)]
        for precision in PRECISIONS
        for how, way, on in _ways(precision)
    ]
    return (
        ("", "GPU seconds for one summary, so many jobs at once", *map(str, LOADS)),
        rows,
        range(2, 8),
    )


def _ways(precision: str) -> Iterator[tuple[str, Rounds, Card]]:
    single, sections = (rounds_of(sample(), each) for each in _STRATEGIES.values())
    shipped = as_shipped(precision)
    yield "one answer", single, shipped
    yield f"in sections, {shipped.most_requests} requests at once", sections, shipped
    yield "in sections, as many as there are", sections, card(precision, UNLIMITED)


def _seconds(rounds: Rounds, on: Card, jobs: int) -> str:
    return f"{taken(rounds, on, jobs=jobs).gpu_seconds:.1f}"


def model_off() -> Table:
    rows = []
    for (way, precision), group in groupby(compared(), lambda each: (each.way, each.precision)):
        told = [f"{each.jobs}: {each.measured:g} → {each.modelled:.1f}" for each in group]
        rows.append([way.replace("_", " "), PRECISIONS[precision], "; ".join(told)])
    head = ("way", "weights", "jobs at once: GPU seconds as measured → as modelled")
    return head, rows, ()


def gpu_dollars() -> Table:
    rows = []
    for pool, precision, on, how in scaled():
        price = catalogue().pools[pool].dollars_per_second
        cells = []
        for strategy, jobs in ((Strategy.SINGLE, 1), (Strategy.AUTO, 1), (Strategy.AUTO, 8)):
            seconds = taken(rounds_of(sample(), strategy), on, jobs=jobs).gpu_seconds
            cells.append(f"${number(seconds * price * _SUMMARIES)}")
        rows.append(
            [catalogue().pools[pool].gpus, PRECISIONS[precision], how, f"{price:.5f}", *cells]
        )
    head = (
        "GPU",
        "weights",
        "how it is known",
        "$ a second",
        "one answer, alone",
        "in sections, alone",
        "in sections, 8 at once",
    )
    return head, rows, range(3, 7)


def aws_dollars(usage: Usage) -> Table:
    found = lines(usage)
    rows = [_line(each) for each in found]
    rows.append(["**all**", "", "", "", f"**${sum(each.dollars for each in found):.2f}**"])
    return ("service", "what", "for 1,000 summaries", "$ each", "dollars"), rows, (2, 3, 4)


def _line(each: Line) -> list[str]:
    return [
        each.service,
        each.what,
        number(each.number),
        f"{each.price:.3g}",
        f"${each.dollars:.4f}",
    ]


def dollars_by_words(usages: Sequence[Usage]) -> Table:
    price = catalogue().pools[card("fp8").pace.pool].dollars_per_second
    rows = []
    for usage in usages:
        rounds = rounds_of(made_up(usage.words), words=min(4_000, usage.words * 2 // 5))
        alone, shared = (
            taken(rounds, as_shipped("fp8"), jobs=jobs).gpu_seconds * price * _SUMMARIES
            for jobs in (1, 8)
        )
        by_service: dict[str, float] = {}
        for line in lines(usage):
            by_service[line.service] = by_service.get(line.service, 0) + line.dollars
        aws = sum(by_service.values())
        rest = aws - sum(by_service[each] for each in ("Lambda", "DynamoDB", "S3"))
        rows.append([
            f"{usage.words:,}", str(usage.calls), str(usage.rounds), f"${alone:.2f}", f"${shared:.2f}",
            *(f"${by_service[each]:.2f}" for each in ("Lambda", "DynamoDB", "S3")),
            f"${rest:.2f}", f"${aws:.2f}",
        ])  # fmt: skip
    head = (
        "words",
        "calls",
        "rounds",
        "GPU, alone",
        "GPU, 8 at once",
        "Lambda",
        "DynamoDB",
        "S3",
        "other",
        "AWS in all",
    )
    return head, rows, range(10)


def stack_dollars() -> Table:
    found = fixed()
    rows = [
        [each.what, number(each.number), f"{each.price:.3g}", f"${each.dollars:.2f}"]
        for each in found
    ]
    rows.append(["**a month**", "", "", f"**${sum(each.dollars for each in found):.2f}**"])
    return ("what", "a month", "$ each", "dollars"), rows, (1, 2, 3)


def deployed(found: Sequence[Outcome]) -> Table:
    rows = []
    for each in found:
        name = f"**{each.deployment.how}**" if each.deployment.is_chosen else each.deployment.how
        rows.append([
            f"{each.deployment.a_day:,}", name, f"{each.billed_seconds:.1f}", f"{each.busy_share:.0%}",
            f"${number(each.dollars)}", f"${number(each.dollars_a_day)}",
            f"{each.median_wait:.0f}", f"{each.p95_wait:.0f}",
        ])  # fmt: skip
    head = (
        "a day",
        "workers",
        "billed s each",
        "busy",
        "$ for 1,000",
        "$ a day",
        "median s",
        "p95 s",
    )
    return head, rows, (0, 2, 3, 4, 5, 6, 7)


def limits(usage: Usage) -> Table:
    rows = [
        [
            each.name,
            number(each.most),
            number(each.per_job),
            _rounded(each.a_day_in_busy_hours),
            _rounded(each.a_day),
            each.whose,
            each.turn,
        ]
        for each in reached(per_job(usage))
    ]
    head = (
        "limit",
        "most",
        "of one transcript",
        "a day, within 8 hours",
        "a day, evenly",
        "whose",
        "what an operator turns",
    )
    return head, rows, (1, 2, 3, 4)


def growth(usage: Usage) -> Table:
    """Return what is over its limit where there are so many times the transcripts."""
    found = reached(per_job(usage))
    rows = []
    for times in (10, 1_000, 10_000, 100_000):
        a_day = _A_DAY * times
        over = [each.name for each in found if each.a_day_in_busy_hours < a_day]
        rows.append([f"{times:,} {TIMES}", f"{a_day:,}", "; ".join(over) or "nothing"])
    return (
        (f"of {_A_DAY} a day", "a day", "what is over its limit, first what is reached first"),
        rows,
        (0, 1),
    )


def bursts() -> Table:
    rows = []
    for load in LOADS_OF_BURSTS:
        each = burst(*load)
        rows.append(
            [f"{each.a_day:,}", number(each.mean), str(each.most), f"{each.turned_away:.1%}"]
        )
    head = ("a day", "callbacks a second", "most in one second", "turned away at first")
    return head, rows, range(4)


def _rounded(a_day: float) -> str:
    return f"{float(f'{a_day:.2g}'):,.0f}"

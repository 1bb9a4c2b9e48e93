"""GPU seconds for one summary of 4,000 words, by a model of a card that was measured."""

from collections.abc import Iterator

from benchmarks.costs.gpu import taken
from benchmarks.costs.measured import PRECISIONS, as_shipped, compared, pace
from benchmarks.costs.work import SUMMARY_WORDS, largest_round, rounds_of, sample
from benchmarks.figures import Figure
from cli.endpoint.gpu_time import step_seconds
from core.summaries.options import Strategy
from tests.writing_model import TOKENS_PER_WORD

GROUP = "GPU"
_SHOWN = ("bf16", "fp8")
_MOST = {1: 0.2, 8: 0.35}
_WHERE_IT_GOES = (
    "outline and overview are written alone, and sections read their turns again; a worker's bound on"
    " requests (MAX_CONCURRENCY) is what eight jobs wait for"
)


def figures() -> list[Figure]:
    return [*_beside_one_answer(), *_beside_the_floor(), _how_far_off()]


def _beside_one_answer() -> Iterator[Figure]:
    in_sections, one_answer = rounds_of(sample()), rounds_of(sample(), Strategy.SINGLE)
    for precision in _SHOWN:
        card = as_shipped(precision)
        for jobs, most in _MOST.items():
            yield Figure(
                group=GROUP,
                name=f"a summary, {_where(jobs)}, {PRECISIONS[precision]}",
                value=taken(in_sections, card, jobs=jobs).gpu_seconds,
                unit="GPU s",
                beside=f"as one answer, {_where(jobs)}",
                beside_value=taken(one_answer, card, jobs=jobs).gpu_seconds,
                most=most,
                note=_WHERE_IT_GOES,
            )


def _beside_the_floor() -> Iterator[Figure]:
    rounds = rounds_of(sample())
    for precision in _SHOWN:
        for jobs in _MOST:
            yield Figure(
                group=GROUP,
                name=f"beside the floor, {_where(jobs)}, {PRECISIONS[precision]}",
                value=taken(rounds, as_shipped(precision), jobs=jobs).gpu_seconds,
                unit="GPU s",
                beside="ideal tokens decoded in one batch, nothing read",
                beside_value=bare_decode_seconds(precision, jobs * largest_round(rounds), jobs),
                most=1.5,
                note=_WHERE_IT_GOES,
            )


def bare_decode_seconds(precision: str, requests: int, jobs: int) -> float:
    """Return what decoding takes of one summary's tokens, shared out evenly, if nothing has to be read."""
    steps = SUMMARY_WORDS * TOKENS_PER_WORD * jobs / requests
    return steps * step_seconds(pace(precision), requests, cached_tokens=0) / jobs


def _how_far_off() -> Figure:
    worst = max(compared(), key=lambda each: abs(each.off))
    what = f"{worst.way.replace('_', ' ')}, {PRECISIONS[worst.precision]}, {_where(worst.jobs)}"
    return Figure(
        group=GROUP,
        name="the model of a card, where it is worst",
        value=worst.modelled,
        unit="GPU s",
        beside=f"measured: {what}",
        beside_value=worst.measured,
        most=1.15,
        least=0.85,
    )


def _where(jobs: int) -> str:
    return "alone" if jobs == 1 else f"{jobs} at once"

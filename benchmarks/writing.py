"""How summaries come out with models that behave as models do: length, tokens, GPU seconds, rounds, calls.

    python -m benchmarks.writing
    python -m benchmarks.writing --data FOLDER --json FILE

Drives the engine in memory over the samples, and over the `.txt` transcripts of a folder, with models that
stall at a length, write a share of what is asked for, or obey. What a GPU takes is modelled by
cli/endpoint/gpu_time.py with the pace of bf16 in models.toml. The single answer stands beside.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from cli.endpoint.catalogue import catalogue
from cli.endpoint.gpu_time import gpu_seconds
from core.summaries.facts import Cost
from core.summaries.goals import Goal, WritingLimits
from core.summaries.options import Strategy
from core.summaries.passages import Passages, numbered
from core.summaries.rounds import Finished
from core.transcripts.reader import read_transcript
from tests.writing_model import (
    TOKENS_PER_WORD,
    Length,
    WritingModel,
    driven,
    obedient,
    proportional,
    saturating,
)

SAMPLES = Path(__file__).parents[1] / "samples"
CONTEXTS_TOKENS = (8_192, 32_768, 131_072)
MODELS: dict[str, Length] = {
    "obedient": obedient,
    "up to 1,000 words": saturating(1_000),
    "up to 1,600 words": saturating(1_600),
    "up to 2,400 words": saturating(2_400),
    "0.4 of what is asked": proportional(0.4),
    "0.6 of what is asked": proportional(0.6),
    "1.6 of what is asked": proportional(1.6),
}
STRATEGIES = (Strategy.AUTO, Strategy.SINGLE)

_PACE = catalogue().variants["mistral-small-3.1-24b"]["bf16"].pace
_SHARE_OF_SHORT = 0.4


@dataclass(frozen=True)
class Row:
    strategy: str
    model: str
    context_tokens: int
    within_10_percent: float
    generated_over_ideal: float
    gpu_seconds: float
    rounds: float
    calls: float
    aws_requests: float
    summaries: int
    given_up: int


@dataclass(frozen=True)
class Result:
    is_near: bool
    is_finished: bool
    generated_over_ideal: float
    gpu_seconds: float
    aws_requests: int
    cost: Cost


def transcripts(folders: Iterable[Path]) -> list[Passages]:
    files = sorted(file for folder in folders for file in folder.glob("*.txt"))
    return [
        numbered(read_transcript(file.read_bytes(), max_bytes=100_000_000).turns) for file in files
    ]


def row(
    strategy: Strategy,
    model: str,
    context_tokens: int,
    texts: Sequence[Passages],
    words: int,
) -> Row:
    results = [
        result(
            passages,
            goal=Goal(
                words=min(words, round(passages.words * _SHARE_OF_SHORT)),
                boundary="b" * 32,
                strategy=strategy,
            ),
            limits=WritingLimits(context_tokens=context_tokens),
            length=MODELS[model],
        )
        for passages in texts
    ]
    costs = [each.cost for each in results]
    return Row(
        strategy=strategy.value,
        model=model,
        context_tokens=context_tokens,
        within_10_percent=statistics.mean(each.is_near for each in results),
        generated_over_ideal=statistics.mean(each.generated_over_ideal for each in results),
        gpu_seconds=statistics.mean(each.gpu_seconds for each in results),
        rounds=statistics.mean(cost.rounds for cost in costs),
        calls=statistics.mean(cost.calls for cost in costs),
        aws_requests=statistics.mean(each.aws_requests for each in results),
        summaries=len(results),
        given_up=sum(not each.is_finished for each in results),
    )


_AT_BEGINNING = 4  # the upload and its folder's glossary are read; material; job and calls


def aws_requests(calls: Sequence[int]) -> int:
    """Return what a job of push mode takes of AWS, by the calls of each of its rounds.

    Secrets Manager, which is asked once in five minutes, and Lambda's own polling are not in it.
    """
    if list(calls) == [1]:  # a short transcript's one answer: the receiver publishes what it makes
        return (
            _AT_BEGINNING + 1 + 2 + 1 + 3
        )  # taken; read, marked; material; summary, facts, the end
    per_call = 6  # its id; read, its answer stored, counted, ended; its answer read
    per_end = 3  # a message; history and material are read
    per_further = 4  # its plan is read; and before that stored, its calls recorded, its job
    published = 4  # marked; summary, facts; the end
    further = len(calls) - 1
    return (
        _AT_BEGINNING
        + per_call * sum(calls)
        + per_end * len(calls)
        + per_further * further
        + published
    )


def result(passages: Passages, *, goal: Goal, limits: WritingLimits, length: Length) -> Result:
    done = driven(passages, goal, limits, WritingModel(length=length))
    facts = done.end.facts
    is_finished = isinstance(done.end, Finished)
    off = abs(facts.words - goal.words)
    return Result(
        is_near=is_finished and off <= goal.words * 0.1,
        is_finished=is_finished,
        generated_over_ideal=facts.cost.generated_tokens / (goal.words * TOKENS_PER_WORD),
        gpu_seconds=gpu_seconds(done.history, passages, _PACE) if _PACE else 0.0,
        aws_requests=aws_requests([len(past.round.asks) for past in done.history]),
        cost=facts.cost,
    )


def shown(rows: Sequence[Row]) -> Table:
    table = Table(title="Summaries by strategy, model and context")
    columns = ("context", "model", "within 10 %", "tokens / ideal", "GPU s", "rounds", "calls")
    for column in ("strategy", *columns, "AWS requests", "given up"):
        table.add_column(column, justify="left" if column in ("strategy", "model") else "right")
    for strategy, alike in groupby(rows, key=lambda each: each.strategy):
        group = list(alike)
        for each in group:
            table.add_row(strategy, f"{each.context_tokens:,}", each.model, *_figures(each))
        table.add_row(strategy, "all", "all", *_figures(mean(group)), end_section=True)
    return table


def mean(rows: Sequence[Row]) -> Row:
    figures = {
        name: statistics.mean(getattr(each, name) for each in rows)
        for name in Row.__dataclass_fields__
        if name not in ("strategy", "model", "context_tokens", "summaries", "given_up")
    }
    return Row(
        strategy=rows[0].strategy,
        model="all",
        context_tokens=0,
        summaries=sum(each.summaries for each in rows),
        given_up=sum(each.given_up for each in rows),
        **figures,
    )


def _figures(each: Row) -> list[str]:
    return [
        f"{each.within_10_percent:.0%}",
        f"{each.generated_over_ideal:.2f}",
        f"{each.gpu_seconds:.1f}",
        f"{each.rounds:.1f}",
        f"{each.calls:.1f}",
        f"{each.aws_requests:.0f}",
        f"{each.given_up} of {each.summaries}",
    ]


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), help="a folder of transcripts"
)
@click.option("--json", "file", type=click.Path(path_type=Path), help="where to write the rows")
@click.option("--context", "contexts_tokens", type=int, multiple=True, default=CONTEXTS_TOKENS)
@click.option("--words", default=4_000, show_default=True, help="the length that is asked for")
def main(data: Path | None, file: Path | None, contexts_tokens: Sequence[int], words: int) -> None:
    """Print the table."""
    texts = transcripts([SAMPLES, *([data] if data else [])])
    texts = [passages for passages in texts if passages.words >= 1_000]
    rows = [
        row(strategy, model, context_tokens, texts, words)
        for strategy in STRATEGIES
        for context_tokens in contexts_tokens
        for model in MODELS
    ]
    Console(width=130).print(shown(rows))
    if file:
        file.write_text(json.dumps([asdict(each) for each in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What transcripts of 1,000 to 1,000,000 words cost: calls, tokens, time to plan, memory.

    python -m benchmarks.long_transcripts
    python -m benchmarks.long_transcripts --words 1000

Runs the real use cases over the world in memory with an obedient model, so it measures ours and not
RunPod's; what becomes of summaries with models that do not obey is benchmarks.writing's. Time is given as
a ratio to a floor taken in the same run, the time Python needs to decode the file and split it into words,
because machines differ and are noisy.
"""

import time
import tracemalloc
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from core.summaries.tokens import estimate_tokens
from tests.builders import a_request, submitter_settings
from tests.fakes.model import FakeModel, a_transcript
from tests.functions.pipeline import Pipeline

SIZES_WORDS = (1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
CONTEXTS_TOKENS = (8_192, 32_768, 131_072)


@dataclass(frozen=True)
class Row:
    context_tokens: int
    words: int
    calls: int
    rounds: int
    tokens_sent: int
    words_back: int
    planned_seconds: float
    floor_seconds: float
    peak_mb: float
    file_mb: float


def measured(words: int, context_tokens: int) -> Row:
    text = a_transcript(words)
    body = text.encode()
    started = time.perf_counter()
    body.decode().split()
    floor_seconds = time.perf_counter() - started

    planned_seconds = _planned(text, context_tokens)
    tracemalloc.start()
    running = pipeline(context_tokens)
    job = running.upload(text)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    running.run()
    job, calls, _ = running.history(job)
    prompts = [
        message["content"]
        for request in running.runpod.requests
        for message in request["input"]["openai_input"]["messages"]
    ]
    assert job.summary is not None
    return Row(
        context_tokens=context_tokens,
        words=words,
        calls=len(calls),
        rounds=len({call.stage for call in calls}),
        tokens_sent=sum(map(estimate_tokens, prompts)),
        words_back=job.summary.words,
        planned_seconds=planned_seconds,
        floor_seconds=floor_seconds,
        peak_mb=peak_bytes / 1e6,
        file_mb=len(body) / 1e6,
    )


def _planned(text: str, context_tokens: int) -> float:
    """Return the seconds from the upload until every first call was submitted."""
    running = pipeline(context_tokens)
    started = time.perf_counter()
    running.upload(text)
    return time.perf_counter() - started


def pipeline(context_tokens: int) -> Pipeline:
    options = a_request(max_tokens=min(6_000, context_tokens // 2))
    settings = submitter_settings(context_tokens=context_tokens, options=options)
    return Pipeline(model=FakeModel(), settings=settings)


@click.command()
@click.option("--words", type=int, help="Instead: one transcript of this length, at each context.")
def main(words: int | None) -> None:
    """Print a table."""
    table = Table(title="4,000-word summaries, by length of the transcript and of the context")
    for name in (
        "context",
        "words in",
        "calls",
        "rounds",
        "tokens sent",
        "per word",
        "words back",
        "planned in s",
        "x floor",
        "peak MB",
        "x file",
    ):
        table.add_column(name, justify="right")
    for context_tokens in CONTEXTS_TOKENS:
        for size_words in (words,) if words else SIZES_WORDS:
            row = measured(size_words, context_tokens)
            table.add_row(
                f"{row.context_tokens:,}",
                f"{row.words:,}",
                str(row.calls),
                str(row.rounds),
                f"{row.tokens_sent:,}",
                f"{row.tokens_sent / row.words:.2f}",
                f"{row.words_back:,}",
                f"{row.planned_seconds:.2f}",
                f"{row.planned_seconds / row.floor_seconds:.0f}",
                f"{row.peak_mb:.1f}",
                f"{row.peak_mb / row.file_mb:.1f}",
            )
        table.add_section()
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

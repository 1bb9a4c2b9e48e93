"""How long reading a transcript of 100,000 words takes, in each format.

    python -m benchmarks.formats

Time is given as a ratio to a floor taken in the same run: decoding the same file and splitting it into
words.
"""

import random
import time
import tracemalloc

import click
from rich.console import Console
from rich.table import Table

from core.transcripts.reader import read_transcript
from tests.unit.transcripts.formats.test_properties import VOCABULARY
from tests.unit.transcripts.formats.writers import NAMED, NUMBERED, Said

WORDS = 100_000
WORDS_OF_A_REMARK = 20


def conversation(words: int) -> list[Said]:
    chance = random.Random(1)  # noqa: S311 - no secret
    vocabulary = VOCABULARY.split()
    starts = (index * 5.0 for index in range(words // WORDS_OF_A_REMARK))
    return [
        Said(
            chance.randrange(4), tuple(chance.choices(vocabulary, k=WORDS_OF_A_REMARK)), at, at + 4
        )
        for at in starts
    ]


@click.command()
@click.option("--words", default=WORDS, show_default=True, help="Of the conversation.")
def main(words: int) -> None:
    """Print a table."""
    table = Table(title=f"Reading {words:,} words")
    for name in ("format", "file MB", "seconds", "x floor", "peak MB"):
        table.add_column(name, justify="left" if name == "format" else "right")
    said = conversation(words)
    for name, write in (NAMED | NUMBERED).items():
        body = write(said).encode()
        started = time.perf_counter()
        body.decode().split()
        floor_seconds = time.perf_counter() - started
        started = time.perf_counter()
        transcript = read_transcript(body, max_bytes=len(body))
        seconds = time.perf_counter() - started
        assert transcript.words >= words
        tracemalloc.start()
        read_transcript(body, max_bytes=len(body))
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        table.add_row(
            name,
            f"{len(body) / 1e6:.1f}",
            f"{seconds:.2f}",
            f"{seconds / floor_seconds:.0f}",
            f"{peak_bytes / 1e6:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()

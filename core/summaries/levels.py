"""What calls read: a transcript, or the notes taken of it, in chunks with what they cost. Pure.

A level is cut once, and stored as it was cut. Tasks name its chunks by their numbers, so every later
attempt and stage reads these chunks, whatever limits and estimates a deployment brings meanwhile.
"""

import json
from dataclasses import asdict, dataclass

from core.summaries.chunks import split_into_chunks
from core.summaries.plans import Limits
from core.summaries.prompts import prompt_overhead_tokens
from core.summaries.tokens import estimate_tokens
from core.words import count_words


@dataclass(frozen=True, kw_only=True)
class Level:
    """Level 0 is the transcript; each level after it is made of notes about the one before."""

    number: int
    chunks: list[str]
    tokens: list[int]  # upper estimates, one a chunk

    @property
    def words(self) -> int:
        return sum(map(count_words, self.chunks))

    def as_document(self) -> str:
        """Return the level as JSON, to be stored."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def level_in(document: str) -> Level:
    """Read a level that was stored."""
    return Level(**json.loads(document))


def cut(number: int, text: str, limits: Limits) -> Level:
    """Cut a level's text into chunks that fit the limits."""
    chunks = split_into_chunks(text, most_tokens=limits.chunk_tokens, tokens_of=estimate_tokens)
    return Level(number=number, chunks=chunks, tokens=[estimate_tokens(each) for each in chunks])


def limits_of(*, context_tokens: int, max_tokens: int) -> Limits:
    """Return what one request can hold: the endpoint's context, and the most it may write."""
    return Limits(
        context_tokens=context_tokens,
        max_tokens=max_tokens,
        prompt_overhead_tokens=prompt_overhead_tokens(),
    )

"""What one GPU takes for a job alone on it, by a pace that was measured.

A round's calls are answered at once, rounds in turn. What is decoded at once shares its steps, and what a
prompt begins with is read once for all calls of a job that begin so. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from cli.endpoint.catalogue import Pace
from core.summaries.asks import WRITTEN, Answer, Ask
from core.summaries.messages import CHAT_TEMPLATE_TOKENS
from core.summaries.passages import Passages
from core.summaries.rounds import PastRound
from core.summaries.tokens import estimate_tokens

# The estimate of tokens that calls are planned by is an upper one; a tokenizer finds about so much of it.
REAL_SHARE_OF_ESTIMATE = 0.8

Part = tuple[int, float]  # what names a part of a prompt with all that stands before it; its tokens


def gpu_seconds(history: Sequence[PastRound], passages: Passages, pace: Pace) -> float:
    """Return what one card takes for all rounds of a job."""
    read: set[int] = set()
    seconds = 0.0
    for past in history:
        parts = dict(chain.from_iterable(prompt_parts(ask, passages) for ask in past.round.asks))
        unread = sum(tokens for name, tokens in parts.items() if name not in read)
        read.update(parts)
        seconds += unread / pace.read_tokens_per_second
        seconds += seconds_to_write(past.answers.values(), pace, cached_tokens=sum(parts.values()))
    return seconds


def seconds_to_write(answers: Iterable[Answer], pace: Pace, *, cached_tokens: float) -> float:
    """Return what decoding some answers at once takes: each step is shared by all that still run."""
    lengths = sorted(answer.completion_tokens for answer in answers)
    seconds, done = 0.0, 0
    for at, length in enumerate(lengths):
        seconds += (length - done) * step_seconds(pace, len(lengths) - at, cached_tokens)
        done = length
    return seconds


def step_seconds(pace: Pace, requests: int, cached_tokens: float) -> float:
    """Return what one token of each request takes that is being written."""
    shared = pace.step_ms + pace.step_ms_per_1000_cached * cached_tokens / 1_000
    return (shared + pace.step_ms_per_request * requests) / 1_000


def prompt_parts(ask: Ask, passages: Passages) -> list[Part]:
    """Return a prompt's parts, as core/summaries/messages.py puts them, with a tokenizer's tokens.

    A server that caches prefixes reads a part once for all prompts that have it behind the same others.
    """
    named: list[Part] = []
    so_far = 0
    for what, tokens in _parts(ask, passages):
        so_far = hash((so_far, what))
        named.append((so_far, tokens * REAL_SHARE_OF_ESTIMATE))
    return named


def _parts(ask: Ask, passages: Passages) -> Iterator[tuple[str, int]]:
    yield ask.system, estimate_tokens(ask.system) + CHAT_TEMPLATE_TOKENS
    blocks = [(block.tag, block.text) for block in ask.blocks]
    written = [each for each in blocks if each[0] == WRITTEN]
    for _, text in (each for each in blocks if each not in written):
        yield text, estimate_tokens(text)
    for ranges in (ask.before, ask.passages):
        if ranges:
            yield f"{ranges}", passages.tokens_of(ranges)
    for text in (*(each for _, each in written), ask.instructions):
        yield text, estimate_tokens(text)

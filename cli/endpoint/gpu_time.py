"""What one GPU takes for a job alone on it, by a pace that was measured.

A round's calls are answered at once, rounds in turn. What is decoded at once shares its steps, and a prefix
that calls of one job have in common is read once. Pure.
"""

from collections.abc import Iterable, Sequence

from cli.endpoint.catalogue import Pace
from core.summaries.asks import Answer, Ask
from core.summaries.messages import CHAT_TEMPLATE_TOKENS
from core.summaries.passages import Passages
from core.summaries.rounds import PastRound
from core.summaries.tokens import estimate_tokens

# The estimate of tokens that calls are planned by is an upper one; a tokenizer finds about so much of it.
_REAL_SHARE_OF_ESTIMATE = 0.8


def gpu_seconds(history: Sequence[PastRound], passages: Passages, pace: Pace) -> float:
    """Return what one card takes for all rounds of a job."""
    cached: set[str] = set()
    return sum(
        _seconds_to_read(past.round.asks, passages, cached, pace)
        + seconds_to_write(past.answers.values(), pace)
        for past in history
    )


def seconds_to_write(answers: Iterable[Answer], pace: Pace) -> float:
    """Return what decoding some answers at once takes: each step is shared by all that still run."""
    lengths = sorted(answer.completion_tokens for answer in answers)
    seconds, done = 0.0, 0
    for at, length in enumerate(lengths):
        step_ms = pace.step_ms + pace.step_ms_per_request * (len(lengths) - at)
        seconds += (length - done) * step_ms / 1_000
        done = length
    return seconds


def _seconds_to_read(
    asks: Sequence[Ask], passages: Passages, cached: set[str], pace: Pace
) -> float:
    tokens = 0
    for ask in asks:
        prefix = f"{ask.passages}{ask.before}{ask.blocks}" if ask.passages else ask.name
        if prefix not in cached:
            tokens += estimate_tokens(ask.system) + passages.tokens_of((*ask.passages, *ask.before))
            tokens += sum(estimate_tokens(block.text) for block in ask.blocks)
        cached.add(prefix)
        tokens += estimate_tokens(ask.instructions) + CHAT_TEMPLATE_TOKENS
    return tokens * _REAL_SHARE_OF_ESTIMATE / pace.read_tokens_per_second

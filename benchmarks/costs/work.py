"""What a job asks of the model, round by round, as the engine plans it with a model that obeys."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cli.endpoint.gpu_time import Part, prompt_parts
from core.summaries.goals import Goal, WritingLimits
from core.summaries.options import Strategy
from core.summaries.passages import Passages, numbered
from core.transcripts.reader import read_transcript
from tests.fakes.model import a_transcript
from tests.writing_model import WritingModel, driven

SAMPLE = Path(__file__).parents[2] / "samples" / "product-planning-meeting.txt"
SUMMARY_WORDS = 4_000
CONTEXT_TOKENS = 32_768  # MaxModelLenTokens as it is shipped


@dataclass(frozen=True)
class ModelRequest:
    prompt: tuple[Part, ...]
    written_tokens: int

    @property
    def prompt_tokens(self) -> float:
        return sum(tokens for _, tokens in self.prompt)


Rounds = tuple[tuple[ModelRequest, ...], ...]


@cache
def sample() -> Passages:
    """Return the sample meeting of 10,000 words, as the engine reads it."""
    return numbered(read_transcript(SAMPLE.read_bytes(), max_bytes=10**8).turns)


@cache
def made_up(words: int) -> Passages:
    return numbered(read_transcript(a_transcript(words).encode(), max_bytes=10**9).turns)


@cache
def rounds_of(
    passages: Passages,
    strategy: Strategy = Strategy.AUTO,
    *,
    words: int = SUMMARY_WORDS,
    context_tokens: int = CONTEXT_TOKENS,
) -> Rounds:
    """Return what the engine asks for one summary, with the tokens that a model would answer."""
    goal = Goal(words=words, boundary="b" * 32, strategy=strategy)
    done = driven(passages, goal, WritingLimits(context_tokens=context_tokens), WritingModel())
    assert done.finished
    return tuple(
        tuple(
            ModelRequest(
                tuple(prompt_parts(ask, passages)), past.answers[ask.name].completion_tokens
            )
            for ask in past.round.asks
        )
        for past in done.history
    )


def of_job(rounds: Rounds, job: int) -> Rounds:
    """Return the same work for another transcript: no two jobs have a prefix in common."""
    return tuple(
        tuple(
            ModelRequest(
                tuple((hash((job, name)), tokens) for name, tokens in each.prompt),
                each.written_tokens,
            )
            for each in asked
        )
        for asked in rounds
    )


def in_sections(
    number: int,
    *,
    transcript_tokens: int,
    written_tokens: int,
    outline_tokens: int,
    is_whole_shared: bool = True,
) -> Rounds:
    """Return the idealised work that was measured: an outline, then sections of one length at once."""
    whole = ((1, float(transcript_tokens)),)
    parts = [((2 + at, transcript_tokens / number),) for at in range(number)]
    sections = tuple(
        ModelRequest(whole if is_whole_shared else part, round(written_tokens / number))
        for part in parts
    )
    outline = (ModelRequest(whole, outline_tokens),) if outline_tokens else ()
    return tuple(asked for asked in (outline, sections) if asked)


def tokens_written(rounds: Rounds) -> int:
    return sum(each.written_tokens for asked in rounds for each in asked)


def largest_round(rounds: Sequence[Sequence[ModelRequest]]) -> int:
    return max(len(asked) for asked in rounds)

"""What a summary is to be, and what the model that writes it can be trusted with. Pure.

Both are fixed when a job begins and stay as they are, whatever is deployed meanwhile.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from core.summaries.glossary import Glossary
from core.summaries.options import SummaryOptions

_SHARE_OF_SHORT = 0.4  # a transcript too short for the target is summarised in so much of its words
_LEAST_WORDS = 50  # unless there are fewer to begin with


class WritingStrategy(StrEnum):
    AUTO = "auto"  # one answer where the model is reliable at the length, else by an outline
    SINGLE = "single"  # one answer, whatever the length
    OUTLINE = "outline"


@dataclass(frozen=True, kw_only=True)
class Goal:
    words: int
    boundary: str  # marks where material begins and ends: the job's id, unknown to its author
    language: str = ""  # "" is the transcript's own
    strategy: WritingStrategy = WritingStrategy.AUTO
    with_times: bool = False
    prompts: str = "default"  # the set of prompts
    glossary: Glossary = field(default_factory=Glossary)


@dataclass(frozen=True, kw_only=True)
class WritingLimits:
    """What one request can hold, what one answer can be trusted with, and where a job ends."""

    context_tokens: int  # the deployment's MAX_MODEL_LEN
    max_tokens: int = 6_000  # the most that an answer may have
    reliable_words: int = 700  # the most that is asked of one answer
    token_budget: float = (
        1.5  # generated tokens of the job, as a multiple of what an obedient model needs
    )
    most_rounds: int = 30
    most_calls: int = 2_000


def goal_of(
    options: SummaryOptions,
    transcript_words: int,
    *,
    boundary: str,
    glossary: Glossary | None = None,
) -> Goal:
    """Return the goal of a job: shorter than what is wanted where there is too little to say."""
    in_proportion = max(_LEAST_WORDS, round(transcript_words * _SHARE_OF_SHORT))
    known = {strategy.value for strategy in WritingStrategy}
    strategy = options.strategy.value if options.strategy.value in known else "outline"
    return Goal(
        words=max(1, min(options.words, in_proportion, transcript_words)),
        boundary=boundary,
        language=options.language,
        strategy=WritingStrategy(strategy),
        with_times=options.with_times,
        prompts=options.prompt,
        glossary=glossary or Glossary(),
    )

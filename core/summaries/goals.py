"""What a summary is to be, and what the model that writes it can be trusted with. Pure.

Both are fixed when a job begins and stay as they are, whatever is deployed meanwhile.
"""

from dataclasses import dataclass, field

from core.summaries.glossary import Glossary
from core.summaries.options import Strategy, SummaryOptions

_SHARE_OF_SHORT = 0.4  # a transcript too short for the target is summarised in so much of its words
_LEAST_WORDS = 50  # unless there are fewer to begin with


@dataclass(frozen=True, kw_only=True)
class Goal:
    words: int
    boundary: str  # marks where material begins and ends: the job's id, unknown to its author
    language: str = ""  # "" is the transcript's own
    strategy: Strategy = Strategy.AUTO
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


def target_words(wanted: int, transcript_words: int) -> int:
    """Return the summary's length: what is wanted, or in proportion where there is too little to say."""
    in_proportion = max(_LEAST_WORDS, round(transcript_words * _SHARE_OF_SHORT))
    return max(1, min(wanted, in_proportion, transcript_words))


def goal_of(
    options: SummaryOptions,
    transcript_words: int,
    *,
    boundary: str,
    glossary: Glossary | None = None,
) -> Goal:
    """Return the goal of a job: shorter than what is wanted where there is too little to say."""
    return Goal(
        words=target_words(options.words, transcript_words),
        boundary=boundary,
        language=options.language,
        strategy=options.strategy,
        with_times=options.with_times,
        prompts=options.prompt,
        glossary=glossary or Glossary(),
    )

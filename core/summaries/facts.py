"""What is known of a finished summary: what each part rests on, what was checked, what it cost. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a check ended, the worst that happened."""

    PASSED = "passed"
    MENDED = "mended"  # it was found and put right, by another try or by code
    NOTED = "noted"  # worth a look, and no more: the check cries wolf now and then
    DOUBT = "doubt"  # it stands in the summary, and a reader should know
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, kw_only=True)
class Check:
    code: str
    outcome: Outcome
    count: int = 0  # how often it was found
    detail: str = ""  # never words of the transcript or the summary


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a part of the summary rests on."""

    kind: str  # paragraph, decision, action, question, quote
    section: str = ""  # overview, or the number of the topic
    turns: tuple[int, ...] = ()  # numbers of passages
    starts_at: float | None = None  # seconds into the recording; None without times


@dataclass(frozen=True, kw_only=True)
class Cost:
    rounds: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    discarded_tokens: int = 0  # generated, and not in the summary


@dataclass(frozen=True, kw_only=True)
class Facts:
    way: str  # single or outline
    words: int = 0
    target_words: int = 0
    outline_by: str = ""  # model or code
    topics: int = 0
    quotes_verified: int = 0
    quotes_dropped: int = 0
    checks: tuple[Check, ...] = ()
    remarks: tuple[str, ...] = ()  # codes of decisions that a person should know of
    glossary_notes: tuple[str, ...] = ()
    tries: Mapping[str, int] = field(default_factory=dict)  # of each slot that took more than one
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # which of them stand
    sources: tuple[Source, ...] = field(default=(), repr=False)
    cost: Cost = field(default_factory=Cost)

    @property
    def doubts(self) -> int:
        """Return how many checks ended in doubt."""
        return sum(check.outcome is Outcome.DOUBT for check in self.checks)

    def as_fields(self) -> dict[str, Any]:
        """Return the facts as what JSON can hold."""
        return {**asdict(self), "doubts": self.doubts}

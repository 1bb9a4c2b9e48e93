"""One call to a model: what it is asked, and what it answered. Pure, and each with a round trip to JSON.

An ask holds its system prompt and its instructions as final text. So what was stored before its call was
recorded is sent as it is, also by a later version of this program with other prompts. The transcript's own
words are not in it: `passages` says which are shown, and core/summaries/messages.py puts them between.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from core.summaries.cleaning import clean
from core.summaries.passages import Range

WRITTEN = "written"  # tag of the block with what a section has already
CONTEXT_LENGTH = "context-length"  # the failure that says that a prompt was too long


class AskKind(StrEnum):
    OUTLINE = "outline"
    SECTION = "section"
    LEDGER = "ledger"
    OVERVIEW = "overview"
    NOTES = "notes"
    SINGLE = "single"  # the whole summary in one answer


@dataclass(frozen=True, kw_only=True)
class Block:
    """Further material of an ask, by a model or a person: the outline, names, notes, finished sections."""

    tag: str
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Ask:
    name: str  # unique in the job: `section-3.1`, `section-3.1-try2`
    slot: str  # what it is for, the same for each try: `section-3.1`
    kind: AskKind
    passages: tuple[Range, ...] = ()  # shown to the model
    before: tuple[Range, ...] = ()  # shown too, so that it understands how the passages begin
    about: tuple[Range, ...] = ()  # what it stands for, and may cite
    blocks: tuple[Block, ...] = ()
    system: str = field(repr=False)
    instructions: str = field(repr=False)
    words: int = 0  # asked for; 0 where entries and not words are counted
    max_tokens: int
    seed: int = 0
    response_format: str = ""  # name of a schema of core/summaries/schemas.py
    boundary: str  # marks where material begins and ends; its authors can't have known it
    adds_to: bool = False  # goes on with what stands in its slot, and does not replace it

    def as_fields(self) -> dict[str, Any]:
        """Return the ask as what JSON can hold."""
        return asdict(self)


def ask_in(fields: Mapping[str, Any]) -> Ask:
    """Read an ask that was stored."""
    return Ask(
        **{
            **fields,
            "kind": AskKind(fields["kind"]),
            "passages": _ranges(fields["passages"]),
            "before": _ranges(fields["before"]),
            "about": _ranges(fields["about"]),
            "blocks": tuple(Block(**block) for block in fields["blocks"]),
        }
    )


def _ranges(stored: Any) -> tuple[Range, ...]:
    return tuple((first, last) for first, last in stored)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a call came to."""

    text: str = field(default="", repr=False)  # cleaned
    was_cut: bool = False  # the model stopped at max_tokens
    prompt_tokens: int = 0
    completion_tokens: int = 0  # all that was generated, reasoning included
    failure: str = ""  # a code, where there is no answer; CONTEXT_LENGTH leads to smaller prompts

    def as_fields(self) -> dict[str, Any]:
        """Return the answer as what JSON can hold."""
        return asdict(self)


def answer_in(fields: Mapping[str, Any]) -> Answer:
    """Read an answer that was stored."""
    return Answer(**fields)


def answer_of(
    text: str, *, was_cut: bool = False, prompt_tokens: int = 0, completion_tokens: int = 0
) -> Answer:
    """Return what a model wrote as an answer: without reasoning, chat tokens, fences and prefaces."""
    return Answer(
        text=clean(text).text,
        was_cut=was_cut,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )

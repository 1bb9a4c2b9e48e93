"""Decisions, action items, open questions and quotes, as a model lists them. Pure.

What several calls list becomes one in core/summaries/registers.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.summaries.lenient_json import json_object_in
from core.summaries.passages import Passages
from core.summaries.schemas import REGISTERS

_LONGEST_FIELD_CHARACTERS = 600
_NOTHING = frozenset(
    (
        "",
        "-",
        "–",
        "?",
        "n/a",
        "na",
        "none",
        "null",
        "unknown",
        "not specified",
        "no date named",
        "no owner named",
    )
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    what: str
    who: str = ""  # who decided, owns, or asked
    detail: str = ""  # why, or by when
    turn: int = 0  # the passage that it rests on; 0 if the model named none that there is
    ended_at: int = 0  # the passage that reverses or answers it; 0 if none does
    reverses: int = 0  # the passage of an earlier decision that this one reverses


@dataclass(frozen=True, kw_only=True)
class ProposedQuote:
    words: str = field(repr=False)
    turn: int


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What one call listed."""

    decisions: tuple[Entry, ...] = ()
    actions: tuple[Entry, ...] = ()
    questions: tuple[Entry, ...] = ()
    quotes: tuple[ProposedQuote, ...] = ()
    wrong_numbers: int = 0  # turns that are none of those it was shown


class _Turns:
    """Reads the numbers of turns, and counts those that the model made up."""

    def __init__(self, allowed: frozenset[int]) -> None:
        self._allowed = allowed
        self.wrong = 0

    def read(self, value: object) -> int:
        if isinstance(value, str) and value.strip("[] ").isdecimal():
            value = int(value.strip("[] ")[:7])
        if isinstance(value, bool) or not isinstance(value, int):
            return 0
        if value not in self._allowed:
            self.wrong += 1
            return 0
        return value


def parse_ledger(answer: str, allowed: frozenset[int], passages: Passages) -> Ledger | None:
    """Read one call's entries; None where there is no JSON object of their kind.

    An entry may be answered or reversed in any turn that there is, but rests on those that were shown.
    """
    fields = json_object_in(answer, REGISTERS)
    if fields is None:
        return None
    shown = _Turns(allowed)
    all_turns = _Turns(frozenset(range(1, passages.last + 1)))
    return Ledger(
        decisions=tuple(
            Entry(
                what=what,
                who=_line(row.get("who")),
                detail=_line(row.get("why")),
                turn=shown.read(row.get("turn")),
                reverses=all_turns.read(row.get("reverses_turn")),
            )
            for what, row in _rows(fields, "decisions")
        ),
        actions=tuple(
            Entry(
                what=what,
                who=_line(row.get("owner")),
                detail=_line(row.get("due")),
                turn=shown.read(row.get("turn")),
            )
            for what, row in _rows(fields, "actions")
        ),
        questions=tuple(
            Entry(
                what=what,
                who=_line(row.get("who")),
                turn=shown.read(row.get("turn")),
                ended_at=all_turns.read(row.get("answered_at_turn")),
            )
            for what, row in _rows(fields, "questions")
        ),
        quotes=tuple(
            ProposedQuote(words=words, turn=shown.read(row.get("turn")))
            for words, row in _rows(fields, "quotes", key="words")
        ),
        wrong_numbers=shown.wrong,
    )


def _rows(
    fields: Mapping[str, Any], register: str, *, key: str = "what"
) -> Sequence[tuple[str, Mapping[str, Any]]]:
    rows = fields.get(register)
    if not isinstance(rows, list):
        return []
    told = ((_line(row.get(key)), row) for row in rows if isinstance(row, Mapping))
    return [(what, row) for what, row in told if what]


def _line(value: object) -> str:
    line = " ".join(value.split())[:_LONGEST_FIELD_CHARACTERS] if isinstance(value, str) else ""
    return "" if line.casefold().strip(" .") in _NOTHING else line

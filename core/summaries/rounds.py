"""What the engine says: the asks of a round, or that a summary is finished or given up. Pure.

A round carries all that the engine decided so far: its plan. It is stored before the first of its calls is
recorded, and so whoever goes on after a crash, also with another version of this program, goes on with the
same plan and the same asks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.summaries.asks import Answer, Ask, answer_in, ask_in
from core.summaries.facts import Facts
from core.summaries.outline import Outline, outline_in
from core.summaries.passages import Range


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place in the plan that an answer fills: one call's work, however often it is tried."""

    name: str
    about: tuple[Range, ...]  # the passages it stands for
    words: int = 0
    topic: int = 0  # of a section, from 1
    level: int = 0  # what it reads: 0 is the passages themselves, 1 notes of them, 2 notes of notes
    registers: tuple[str, ...] = ()  # of a ledger


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the engine decided. A phase that is not planned yet is empty."""

    way: str = ""  # "single" or "outline"
    notes: tuple[tuple[Slot, ...], ...] = ()  # the slots of each level of notes, from level 1
    outline: Outline | None = None
    sections: tuple[Slot, ...] = ()
    ledger: tuple[Slot, ...] = ()
    remarks: tuple[str, ...] = ()  # codes of decisions that a person should know of


@dataclass(frozen=True, kw_only=True)
class Round:
    asks: tuple[Ask, ...]
    plan: Plan

    def ask(self, name: str) -> Ask:
        return next(ask for ask in self.asks if ask.name == name)

    def as_fields(self) -> dict[str, Any]:
        """Return the round as what JSON can hold."""
        plan = asdict(self.plan)
        plan["outline"] = self.plan.outline.as_fields() if self.plan.outline else None
        asks = [ask.as_fields() for ask in self.asks]
        return {"asks": asks, "plan": plan}


_ONE = {"ledger": "1 list", "single": "the whole summary", "notes": "notes of 1 part"}
_SEVERAL = {"section": "{} sections", "ledger": "{} lists", "notes": "notes of {} parts"}


def in_words(asks: Iterable[str]) -> str:
    """Return what a round asks for, by its asks' names: `16 sections and 4 lists`."""
    counts = Counter((name.partition("-")[0], "-try" in name) for name in asks)
    told = []
    for (kind, is_again), count in sorted(counts.items(), key=lambda each: each[0][1]):
        one = _ONE.get(kind, f"1 {kind}" if kind in _SEVERAL else kind)
        what = _SEVERAL.get(kind, kind).format(count) if count > 1 else one
        told.append(f"{what} again" if is_again else what)
    return " and ".join([*([", ".join(told[:-1])] if told[1:] else []), *told[-1:]])


def round_in(fields: Mapping[str, Any]) -> Round:
    """Read a round that was stored."""
    plan = fields["plan"]
    return Round(
        asks=tuple(ask_in(ask) for ask in fields["asks"]),
        plan=Plan(
            way=plan["way"],
            notes=tuple(_slots(level) for level in plan["notes"]),
            outline=outline_in(plan["outline"]) if plan["outline"] else None,
            sections=_slots(plan["sections"]),
            ledger=_slots(plan["ledger"]),
            remarks=tuple(plan["remarks"]),
        ),
    )


def _slots(rows: Any) -> tuple[Slot, ...]:
    return tuple(
        Slot(
            **{
                **row,
                "about": tuple((first, last) for first, last in row["about"]),
                "registers": tuple(row["registers"]),
            }
        )
        for row in rows
    )


@dataclass(frozen=True, kw_only=True)
class PastRound:
    """A round whose answers are all there, by the names of its asks."""

    round: Round
    answers: Mapping[str, Answer]

    def as_fields(self) -> dict[str, Any]:
        """Return the round and its answers as what JSON can hold."""
        answers = {name: answer.as_fields() for name, answer in self.answers.items()}
        return {"round": self.round.as_fields(), "answers": answers}


def past_round_in(fields: Mapping[str, Any]) -> PastRound:
    """Read a past round that was stored."""
    return PastRound(
        round=round_in(fields["round"]),
        answers={name: answer_in(each) for name, each in fields["answers"].items()},
    )


@dataclass(frozen=True, kw_only=True)
class Finished:
    text: str = field(repr=False)  # Markdown
    facts: Facts = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    code: str
    message: str  # for a person: what the model did, and what to do
    facts: Facts = field(repr=False)  # what it cost all the same


NextStep = Round | Finished | GivenUp

"""A summary and its transcript, linked both ways: parts to the turns they rest on, turns to their parts.

For the exported page, and for the page that `summaries ui` serves. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.operating.exports.about import About
from cli.operating.exports.parts import Part
from core.summaries.document import clock
from core.summaries.facts import Outcome
from core.summaries.passages import Passage, ranges_of

_MOST_LINKS = 8  # behind one part; an overview rests on hundreds of turns


@dataclass(frozen=True, kw_only=True)
class Link:
    first: int
    last: int

    @property
    def text(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}\N{EN DASH}{self.last}"


@dataclass(frozen=True, kw_only=True)
class ShownPart:
    number: int
    part: Part
    links: tuple[Link, ...]  # empty where nothing is known, or no transcript is there to lead to
    is_cut: bool  # there are more turns than links

    @property
    def turns(self) -> str:
        return " ".join(map(str, self.part.turns))


@dataclass(frozen=True, kw_only=True)
class ShownTurn:
    passage: Passage = field(repr=False)
    cited_by: tuple[int, ...]  # numbers of parts
    is_new_speaker: bool

    @property
    def clock(self) -> str:
        return "" if self.passage.starts_at is None else clock(self.passage.starts_at)


def linked_parts(about: About, *, last: int) -> Iterator[ShownPart]:
    """Yield a summary's parts with links to turns, as far as there are so many."""
    for number, part in enumerate(about.summary.parts, 1):
        ranges = ranges_of(sorted({turn for turn in part.turns if 1 <= turn <= last}))
        links = tuple(Link(first=first, last=last) for first, last in ranges)
        yield ShownPart(
            number=number, part=part, links=links[:_MOST_LINKS], is_cut=len(links) > _MOST_LINKS
        )


def linked_turns(passages: Sequence[Passage], parts: Sequence[ShownPart]) -> Iterator[ShownTurn]:
    """Yield the turns, each with the parts that rest on it."""
    cited_by: dict[int, list[int]] = {}
    for shown in parts:
        for turn in dict.fromkeys(shown.part.turns):
            cited_by.setdefault(turn, []).append(shown.number)
    speaker = None
    for passage in passages:
        yield ShownTurn(
            passage=passage,
            cited_by=tuple(cited_by.get(passage.number, ())),
            is_new_speaker=passage.speaker != speaker,
        )
        speaker = passage.speaker


def by_outcome(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the checks that a reader may want to see, the worst first."""
    wanted = (Outcome.DOUBT, Outcome.NOTED, Outcome.MENDED, Outcome.PASSED)
    found = (
        (outcome.value, [check for check in checks if check.get("outcome") == outcome])
        for outcome in wanted
    )
    return [(outcome, of_outcome) for outcome, of_outcome in found if of_outcome]

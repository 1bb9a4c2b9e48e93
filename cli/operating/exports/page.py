"""One self-contained HTML page: a summary beside its transcript, linked both ways.

It loads nothing and works without its script: the links lead to the turns and back. The script adds that
whatever belongs together is marked on both sides.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.operating.exports.about import About
from cli.operating.exports.parts import Part
from cli.operating.exports.transcript import Turns
from core.summaries.document import clock
from core.summaries.facts import Outcome
from core.summaries.passages import Passage, ranges_of

_MOST_LINKS = 8  # behind one part; an overview rests on hundreds of turns
_MOST_BACK = 6

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


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


def page(about: About, turns: Turns) -> str:
    passages = turns.passages.all if turns.passages else ()
    parts = list(_parts(about, last=len(passages)))
    return _templates.get_template("page.html.j2").render(
        about=about,
        fields=about.fields,
        language=about.job.options.language or "",
        groups=_grouped(parts),
        turns=list(_turns(passages, parts)),
        remark=turns.remark,
        checks=_by_outcome(about.checks),
        most_back=_MOST_BACK,
    )


def _parts(about: About, *, last: int) -> Iterator[ShownPart]:
    for number, part in enumerate(about.summary.parts, 1):
        ranges = ranges_of(sorted({turn for turn in part.turns if 1 <= turn <= last}))
        links = tuple(Link(first=first, last=last) for first, last in ranges)
        yield ShownPart(
            number=number, part=part, links=links[:_MOST_LINKS], is_cut=len(links) > _MOST_LINKS
        )


def _grouped(parts: list[ShownPart]) -> list[tuple[str, list[ShownPart]]]:
    """Return neighbours of one kind together: the items of a list are in one list."""
    groups: list[tuple[str, list[ShownPart]]] = []
    for shown in parts:
        if groups and groups[-1][0] == shown.part.kind:
            groups[-1][1].append(shown)
        else:
            groups.append((shown.part.kind, [shown]))
    return groups


def _turns(passages: tuple[Passage, ...], parts: list[ShownPart]) -> Iterator[ShownTurn]:
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


def _by_outcome(checks: tuple[Mapping[str, Any], ...]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the checks that a reader may want to see, the worst first."""
    wanted = (Outcome.DOUBT, Outcome.NOTED, Outcome.MENDED, Outcome.PASSED)
    found = (
        (outcome.value, [check for check in checks if check.get("outcome") == outcome])
        for outcome in wanted
    )
    return [(outcome, of_outcome) for outcome, of_outcome in found if of_outcome]

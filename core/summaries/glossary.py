"""The right names: what recognisers make of them is put right before a model reads the transcript. Pure.

A line of a glossary is a canonical spelling with what recognisers write for it, or a speaker's label with a
name:

    Solhaug: soul hog, Sol Haug
    Kubernetes: cooper netties
    SPEAKER_00 = Ingrid Solhaug
    # a comment
    Tromsø

Only whole words are replaced, whatever their case. A line that can't be understood is a note for the person
who wrote it, and never the end of a job.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from core.transcripts.turns import Turn, readable_label

_MOST_LINES = 500
_LONGEST_NAME_CHARACTERS = 80
_MOST_VARIANTS = 20


@dataclass(frozen=True)
class Glossary:
    variants: tuple[tuple[str, str], ...] = field(
        default=(), repr=False
    )  # as recognised, canonical
    names: tuple[str, ...] = field(default=(), repr=False)  # canonical spellings, each once
    speakers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # label, name
    notes: tuple[str, ...] = ()  # what of it could not be used, and why; for a person

    @property
    def is_empty(self) -> bool:
        return not (self.names or self.speakers)

    @property
    def says_something(self) -> bool:
        """Is there anything to put right, or to tell a person?"""
        return bool(self.notes) or not self.is_empty

    @cached_property
    def _canonical(self) -> Mapping[str, str]:
        return {_folded(variant): name for variant, name in self.variants}

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if not self.variants:
            return None
        # Names too: one that holds a variant of itself is right as it is.
        spellings = [*self.names, *(variant for variant, _ in self.variants)]
        longest_first = sorted(dict.fromkeys(spellings), key=len, reverse=True)
        alternatives = "|".join(r"\s+".join(map(re.escape, each.split())) for each in longest_first)
        return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)

    def applied_to(self, text: str) -> str:
        """Return a text with its names put right."""
        if self._pattern is None:
            return text
        return self._pattern.sub(
            lambda found: self._canonical.get(_folded(found[0]), found[0]), text
        )

    def speaker(self, label: str) -> str:
        """Return the name of a speaker whom the transcript calls so."""
        names = {readable_label(each).casefold(): name for each, name in self.speakers}
        return names.get(readable_label(label).casefold(), label)

    def applied_to_turns(self, turns: Iterable[Turn]) -> tuple[Turn, ...]:
        """Return turns with names and speakers put right, before passages are made of them."""
        if self.is_empty:
            return tuple(turns)
        named: dict[str, str] = {}
        right = []
        for turn in turns:
            if turn.speaker not in named:
                named[turn.speaker] = self.speaker(turn.speaker) if turn.speaker else ""
            right.append(
                replace(turn, speaker=named[turn.speaker], text=self.applied_to(turn.text))
            )
        return tuple(right)

    def joined_with(self, other: "Glossary") -> "Glossary":
        """Return both; where they differ, the other one holds: it is nearer to the upload."""
        variants = {_folded(variant): (variant, name) for variant, name in self.variants}
        variants |= {_folded(variant): (variant, name) for variant, name in other.variants}
        speakers = {label.casefold(): (label, name) for label, name in self.speakers}
        speakers |= {label.casefold(): (label, name) for label, name in other.speakers}
        return Glossary(
            variants=tuple(variants.values()),
            names=tuple(dict.fromkeys((*self.names, *other.names))),
            speakers=tuple(speakers.values()),
            notes=(*self.notes, *other.notes),
        )

    def as_fields(self) -> dict[str, Any]:
        """Return the glossary as what JSON can hold."""
        return {
            "variants": [list(each) for each in self.variants],
            "names": list(self.names),
            "speakers": [list(each) for each in self.speakers],
            "notes": list(self.notes),
        }


def glossary_in(fields: Mapping[str, Any]) -> Glossary:
    """Read a glossary that was stored."""
    return Glossary(
        variants=tuple((variant, name) for variant, name in fields["variants"]),
        names=tuple(fields["names"]),
        speakers=tuple((label, name) for label, name in fields["speakers"]),
        notes=tuple(fields["notes"]),
    )


def parse_glossary(text: str, *, source: str = "the glossary") -> Glossary:
    """Read a glossary's lines; those that can't be understood become notes that name the line."""
    variants: dict[str, tuple[str, str]] = {}
    names: list[str] = []
    speakers: list[tuple[str, str]] = []
    notes: list[str] = []
    lines = text.lstrip("\ufeff").splitlines()
    if len(lines) > _MOST_LINES:
        notes.append(f"{source} has {len(lines):,} lines; those after {_MOST_LINES} were left out")
    for number, raw in enumerate(lines[:_MOST_LINES], 1):
        line = " ".join(raw.split())
        if not line or line.startswith("#"):
            continue
        kind, left, right = _line(line)
        if complaint := _complaint(kind, left, right):
            notes.append(f"line {number} of {source} was left out: {complaint}")
        elif kind == "=":
            speakers.append((left, right[0]))
        else:
            names.append(left)
            for variant in right:
                if _folded(variant) != _folded(left):
                    variants.setdefault(_folded(variant), (variant, left))
    return Glossary(
        variants=tuple(variants.values()),
        names=tuple(dict.fromkeys(names)),
        speakers=tuple(speakers),
        notes=tuple(notes),
    )


def one_line_glossary(text: str, *, source: str) -> Glossary:
    """Read a glossary whose lines are separated by semicolons, where line breaks can't be."""
    return parse_glossary(text.replace(";", "\n"), source=source)


def _line(line: str) -> tuple[str, str, Sequence[str]]:
    for mark in "=:":
        if mark in line:
            left, _, right = line.partition(mark)
            parts = [right] if mark == "=" else right.split(",")
            return mark, left.strip(), [part.strip() for part in parts if part.strip()]
    return "", line, []


def _complaint(kind: str, left: str, right: Sequence[str]) -> str:
    if not left or (kind and not right):
        return "write `Name: how it is heard, another way` or `SPEAKER_00 = Name`"
    if max(map(len, (left, *right))) > _LONGEST_NAME_CHARACTERS:
        return f"a name has at most {_LONGEST_NAME_CHARACTERS} characters"
    if len(right) > _MOST_VARIANTS:
        return f"a name has at most {_MOST_VARIANTS} ways to be heard"
    if not all(any(map(str.isalnum, each)) for each in (left, *right)):
        return "a name has letters or digits"
    return ""


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()

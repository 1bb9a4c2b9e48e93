"""Any JSON whose objects carry a text, and maybe who says it and when.

Azure, ElevenLabs, Fireflies, Gladia, Podcasting 2.0, Rev, Speechmatics, Symbl, Vosk, YouTube and many
more tell the same three things under other names (families.py). So one reader looks for lists of
objects that have a text, takes speaker and time from them or from what they lie in, and believes the
list that has all the words and knows most about them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from core.transcripts.formats import families
from core.transcripts.turns import (
    Segment,
    first_speaker,
    fullest,
    in_order_of_time,
    known_seconds,
    segments_of_words,
    speaker_name,
)

# What is said about a conversation, and not in it.
_ASIDE_NAMES = (
    "summary summaries summarization translation translations chapters topics highlights entities"
    " actionitems sentiment sentiments sentimentanalysis sentimentanalysisresults keywords metadata error"
    " errors choices questions lexical itn maskeditn categories issuesdetected aifilters analytics"
    " keyquestions chaptersummaries keypoints keytakeaways takeaways outline overview tasks nextsteps"
    " followups ocr gist warnings subtitles autohighlightsresult iabcategoriesresult contentsafetylabels"
)
_ASIDE = frozenset(_ASIDE_NAMES.split())
_ALTERNATIVES = frozenset({"alternatives", "nbest"})  # only the first is meant
_PUNCTUATION = frozenset({"punct", "punctuation"})
_MOST_WORDS_OF_A_WORD = 1.5  # on average, for a list to be one of words
# Somebody who talks says 5 to 25 letters in a second. Times in other units than that tell by it.
_LETTERS_A_SECOND = 15.0
_UNITS = (1.0, 1e-3, 1e-7)  # seconds, milliseconds, ticks of 100 ns
_FEWEST_TO_TELL_A_UNIT = 2


class _Piece(NamedTuple):
    text: str
    speaker: Any
    starts_at: float | None
    ends_at: float | None
    is_supposed: bool  # the unit of the times
    kind: str  # "word", "punct", "spacing", or whatever a format has
    list_id: int  # of the list that the piece is in


@dataclass
class _Found:
    """What the walk through a document has come upon."""

    lists: dict[str, list[_Piece]] = field(default_factory=dict)  # by path, without indices
    people: dict[str, str] = field(default_factory=dict)


class _Context(NamedTuple):
    """What the objects around say of all that lies in them."""

    speaker: Any = None
    starts_at: float | None = None
    ends_at: float | None = None
    is_supposed: bool = False
    kind: str = ""
    list_id: int = 0


def segments(document: Any) -> list[Segment]:
    """Return what is said in the document, or nothing."""
    found = _Found()
    _walk(document, "", _Context(), found)
    families.forget_shapes()
    lists = list(found.lists.values())
    told = [list(_of_list(chunks, found.people)) for chunks in lists]
    ranked = sorted(zip(told, lists, strict=True), key=lambda pair: _knowledge(*pair), reverse=True)
    return fullest(segments for segments, _ in ranked)


def _walk(node: Any, path: str, around: _Context, found: _Found) -> None:
    """core.transcripts.formats has refused what is nested so deep that this could not end."""
    if isinstance(node, list):
        name = path.rpartition(".")[2]
        if name not in _ALTERNATIVES:
            around = around._replace(list_id=id(node))
        for item in node[:1] if name in _ALTERNATIVES else node:
            _walk(item, f"{path}[]" if isinstance(item, list) else path, around, found)
        return
    if not isinstance(node, dict) or not node:
        return
    members = families.plain_members(node)
    here = _context(members, around)
    if text := families.text_in(members):
        found.lists.setdefault(path, []).append(_Piece(text, *here))
    for name, value in node.items():
        if not isinstance(value, dict | list) or not value:
            continue
        plain = families.plain_name(name)
        if plain not in _ASIDE:
            found.people.update(families.people_in(name, value))
            _walk(value, f"{path}.{plain}", here, found)


def _context(members: dict[str, Any], around: _Context) -> _Context:
    speaker = families.speaker_in(members)
    starts_at, is_supposed = families.start_in(members)
    ends_at, _ = families.end_in(members)
    if starts_at is None:
        starts_at, ends_at, is_supposed = around.starts_at, around.ends_at, around.is_supposed
    kind = members.get("type") or members.get("kind")
    return _Context(
        around.speaker if speaker is None else speaker,
        starts_at,
        ends_at,
        is_supposed,
        kind.lower() if isinstance(kind, str) else around.kind,
        around.list_id,
    )


def _of_list(chunks: list[_Piece], people: dict[str, str]) -> Iterator[Segment]:
    unit = _unit(chunks)
    first = _first_number(chunks)
    told = []
    for chunk in chunks:
        factor = unit if chunk.is_supposed else 1.0
        told.append(
            (
                Segment(
                    _name(chunk.speaker, people, first),
                    chunk.text,
                    _scaled(chunk.starts_at, factor),
                    _scaled(chunk.ends_at, factor),
                ),
                chunk,
            )
        )
    spoken = [segment.text.split() for segment, _ in told if segment.text.strip()]
    if sum(map(len, spoken)) <= len(spoken) * _MOST_WORDS_OF_A_WORD and len(spoken) > 1:
        yield from segments_of_words(_words(told))
    else:
        yield from in_order_of_time(segment for segment, _ in told)


def _words(told: list[tuple[Segment, _Piece]]) -> Iterator[Segment]:
    """Put together what is written together: a word and the punctuation that is an item of its own."""
    has_own_spaces = any(segment.text != segment.text.strip() for segment, _ in told)
    word: Segment | None = None
    is_open = False  # the word may go on
    list_id = 0
    for segment, chunk in told:
        text = segment.text
        is_apart = chunk.list_id != list_id or text[:1].isspace() or chunk.kind == "word"
        is_joined = chunk.kind in _PUNCTUATION or (has_own_spaces and is_open and not is_apart)
        list_id = chunk.list_id
        if word and is_joined and text.strip():
            word = word._replace(text=word.text + text.strip())
        elif text.strip():
            if word:
                yield word
            word = segment._replace(text=text.strip())
        is_open = bool(text.strip()) and not text[-1:].isspace()
    if word:
        yield word


def _unit(chunks: list[_Piece]) -> float:
    """Return the seconds of the unit in which talk has the speed of talk."""
    times = [
        chunk.starts_at for chunk in chunks if chunk.is_supposed and chunk.starts_at is not None
    ]
    if len(set(times)) < _FEWEST_TO_TELL_A_UNIT or not all(map(math.isfinite, times)):
        return 1.0
    steps = [abs(after - before) for before, after in pairwise(times) if after != before]
    letters = median(max(len(chunk.text), 1) for chunk in chunks)
    expected = max(letters / _LETTERS_A_SECOND, 0.05)
    return min(_UNITS, key=lambda unit: abs(math.log(median(steps) * unit / expected)))


def _scaled(seconds: float | None, unit: float) -> float | None:
    return None if seconds is None else known_seconds(seconds * unit)


def _first_number(chunks: list[_Piece]) -> int:
    """Services count their speakers from 0 or from 1."""
    return first_speaker({chunk.speaker for chunk in chunks})


def _name(speaker: Any, people: dict[str, str], first: int) -> str:
    if speaker is None:
        return ""
    if str(speaker) in people:
        return people[str(speaker)]
    return speaker_name(speaker, first=first)


def _knowledge(told: list[Segment], chunks: list[_Piece]) -> tuple[bool, bool, float]:
    """Order by what a list knows of its words; of equals the one that has them in larger pieces."""
    speakers = {segment.speaker for segment in told}
    letters = sum(len(chunk.text) for chunk in chunks)
    return (
        bool(speakers - {""}),
        any(segment.starts_at is not None for segment in told),
        letters / max(len(chunks), 1),
    )

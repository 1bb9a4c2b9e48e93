"""Plain text: prose and Markdown as they are, and what meeting tools export as text.

    [00:12:33] Ann Lee: words        a time, a speaker, both or neither before the words
    Ann Lee  0:03                    Otter and Teams: the words follow on lines of their own
    Ann Lee 0 minutes 3 seconds      Teams in the browser
    [Ann Lee] 10:02:33               Zoom's saved captions
    10:02:33 From Ann Lee to Everyone: words   Zoom's chat

Nothing but times and repeated labels is ever left out.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from core.formats.labels import is_name, names_in, split_label
from core.turns import (
    Remark,
    Turn,
    known_seconds,
    merged,
    readable_label,
    seconds_of_clock,
    verbatim,
)

_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_STAMP = re.compile(
    rf"\s*(?:\[({_CLOCK})(?:\s*(?:-->|->|-|–|—)\s*{_CLOCK})?\]|\(({_CLOCK})\)"
    rf"|({_CLOCK})(?=\s|$)(?!\s*(?:--?>|→|[-–—])\s*\d))"  # `12:30 - 13:00 lunch` is a programme
    r"(?:\s*[-–—](?=\s))?\s*"
)
_HEADINGS = (
    re.compile(rf"(?P<name>\S.{{0,79}}?)(?P<gap>\s+)(?P<clock>{_CLOCK})\s*"),
    re.compile(rf"\[(?P<name>[^\]]{{1,79}})\](?P<gap>\s+)(?P<clock>{_CLOCK})\s*"),
    re.compile(rf"(?P<name>\S.{{0,79}}?)(?P<gap>\s+)[\[(](?P<clock>{_CLOCK})[\])]:?\s*"),
    re.compile(
        r"(?P<name>\S.{0,79}?)(?P<gap>\s+)(?:(?P<hours>\d{1,4}) hours? )?"
        r"(?:(?P<minutes>\d{1,4}) minutes? )?"
        r"(?P<seconds>\d{1,4}) seconds?\s*"
    ),
)
_DOUBTFUL_HEADINGS = _HEADINGS[:1]  # without wide space it may be prose: `The Tide Turns at 10:30`
_CLOCK_ALONE = re.compile(rf"\s*{_CLOCK}\s*")
_CHAT = re.compile(
    rf"\s*({_CLOCK})\s+From\s{{1,3}}(\S.{{0,79}}?)\s{{1,3}}to\s[^:]{{1,80}}:(?:\s+|$)", re.I
)
_NAME_THEN_STAMP = re.compile(rf"(\s*\S[^:\n]{{0,59}}?)\s*[\[(]({_CLOCK})[\])]\s*:(?=\s|$)")
_SIGNATURE = re.compile(r"\s*Transcribed by https://otter\.ai/?\s*")
_FEWEST_STAMPED = 0.3  # of all lines, for times to be taken for such where nobody is named
_FEWEST_BARE = 0.5  # for times without brackets where nobody is named behind them
_MOST_FALLING = 0.1  # of all times, for the rest to make sense
_LONGEST_HEADING = 120


class _Line(NamedTuple):
    at: float | None  # seconds
    words: str
    is_bare: bool = False  # a time without brackets: `10:30 we sail` is one too


def read(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return which kind of text this is, and the turns."""
    lines = text.split("\n")
    if headings := _headings(lines):
        return "headed-text", merged(_below(headings, lines))
    stamped = _stamped(lines)
    names = names_in(line.words for line in stamped)
    fewest = _FEWEST_STAMPED * sum(1 for line in lines if line.strip())
    if names or sum(line.at is not None for line in stamped) >= max(fewest, 1):
        return "labelled-text", merged(_of_lines(stamped, names))
    return "text", verbatim(lines)


def _of_lines(lines: list[_Line], names: frozenset[str]) -> Iterator[Remark]:
    speaker, at = "", None  # of the line before, and of one that goes on with it
    for line in lines:
        label, words = split_label(line.words, names)
        if label or line.at is not None or _is_title(words):
            speaker, at = readable_label(label), line.at
        yield Remark(speaker, words, at)


def _stamped(lines: list[str]) -> list[_Line]:
    stamped = [_split_stamp(line) for line in lines]
    bare = [line for line in stamped if line.is_bare]
    fewest = _FEWEST_BARE * sum(1 for line in lines if line.strip())
    is_likely = len(bare) >= fewest or names_in(line.words for line in bare)
    if is_likely and _is_in_order([line.at for line in bare if line.at is not None]):
        return stamped
    return [
        _Line(None, whole) if line.is_bare else line
        for line, whole in zip(stamped, lines, strict=True)
    ]


def _split_stamp(line: str) -> _Line:
    if chat := _CHAT.match(line):
        return _Line(seconds_of_clock(chat[1]), f"{chat[2]}: {line[chat.end() :]}")
    if stamp := _STAMP.match(line):
        clock = stamp[1] or stamp[2] or stamp[3]
        return _Line(seconds_of_clock(clock), line[stamp.end() :], is_bare=stamp[3] is not None)
    if named := _NAME_THEN_STAMP.match(line):
        return _Line(seconds_of_clock(named[2]), f"{named[1]}: {line[named.end() :]}")
    return _Line(None, line)


def _is_title(line: str) -> bool:
    return line.startswith("#")


class _Heading(NamedTuple):
    number: int  # of its line
    name: str
    at: float


def _headings(lines: list[str]) -> list[_Heading]:
    """Return the lines that say who speaks below them from when on; none unless all makes sense."""
    found: list[_Heading] = []
    is_first = True
    is_apart = True  # behind a blank line or another heading
    for index, line in enumerate(lines):
        heading = _heading(line, index, is_apart=is_apart)
        if heading:
            found.append(heading)
        is_apart = not line.strip() or heading is not None
        if line.strip() and is_first:
            is_first = False
            is_at_top = heading is not None
    if not found or not (len(found) > 1 or is_at_top):
        return []
    ends = [heading.number for heading in found[1:]] + [len(lines)]
    followed = sum(
        any(line.strip() for line in lines[heading.number + 1 : end])
        for heading, end in zip(found, ends, strict=True)
    )
    is_sensible = followed * 2 >= len(found) and _is_in_order([heading.at for heading in found])
    return found if is_sensible else []


def _heading(line: str, index: int, *, is_apart: bool) -> _Heading | None:
    if len(line) > _LONGEST_HEADING or not line.strip():
        return None
    for pattern in _HEADINGS:
        parts = pattern.fullmatch(line)
        if not parts or not is_name(parts["name"]):
            continue
        is_wide = len(parts["gap"]) > 1 or "\t" in parts["gap"]
        seconds = _seconds_of(parts)
        if seconds is not None and (is_wide or is_apart or pattern not in _DOUBTFUL_HEADINGS):
            return _Heading(index, parts["name"], seconds)
    return None


def _seconds_of(parts: re.Match[str]) -> float | None:
    named = parts.groupdict()
    if "clock" in named:
        return seconds_of_clock(named["clock"])
    hours, minutes, seconds = (int(named[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    return known_seconds(hours * 3600.0 + minutes * 60 + seconds)


def _below(headings: list[_Heading], lines: list[str]) -> Iterator[Remark]:
    for line in lines[: headings[0].number]:
        yield Remark("", line)
    ends = [heading.number for heading in headings[1:]] + [len(lines)]
    for heading, end in zip(headings, ends, strict=True):
        for line in lines[heading.number + 1 : end]:
            is_its_time = _CLOCK_ALONE.fullmatch(line) and seconds_of_clock(line) == heading.at
            if not is_its_time and not _SIGNATURE.fullmatch(line):
                yield Remark(readable_label(heading.name), line, heading.at)


def _is_in_order(times: list[float]) -> bool:
    """Say whether times rise; where people talk at once, a few may not."""
    falling = sum(later < earlier for earlier, later in pairwise(times))
    return falling <= len(times) * _MOST_FALLING

"""Lines that say who speaks below them, and from when on: `Ann Lee  0:03`."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from core.transcripts.formats import stamps
from core.transcripts.formats.names import (
    LONGEST_NAME,
    bare,
    can_be_name,
    is_like_a_sentence,
    is_name,
)
from core.transcripts.formats.stamps import CLOCK
from core.transcripts.turns import Segment, known_seconds, readable_label, seconds_of_clock

_NAME = rf"(?P<name>\S.{{0,{LONGEST_NAME - 1}}}?)"
_UNTIL = rf"(?:\s*(?:--?>|→|[-–—])\s*{CLOCK})?"
_HALF_OF_DAY = r"(?:\s?[AaPp]\.?[Mm]\.?)?"
_TRAILING = re.compile(rf"{_NAME}(?P<gap>\s+)(?P<clock>{CLOCK}){_UNTIL}{_HALF_OF_DAY}\s*")
_LEADING = re.compile(
    rf"\s*[\[(]?(?P<clock>{CLOCK}){_UNTIL}[\])]?(?P<gap>\s*[-–—|:]\s+|\s+){_NAME}\s*"
)
_OTHERS = (
    re.compile(
        rf"\[(?P<name>[^\]]{{1,{LONGEST_NAME}}})\](?P<gap>\s+)(?P<clock>{CLOCK}){_HALF_OF_DAY}\s*"
    ),
    re.compile(rf"{_NAME}(?P<gap>\s*)[\[(](?P<clock>{CLOCK}){_UNTIL}[\])]:?\s*"),
    re.compile(
        rf"{_NAME}(?P<gap>\s*[|,·@•]\s*|\s+[-–—]\s+|\s+at\s+)(?P<clock>{CLOCK}){_UNTIL}{_HALF_OF_DAY}\s*"
    ),
    re.compile(
        rf"{_NAME}(?P<gap>\s+)(?:(?P<hours>\d{{1,4}}) hours? )?"
        r"(?:(?P<minutes>\d{1,4}) minutes? )?"
        r"(?P<seconds>\d{1,4}) seconds?\s*"
    ),
)
_DOUBTFUL = (_TRAILING, _OTHERS[2])
_HAS_TIME = re.compile(r"\d:\d\d|\d second")
# What each of these ends with. Words behind a time, as most lines have, would cost them all a long search.
_TIME_LAST = re.compile(r"(?:\d(?:\s?[AaPp]\.?[Mm]\.?|[\])]:?)?|seconds?)\s*\Z")
_LONGEST_LAST = 16  # characters
_TIME_AT_END = re.compile(rf"(?<![\d:.,]){CLOCK}$")  # of `Ann Lee 0:03 - 0:07`
_WIDE = re.compile(r"\s{3,}")  # a pattern that can part a gap in many ways would take long to fail
_SIGNATURE = re.compile(
    r"\s*(?:Transcribed by https://otter\.ai/?|Meeting ended (?:after|at) [\d:]{4,8}.{0,3})\s*"
)
_MOST_FALLING = 0.1  # of all times, for the rest to make sense
_FEWEST_FOLLOWED = 0.8  # of the headings that begin with a time
_FEWEST_REPEATED = 0.5
_MOST_INITIALS = 3
_LONGEST_HEADING = LONGEST_NAME + 50


class Heading(NamedTuple):
    number: int  # of its line
    name: str
    at: float
    end: int  # the number of the first line below


class _Found(NamedTuple):
    heading: Heading
    shape: tuple[str, bool]  # which pattern, and whether the gap is wide
    is_sure: bool
    needs_repetition: bool = False  # as the shape of many other lines


def find(lines: list[str]) -> list[Heading]:
    """Return the lines that say who speaks below them from when on; none unless all makes sense."""
    for search in (_on_one_line, _time_first, _on_two_lines):
        found = search(lines)
        if _is_sensible(found, lines):
            return found
    return []


def below(headings: list[Heading], lines: list[str]) -> Iterator[Segment]:
    for line in lines[: _top(headings[0], lines)]:
        yield Segment("", line)
    ends = [_top(heading, lines) for heading in headings[1:]] + [len(lines)]
    for heading, end in zip(headings, ends, strict=True):
        for line in lines[heading.end : end]:
            if stamps.alone(line) != heading.at and not is_signature(line):
                yield Segment(readable_label(heading.name), line, heading.at)


def _top(heading: Heading, lines: list[str]) -> int:
    """Return where a heading begins: copied from a page, it has the name or a face's initials above."""
    top = heading.number
    initials = "".join(word[0] for word in heading.name.split() if word[0].isalpha())
    for above in range(heading.number - 1, heading.number - 5, -1):
        line = lines[above].strip() if above >= 0 else ""
        is_face = (
            line.isupper()
            and 1 < len(line) <= _MOST_INITIALS
            and line in {initials, initials[::-1]}
        )
        if not line:
            continue
        if line != heading.name and not is_face and stamps.alone(line) != heading.at:
            break
        top = above
    return top


def is_signature(line: str) -> bool:
    """Say whether a line is the tool's own, at the end."""
    return _SIGNATURE.fullmatch(line) is not None


def is_in_order(times: list[float]) -> bool:
    """Say whether times rise; where people talk at once, a few may not."""
    falling = sum(later < earlier for earlier, later in pairwise(times))
    return falling <= len(times) * _MOST_FALLING


def _on_one_line(lines: list[str]) -> list[Heading]:
    found: list[_Found] = []
    is_apart = True  # behind a blank line or another heading
    for index, line in enumerate(lines):
        one = _trailing(line, index, is_apart=is_apart)
        if one:
            found.append(one)
        is_apart = not line.strip() or one is not None
    starts = sum(bool(line.strip()) and not above.strip() for above, line in pairwise(["", *lines]))
    are_all = len(found) > 1 and len(found) >= starts * _FEWEST_FOLLOWED
    sure = {one.shape for one in found if one.is_sure}
    counted = Counter(one.heading.name for one in found)
    return [
        one.heading
        for one in found
        if one.is_sure
        or counted[one.heading.name] > 1
        or (one.shape in sure and (are_all or not one.needs_repetition))
    ]


def _trailing(line: str, index: int, *, is_apart: bool) -> _Found | None:
    if len(line) > _LONGEST_HEADING or not line.strip():
        return None
    if not _HAS_TIME.search(line):
        return None
    text = _WIDE.sub("  ", stamps.untitled(_unbolded(line)))
    if not _TIME_LAST.search(text[-_LONGEST_LAST:]):
        return None
    for pattern in (*_OTHERS, _TRAILING):
        parts = pattern.fullmatch(text)
        if not parts or not can_be_name(name := _name(parts)) or _TIME_AT_END.search(name[-20:]):
            continue
        seconds = _seconds_of(parts)
        is_wide = parts["gap"].isspace() and (len(parts["gap"]) > 1 or "\t" in parts["gap"])
        is_doubtful = pattern in _DOUBTFUL and not is_wide  # `The Tide Turns at 10:30`
        if seconds is not None and (is_apart or not is_doubtful):
            return _Found(
                Heading(index, name, seconds, index + 1),
                (pattern.pattern, is_wide),
                is_sure=is_name(name),
                needs_repetition=is_doubtful,
            )
    return None


def _time_first(lines: list[str]) -> list[Heading]:
    """Find `[0:03] - Ann Lee` with the words below; names have to come again, as topics do not."""
    found: list[Heading] = []
    timed = 0
    for index, line in enumerate(lines):
        if len(line) > _LONGEST_HEADING or not _HAS_TIME.search(line):
            continue
        parts = _LEADING.fullmatch(_WIDE.sub("  ", stamps.untitled(_unbolded(line))))
        if not parts:
            continue
        timed += 1
        seconds, name = _seconds_of(parts), _name(parts)
        is_followed = index + 1 < len(lines) and bool(lines[index + 1].strip())
        is_followed = is_followed and not _LEADING.match(lines[index + 1][:_LONGEST_HEADING])
        if seconds is not None and is_followed and can_be_name(name) and ":" not in name:
            found.append(Heading(index, name, seconds, index + 1))
    return found if len(found) >= timed * _FEWEST_FOLLOWED and _come_again(found) else []


def _on_two_lines(lines: list[str]) -> list[Heading]:
    """Find a name and below it a time, or the other way round, with the words below both."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for is_time_first in (False, True):
        found: list[Heading] = []
        for first, second in pairwise(filled):
            time, name = (first, second) if is_time_first else (second, first)
            seconds = stamps.alone(lines[time])
            if seconds is None:
                continue
            text = bare(stamps.untitled(_unbolded(lines[name])).strip().rstrip(":："))
            if len(text) <= LONGEST_NAME and can_be_name(text):
                found.append(Heading(first, text, seconds, second + 1))
        if _come_again(found):
            counted = Counter(heading.name for heading in found)
            return [
                one
                for one in found
                if counted[one.name] > 1 or is_name(one.name) or not is_like_a_sentence(one.name)
            ]
    return []


def _come_again(found: list[Heading]) -> bool:
    counted = Counter(heading.name for heading in found)
    repeated = sum(count for count in counted.values() if count > 1)
    return len(found) > 1 and repeated >= len(found) * _FEWEST_REPEATED


def _is_sensible(found: list[Heading], lines: list[str]) -> bool:
    if not found:
        return False
    top = next(index for index, line in enumerate(lines) if line.strip())
    if len(found) == 1 and found[0].number != top:
        return False
    ends = [heading.number for heading in found[1:]] + [len(lines)]
    followed = sum(
        any(line.strip() for line in lines[heading.end : end])
        for heading, end in zip(found, ends, strict=True)
    )
    return followed * 2 >= len(found) and is_in_order([heading.at for heading in found])


def _unbolded(line: str) -> str:
    return line.replace("**", "").replace("__", "") if line.lstrip("#>-* ") != line else line


def _name(parts: re.Match[str]) -> str:
    return bare(parts["name"].strip().rstrip(":："))


def _seconds_of(parts: re.Match[str]) -> float | None:
    named = parts.groupdict()
    if "clock" in named:
        return seconds_of_clock(named["clock"])
    hours, minutes, seconds = (int(named[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    return known_seconds(hours * 3600.0 + minutes * 60 + seconds)

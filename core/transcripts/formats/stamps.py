"""Times in lines of text, and Markdown's bold names: what stands around a label before it is judged."""

import re
from typing import NamedTuple

from core.transcripts.formats.names import LONGEST_NAME
from core.transcripts.turns import known_seconds, seconds_of_clock

CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,6}|(?<=:\d\d:\d\d):\d{2,3})?"
_HALF_OF_DAY = r"(?:\s?[AaPp]\.?[Mm]\b\.?)?"
_DATE = (
    r"(?:(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}[ -][A-Za-z]{3,9}\.?[ ,-]{1,2}\d{2,4}"
    r"|[A-Z][a-z]{2,8}\.? \d{1,2},? \d{4})\.?,?(?:\s{1,3}(?:at\s)?|T))?"  # `12/03/2024, 10:02 - Ann: words`
)
_TO = r"\s*(?:--?>|→|[-–—]|to)\s*"
_SECONDS = r"\d{1,6}(?:\.\d{1,6}s?|s)"  # `[1-3]` is a reference
_ENCLOSED = (
    rf"[\[(]\s{{0,3}}(?:{_DATE}(?P<enclosed>{CLOCK}){_HALF_OF_DAY}Z?(?:{_TO}{CLOCK})?"
    rf"|(?P<seconds>{_SECONDS}){_TO}{_SECONDS})\s{{0,3}}[\])]"
)
_HAS_CLOCK = re.compile(r"\d:\d\d|\ds?\s*-")
# Behind a time, before a name: `[0:03] - Ann`, `0:03 : Ann : words`, `[0:00 - 0:03]: words`
_BEHIND = r"(?:\s*[-–—:|](?=\s|$))?\s*"
_LEADING = re.compile(
    rf"\s*(?:{_ENCLOSED}"
    rf"|(?P<date>{_DATE})(?P<bare>{CLOCK}){_HALF_OF_DAY}(?=\s|$|:\s)"
    rf"(?!\s*(?:--?>|→|[-–—])\s*\d))"  # `12:30 - 13:00 lunch` is a programme
    rf"{_BEHIND}"
)
_ENCLOSED_ALONE = re.compile(rf"\s*{_ENCLOSED}\s*:?\s*")
_LONG_CLOCK = r"\d{1,2}:\d{2}:\d{2}(?:[.,:]\d{1,6})?"
_ALONE = re.compile(
    rf"\s*(?:[\[(]?(?P<at>{CLOCK}){_HALF_OF_DAY}[\])]?"
    rf"|[\[(]\s?(?P<enclosed>{CLOCK}){_TO}{CLOCK}\s?[\])]|(?P<long>{_LONG_CLOCK}){_TO}{_LONG_CLOCK})\s*"
)
_CHAT = re.compile(
    rf"\s*({CLOCK})\s+From\s{{1,3}}(\S.{{0,149}}?)\s{{0,3}}(?:\sto\s[^:]{{1,80}})?:(?:\s+|$)", re.I
)
_BEHIND_NAME = re.compile(
    rf"(?P<name>\s*\S[^:\n]{{0,{LONGEST_NAME}}}?)\s{{0,9}}"
    rf"(?:{_ENCLOSED}|(?<=\s)(?P<bare>{CLOCK}))\s{{0,3}}:(?=\s|$)\s*"
)
_BETWEEN = re.compile(
    rf"\s*(?P<name>\S[^:\n]{{0,{LONGEST_NAME}}}?)\s{{1,9}}"
    rf"(?:{_ENCLOSED}|(?P<bare>{CLOCK}))"
    r"\s{0,3}(?:[-–—|]\s+|\s)\s*(?P<words>\S.*)"
)
_BOLD = re.compile(
    rf"(?P<mark>\s{{0,8}}(?:[-*•>]\s+|#{{1,6}}\s+|\d{{1,4}}[.)]\s+)?)"
    rf"(?P<sign>\*\*\*|\*\*|__)(?P<bold>[^*_\s][^*]{{0,{LONGEST_NAME}}}?)(?P=sign)\s*(?P<rest>.*)"
)
_TITLE = re.compile(rf"\s{{0,3}}#{{1,6}}\s+(?P<name>\S.{{0,{LONGEST_NAME}}})$")


class Line(NamedTuple):
    at: float | None  # seconds
    words: str
    is_bare: bool = False  # a time without brackets: `10:30 we sail` is one too


def split(line: str) -> Line:
    """Part a line from the time it begins with, or that stands before its colon."""
    if chat := _CHAT.match(line):
        return Line(seconds_of_clock(chat[1]), f"{chat[2]}: {line[chat.end() :]}")
    if stamp := _LEADING.match(line):
        return Line(_seconds(stamp), line[stamp.end() :], is_bare=_is_bare(stamp))
    named = _BEHIND_NAME.match(line) if _HAS_CLOCK.search(line) else None
    if named:
        return Line(_seconds(named), f"{named['name']}: {line[named.end() :]}")
    return Line(None, line)


def split_between(line: str) -> Line:
    """Part `Ann Lee 0:03 words` into the time and `Ann Lee: words`."""
    parts = _BETWEEN.match(line) if _HAS_CLOCK.search(line) else None
    return Line(_seconds(parts), f"{parts['name']}: {parts['words']}") if parts else split(line)


def is_between(line: str) -> str:
    """Return the name before a time in the middle of a line, or ""."""
    parts = _BETWEEN.match(line) if _HAS_CLOCK.search(line) else None
    return parts["name"] if parts else ""


def split_behind_label(words: str) -> Line:
    """Part what follows a label from a time in brackets, or from a time that is all."""
    if enclosed := _ENCLOSED_ALONE.match(words):
        return Line(_seconds(enclosed), words[enclosed.end() :])
    return Line(alone(words), "") if alone(words) is not None else Line(None, words)


def alone(line: str) -> float | None:
    """Return the time of a line that holds nothing else."""
    found = _ALONE.fullmatch(line) if len(line) <= LONGEST_NAME else None
    return seconds_of_clock(found["at"] or found["enclosed"] or found["long"]) if found else None


def plain(line: str) -> str:
    """Return a line whose beginning is bold as `Name: words`; any other as it is."""
    bold = _BOLD.match(line)
    if not bold:
        return line
    name, rest = bold["bold"].strip(), bold["rest"]
    if rest.startswith((":", "：")) or name.endswith((":", "：")) or _is_time_first(rest):
        return f"{name}{'' if rest.startswith((':', '：')) else ' '}{rest}"
    if alone(name) is not None:
        return f"{name} {rest}"
    return f"{name}: {rest}"


def untitled(line: str) -> str:
    """Return a Markdown heading without its mark."""
    title = _TITLE.match(line)
    return title["name"] if title else line


def _is_time_first(rest: str) -> bool:
    return bool(_LEADING.match(rest))


def _is_bare(stamp: re.Match[str]) -> bool:
    """Say whether the time has neither brackets nor a date, over which times begin anew."""
    return stamp["bare"] is not None and not stamp["date"]


def _seconds(parts: re.Match[str]) -> float | None:
    groups = parts.groupdict()
    if seconds := groups.get("seconds"):
        return known_seconds(float(seconds.rstrip("s")))
    return seconds_of_clock(groups.get("enclosed") or groups.get("bare") or "")

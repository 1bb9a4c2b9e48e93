"""What tools put around times and names in text: links, italics, tags of songs, columns of seconds.

It is taken off, or written the way that stamps.py and labels.py read, before they look at the lines.
"""

import re

from core.transcripts.formats import stamps
from core.transcripts.formats.stamps import CLOCK

_LINKED = re.compile(rf"\[\s{{0,3}}\[?({CLOCK})\]?\s{{0,3}}\]\([^()\s]{{1,2000}}\)")
_SLANTED = re.compile(rf"(?<![\w*_`])([_*`])[\[(]?({CLOCK})[\])]?\1(?![\w*_`])")
_TITLE = re.compile(rf"\s{{0,3}}#{{1,6}}\s{{1,3}}(?={CLOCK}\s*$)")
_SONG_TAG = re.compile(
    r"\s*\[(?:ti|ar|al|au|by|re|ve|la|id|tool|length|offset|lr):[^\[\]]{0,300}\]\s*", re.I
)
_SONG_TIME = re.compile(r"\s*\[\d{1,3}:\d{2}(?:[.:]\d{1,3})?\]")
_WORD_TIME = re.compile(r"<\d{1,3}:\d{2}[.:]\d{2,3}>[ \t]?")
_SPEAKER_ABOVE = re.compile(r"(?i:speaker)(?i: name)?\s?:\s{0,3}([^\s:][^:]{0,80})$")
_SECONDS = re.compile(r"\s{0,3}(\d{1,6}\.\d{1,6})[ \t]{1,9}(\d{1,6}\.\d{1,6})[ \t]{1,9}(?=\S)")
_SPELLED = re.compile(
    r"\s*(?:(\d{1,3}) hours?,? ?)?(?:(\d{1,3}) minutes?,? ?)?(?:(\d{1,3}) seconds?)?\s*"
)
_FEWEST_IN_COLUMNS = 0.8


def tidy(lines: list[str]) -> list[str]:
    """Return as many lines; those of which nothing is left are empty."""
    lines = [_unmarked(line) for line in lines]
    if sum(_SONG_TIME.match(line) is not None for line in lines) > 1:
        lines = ["" if _SONG_TAG.fullmatch(line) else _WORD_TIME.sub("", line) for line in lines]
    lines = _without_spelled_times(_with_speakers_above(lines))
    return _with_seconds_in_brackets(lines)


def _unmarked(line: str) -> str:
    """Take off a heading's mark, a link or a slant around a time.

    Each pattern is tried only where its sign is: at every character of every line they took a tenth of the
    time that a transcript takes to be read.
    """
    if "#" in line:
        line = _TITLE.sub("", line)
    if "](" in line:
        line = _LINKED.sub(r"[\1]", line)
    if "*" in line or "_" in line or "`" in line:
        line = _SLANTED.sub(r"[\2]", line)
    return line


def _with_speakers_above(lines: list[str]) -> list[str]:
    """Make `SPEAKER: S1`, with the words below, a label: who speaks is not called Speaker."""
    above = [_SPEAKER_ABOVE.match(line) for line in lines]
    found = [index for index, one in enumerate(above) if one]
    names = {one[1].strip() for one in above if one}
    followed = sum(index + 1 < len(lines) and bool(lines[index + 1].strip()) for index in found)
    if len(found) < 2 or len(names) == len(found) > 2 or followed < len(found):  # noqa: PLR2004
        return lines
    return [f"{one[1].strip()}:" if one else line for one, line in zip(above, lines, strict=True)]


def _without_spelled_times(lines: list[str]) -> list[str]:
    """Leave out `5 seconds` beside `0:05`: it is the same for who can't see the page."""
    told = list(lines)
    for index, line in enumerate(lines):
        spelled = _SPELLED.fullmatch(line) if "second" in line or "minute" in line else None
        if spelled:
            hours, minutes, seconds = (int(part or 0) for part in spelled.groups())
            beside = lines[max(index - 1, 0) : index] + lines[index + 1 : index + 2]
            if float(hours * 3600 + minutes * 60 + seconds) in map(stamps.alone, beside):
                told[index] = ""
    return told


def _with_seconds_in_brackets(lines: list[str]) -> list[str]:
    """Put the two columns of times that diarisation scripts and label tracks begin lines with apart."""
    found = [_SECONDS.match(line) for line in lines]
    in_order = sum(one is not None and float(one[1]) <= float(one[2]) for one in found)
    filled = sum(1 for line in lines if line.strip())
    if in_order < 2 or in_order < filled * _FEWEST_IN_COLUMNS:  # noqa: PLR2004
        return lines
    return [
        f"[{one[1]}s - {one[2]}s] {line[one.end() :]}" if one else line
        for one, line in zip(found, lines, strict=True)
    ]

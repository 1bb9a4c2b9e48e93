"""WebVTT and SubRip captions.

Our own reader: webvtt-py and its like leave out a caption whose times they can't read, and the words
with it. Here times that can't be read cost the time, never the words.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter

from core.formats.labels import is_name, names_in, split_label
from core.turns import Remark, known_seconds, readable_label, seconds_of_clock

_CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{1,2}(?:[.,]\d{1,9})?"
# Behind the times only settings may stand: `12:30 -> 13:00 lunch` is text.
_SETTINGS = r"(?:\s+[A-Za-z]\w*:\S+)*\s*$"
_TIMES = re.compile(rf"\s*({_CLOCK})\s*(?:--?>|→)\s*({_CLOCK})?{_SETTINGS}")
_SURE_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}{_SETTINGS}")
_UNREADABLE_TIMES = re.compile(r"[\s\d:.,;xX?-]*-->[\s\d:.,;xX?-]*$")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:[ \t]([^<>]*))?>|</v>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|ruby|rt|br)(?:\.[^\s<>]*)? ?/?>|</?(?:font|span|lang)(?:[.\s][^<>]*)?>"
    rf"|<{_CLOCK}>|\{{\\[^{{}}]*\}}",
    re.IGNORECASE,
)
_LINES_TO_LOOK_AT = 12
_CHARACTERS_TO_LOOK_AT = 8_000

# Rolling captions repeat the line before. They are taken for such if so many captions do.
_FEWEST_REPEATING = 3
_SHARE_REPEATING = 0.3
_ADJACENT_SECONDS = 0.25
_MOST_WORDS_REPEATED = 80
_FEWEST_WORDS_REPEATED = 2
_FEWEST_WORDS_REPEATED_IN_OVERLAP = 3
_PUNCTUATION = ".,;:!?…-–—\"'“”‘’()[]♪"


@dataclass
class _Cue:
    starts_at: float | None = None
    ends_at: float | None = None
    lines: list[str] = field(default_factory=list)
    voice: str = ""


def looks_like_webvtt(text: str) -> bool:
    return re.match(r"\s*WEBVTT(?:\s|$)", text) is not None


def looks_like_subrip(text: str) -> bool:
    lines = (line for line in text[:_CHARACTERS_TO_LOOK_AT].split("\n") if line.strip())
    return any(_SURE_TIMES.match(line) for line in islice(lines, _LINES_TO_LOOK_AT))


def remarks(text: str) -> list[Remark]:
    cues = [cue for cue in _cues(text) if cue.lines]
    if _is_headed(cues):
        for cue in cues:
            cue.voice = readable_label(cue.lines.pop(0))
    names = names_in(line for cue in cues for line in cue.lines if not _VOICE.search(line))
    return list(_without_repetitions([remark for cue in cues for remark in _of_cue(cue, names)]))


def _cues(text: str) -> Iterator[_Cue]:
    """Read captions, with or without numbers, blank lines between them, and times that make sense."""
    is_webvtt = looks_like_webvtt(text)
    cue = _Cue()  # takes what stands before the first times
    is_begun = False
    for index, lines in enumerate(_blocks(text)):
        block = lines
        times = [line for line in block if _is_times(line)]
        if is_webvtt and index == 0:
            block = block[block.index(times[0]) :] if times else []
        elif is_webvtt and _is_aside(block[0], is_begun=is_begun):
            continue
        elif times and _is_identifier(block, is_webvtt=is_webvtt):
            block = block[1:]
        for position, line in enumerate(block):
            if _is_times(line):
                yield cue
                cue = _Cue(*_times(line))
                is_begun = True
            elif not _is_number_of_next(line, block, position):
                cue.lines.append(_TAG.sub("", line))
    yield cue


def _is_headed(cues: list[_Cue]) -> bool:
    """Say whether each caption has its speaker on a line above, as Teams exported once."""
    above = {cue.lines[0] for cue in cues}
    return 0 < len(above) < len(cues) and all(
        len(cue.lines) > 1 and is_name(cue.lines[0]) for cue in cues
    )


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _is_aside(line: str, *, is_begun: bool) -> bool:
    """Say whether a WebVTT block is a comment, a style or a region."""
    return re.match(r"NOTE(?:\s|$)", line) is not None or (
        not is_begun and line.strip() in {"STYLE", "REGION"}
    )


def _is_identifier(block: list[str], *, is_webvtt: bool) -> bool:
    """Say whether a block begins with the caption's number, or in WebVTT any name of it."""
    if _is_times(block[0]) or not any(_is_times(line) for line in block[1:2]):
        return False
    return is_webvtt or block[0].strip().isdecimal()


def _is_number_of_next(line: str, block: list[str], position: int) -> bool:
    """Say whether this is the number of a caption that follows without a blank line."""
    return (
        line.strip().isdecimal()
        and position + 1 < len(block)
        and _is_times(block[position + 1])
        and (position == 0 or not _is_times(block[position - 1]))
    )


def _is_times(line: str) -> bool:
    if "->" not in line and "→" not in line:
        return False
    return _TIMES.match(line) is not None or _UNREADABLE_TIMES.match(line) is not None


def _times(line: str) -> tuple[float | None, float | None]:
    times = _TIMES.match(line)
    if not times:
        return None, None
    starts_at, ends_at = (seconds_of_clock(clock or "") for clock in times.groups())
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        ends_at = None
    return starts_at and known_seconds(starts_at), ends_at and known_seconds(ends_at)


def _of_cue(cue: _Cue, names: frozenset[str]) -> Iterator[Remark]:
    """Give what each voice says in a caption."""
    spoken: list[tuple[str, str]] = []
    voice = cue.voice
    for line in cue.lines:
        start = 0
        for tag in _VOICE.finditer(line):
            spoken.append((voice, line[start : tag.start()]))
            voice = readable_label(_plain(tag[1] or ""))
            start = tag.end()
        label, words = split_label(line[start:], names)
        voice = readable_label(label) or voice
        spoken.append((voice, words))
    plain = ((voice, _plain(words)) for voice, words in spoken)
    for voice, group in groupby((one for one in plain if one[1]), key=itemgetter(0)):
        yield Remark(voice, " ".join(words for _, words in group), cue.starts_at, cue.ends_at)


def _plain(text: str) -> str:
    try:
        return html.unescape(text).strip()
    except ValueError:  # `&#` and thousands of digits
        return text.strip()


def _without_repetitions(remarks: list[Remark]) -> Iterator[Remark]:
    """Take the words of rolling, overlapping and doubled captions once."""
    is_rolling = _is_rolling(remarks)
    before: Remark | None = None
    told: list[str] = []  # the words up to here that the next caption may repeat
    for remark in remarks:
        if remark == before and remark.starts_at is not None:
            continue
        words = _comparable(remark.text)
        told = told if before and _is_adjacent(before, remark) else []
        repeated = _repeated(told, words)
        if is_rolling:
            is_told = repeated > 0
        else:
            is_told = _overlap(before, remark) and (
                repeated >= _FEWEST_WORDS_REPEATED_IN_OVERLAP or repeated == len(words) == len(told)
            )
        kept = remark.text.split()[repeated if is_told else 0 :]
        if kept:
            yield remark._replace(text=" ".join(kept))
        told = (told + words[repeated if is_told else 0 :])[-_MOST_WORDS_REPEATED:]
        before = remark


def _is_rolling(remarks: list[Remark]) -> bool:
    adjacent = repeating = 0
    before: Remark | None = None
    words_before: list[str] = []
    for remark in remarks:
        words = _comparable(remark.text)
        if before and _is_adjacent(before, remark):
            adjacent += 1
            repeated = _repeated(words_before, words)
            is_some = repeated >= _FEWEST_WORDS_REPEATED or repeated == len(words_before)
            repeating += 0 < repeated < len(words) and is_some
        before, words_before = remark, words
    return repeating >= max(_FEWEST_REPEATING, adjacent * _SHARE_REPEATING)


def _is_adjacent(before: Remark, remark: Remark) -> bool:
    if before.speaker != remark.speaker or before.ends_at is None or remark.starts_at is None:
        return False
    return remark.starts_at - before.ends_at <= _ADJACENT_SECONDS


def _overlap(before: Remark | None, remark: Remark) -> bool:
    if not before or before.ends_at is None or remark.starts_at is None:
        return False
    return remark.starts_at < before.ends_at - _ADJACENT_SECONDS


def _repeated(told: list[str], words: list[str]) -> int:
    """Return how many of the first words are the last that were told."""
    for count in range(min(len(told), len(words)), 0, -1):
        if told[-count:] == words[:count]:
            return count
    return 0


def _comparable(text: str) -> list[str]:
    return [word.strip(_PUNCTUATION) or word for word in text.casefold().split()]

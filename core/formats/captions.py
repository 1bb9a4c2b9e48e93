"""WebVTT, SubRip and SubViewer captions.

Our own reader: webvtt-py and its like leave out a caption whose times they can't read, and the words
with it. Here times that can't be read cost the time, never the words.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice

from core.formats import labels
from core.formats.labels import Labels, judged
from core.formats.names import can_be_name, is_name
from core.formats.rolling import without_repetitions
from core.turns import Remark, known_seconds, readable_label, seconds_of_clock

_CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{1,2}(?:[.,:]\d{1,9})?"
# Behind the times only settings may stand: `12:30 -> 13:00 lunch` is text.
_SETTINGS = r"(?:\s+[A-Za-z]\w*:\S+)*\s*$"
_TIMES = re.compile(rf"\s*({_CLOCK})\s*(?:--?>|→)\s*({_CLOCK})?{_SETTINGS}")
_SURE_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}{_SETTINGS}")
_UNREADABLE_TIMES = re.compile(r"[\s\d:.,;xX?-]*-->[\s\d:.,;xX?-]*$")
_FULL_CLOCK = r"\d{1,3}:\d{2}(?::\d{2})?[.,:]\d{2,3}"
_SBV_TIMES = re.compile(rf"\s*({_FULL_CLOCK}),({_FULL_CLOCK})\s*$")
_TIMES_WITHIN = re.compile(
    rf"(?<!\S)(?:(?P<number>\d{{1,6}})[ \t]{{1,9}})?(?P<times>{_FULL_CLOCK}[ \t]{{1,9}}-->[ \t]{{1,9}}"
    rf"{_FULL_CLOCK}(?:[ \t]{{1,9}}(?:align|line|position|region|size|vertical):\S{{1,99}})*)"
    r"(?=[ \t]{1,9}(?!\w{1,9}:\S)\S)"
)
_HEADER = re.compile(r"\s*WEBVTT(?:\s|$)")
_METADATA = re.compile(r"\s*[\w-]{1,40}\s?[:=]")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:[ \t]([^<>]*))?>|</v>|<v\s+(-)>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|p|ruby|rt|br)(?:\.[^\s<>]*)? ?/?>|</?(?:font|span|lang)(?:[.\s][^<>]*)?>"
    rf"|<{_CLOCK}>|\{{\\[^{{}}]*\}}|\[br\]",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"(?:^|(?<=\s))>>+[ \t]{0,9}")  # somebody else speaks from here on
_DASH = re.compile(r"\s*[-‐–—]{1,2}\s?(?=[^\W\d]|[\"'“¿¡\[(])")
_QUOTED = re.compile(r'"([^"]{1,150})"')
_NUMBER_IN_IDENTIFIER = re.compile(r"^\d{0,9}[\s.:#)-]{0,9}|[\s(#:-]{0,9}\d{0,12}\)?\s{0,9}$")
_HEXADECIMAL = re.compile(r"[0-9a-f/-]*", re.IGNORECASE)
_NUMBERED_NAME = re.compile(r"\s*\d{1,9}\s+\S")
_LINES_TO_LOOK_AT = 12
_CHARACTERS_TO_LOOK_AT = 8_000
_FEWEST_NAMED_BY_IDENTIFIER = 0.5


@dataclass
class Cue:
    starts_at: float | None = None
    ends_at: float | None = None
    lines: list[str] = field(default_factory=list)
    voice: str = ""
    identifier: str = ""


def looks_like_webvtt(text: str) -> bool:
    return _HEADER.match(text) is not None


def looks_like_subrip(text: str) -> bool:
    return any(_SURE_TIMES.match(line) or _is_whole_caption(line) for line in _first_lines(text))


def looks_like_sbv(text: str) -> bool:
    return any(_SBV_TIMES.match(line) for line in islice(_first_lines(text), 1))


def remarks(text: str) -> list[Remark]:
    cues = [cue for cue in _cues(_with_times_apart(text)) if cue.lines]
    return remarks_of_cues(cues)


def remarks_of_cues(cues: list[Cue]) -> list[Remark]:
    _name_by_identifier(cues)
    if _is_headed(cues):
        for cue in cues:
            cue.voice = readable_label(cue.lines.pop(0))
    believed = judged(
        line
        for cue in cues
        for line in ("", *(_plain(line) for line in cue.lines if not _VOICE.search(line)))
    )
    told = [list(_of_cue(cue, believed)) for cue in cues]
    for number, of_cue in _behind_doubt(cues, told):
        told[number] = [of_cue[0]._replace(is_apart=True), *of_cue[1:]]
    if labels.holds([of_cue[0].speaker if of_cue else "" for of_cue in told]):
        told = list(_held(told))
    return list(without_repetitions([remark for of_cue in told for remark in of_cue]))


def _behind_doubt(cues: list[Cue], told: list[list[Remark]]) -> list[tuple[int, list[Remark]]]:
    """Find the captions that may not go on with the one before: nobody knows who spoke there."""
    return [
        (number, told[number])
        for number in range(1, len(told))
        if told[number]
        and (
            any("<v ->" in line for line in cues[number - 1].lines)  # Rev's mark
            or any(remark.is_apart and not remark.speaker for remark in told[number - 1][-1:])
        )
    ]


def _cues(text: str) -> Iterator[Cue]:
    """Read captions, with or without numbers, blank lines between them, and times that make sense."""
    is_webvtt = looks_like_webvtt(text)
    cue = Cue()  # takes what stands before the first times
    is_begun = False
    blocks = list(_blocks(text))
    for index, lines in enumerate(blocks):
        block = lines
        identifier = ""
        times = [line for line in block if _is_times(line)]
        if is_webvtt and (index == 0 or _is_header(block)):
            identifier = _above(block, times)
            block = block[block.index(times[0]) :] if times else []
        elif is_webvtt and _is_aside(block[0], is_begun=is_begun):
            continue
        elif times and _is_identifier(block, is_webvtt=is_webvtt):
            identifier, block = block[0], block[1:]
        elif _is_number_of_block(block, blocks[index + 1 : index + 2]):
            continue
        for position, line in enumerate(block):
            if _is_times(line):
                yield cue
                cue = Cue(*_times(line), identifier=identifier)
                identifier = ""
                is_begun = True
            elif not _is_number_of_next(line, block, position):
                cue.lines.append(_TAG.sub(_in_place_of_tag, line))
    yield cue


def _in_place_of_tag(tag: re.Match[str]) -> str:
    return " " if "br" in tag[0].lower() else ""


def _first_lines(text: str) -> Iterator[str]:
    lines = (line for line in text[:_CHARACTERS_TO_LOOK_AT].split("\n") if line.strip())
    return islice(lines, _LINES_TO_LOOK_AT)


def _is_whole_caption(line: str) -> bool:
    """Say whether a line has times and, behind them, the words."""
    within = _TIMES_WITHIN.match(line.lstrip())
    return within is not None and bool(within["number"])


def _with_times_apart(text: str) -> str:
    """Put each caption of a file that has lost its line ends on lines of its own."""
    if not (looks_like_webvtt(text) or any(map(_is_whole_caption, _first_lines(text)))):
        return text
    count = 0

    def apart(within: re.Match[str]) -> str:
        nonlocal count
        count += 1
        is_number = within["number"] and int(within["number"]) in {count - 1, count}
        kept = "" if is_number else within["number"] or ""
        return f"{kept}\n\n{within['times']}\n"

    return _TIMES_WITHIN.sub(apart, text)


def _name_by_identifier(cues: list[Cue]) -> None:
    """Take the speakers from identifiers that name them: `1 "Ann Lee" (3330436864)`, as Webex does."""
    quoted = [_QUOTED.search(cue.identifier) for cue in cues]
    ways = (
        [cue.identifier.strip() for cue in cues],
        [_NUMBER_IN_IDENTIFIER.sub("", cue.identifier.strip()) for cue in cues],
    )
    if any(quoted):
        for cue, found in zip(cues, quoted, strict=True):
            cue.voice = readable_label(found[1]) if found else ""
        return
    for names in ways:
        counted = Counter(
            name for name in names if can_be_name(name) and not _HEXADECIMAL.fullmatch(name)
        )
        repeated = {name: count for name, count in counted.items() if count > 1}
        if len(repeated) > 1 and sum(repeated.values()) >= len(cues) * _FEWEST_NAMED_BY_IDENTIFIER:
            for cue, name in zip(cues, names, strict=True):
                cue.voice = readable_label(name) if name in counted else ""
            return


def _is_headed(cues: list[Cue]) -> bool:
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


def _is_header(block: list[str]) -> bool:
    """Say whether a file begins anew here: parts of a stream put together."""
    return _HEADER.match(block[0]) is not None and (
        block[0].strip() == "WEBVTT"
        or all(_METADATA.match(line) and not _is_times(line) for line in block[1:2])
    )


def _is_aside(line: str, *, is_begun: bool) -> bool:
    """Say whether a WebVTT block is a comment, a style or a region."""
    return re.match(r"NOTE(?:\s|$)", line) is not None or (
        not is_begun and line.strip() in {"STYLE", "REGION"}
    )


def _above(block: list[str], times: list[str]) -> str:
    place = block.index(times[0]) if times else 0
    return block[place - 1] if place > 1 else ""


def _is_identifier(block: list[str], *, is_webvtt: bool) -> bool:
    """Say whether a block begins with the caption's number, or in WebVTT any name of it."""
    if _is_times(block[0]) or not any(_is_times(line) for line in block[1:2]):
        return False
    return is_webvtt or block[0].strip().isdecimal() or _NUMBERED_NAME.match(block[0]) is not None


def _is_number_of_block(block: list[str], following: list[list[str]]) -> bool:
    """Say whether this is the number of a caption that only begins behind a blank line."""
    return (
        len(block) == 1
        and block[0].strip().isdecimal()
        and any(_is_times(one[0]) for one in following)
    )


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
        return _SBV_TIMES.match(line) is not None
    return _TIMES.match(line) is not None or _UNREADABLE_TIMES.match(line) is not None


def _times(line: str) -> tuple[float | None, float | None]:
    times = _TIMES.match(line) or _SBV_TIMES.match(line)
    if not times:
        return None, None
    starts_at, ends_at = (seconds_of_clock(clock or "") for clock in times.groups())
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        ends_at = None
    return starts_at and known_seconds(starts_at), ends_at and known_seconds(ends_at)


def _of_cue(cue: Cue, believed: Labels) -> Iterator[Remark]:
    """Give what each voice says in a caption."""
    spoken: list[tuple[str, bool, str]] = []  # voice, whether somebody else may speak, words
    voice, is_apart = cue.voice, False
    before = ""
    for line in cue.lines:
        start = 0
        for tag in _VOICE.finditer(line):
            spoken.append((voice, is_apart, _plain(line[start : tag.start()])))
            named = _plain(tag[1] or "")
            is_apart = named == "-"
            voice = readable_label(named) if can_be_name(named) else ""
            start = tag.end()
        for is_changed, words in _changes(_plain(line[start:])):
            label, rest, is_doubtful = believed.of(words, before)
            if label:
                voice, is_apart = readable_label(label), False
            elif is_doubtful or is_changed:
                voice, is_apart = ("" if is_doubtful else cue.voice), True
            spoken.append((voice, is_apart, rest))
            is_apart = False
            before = rest or before
    yield from _joined(cue, [one for one in spoken if one[2]])


def _joined(cue: Cue, spoken: list[tuple[str, bool, str]]) -> Iterator[Remark]:
    number = 0
    numbered: list[tuple[int, str, bool, str]] = []
    for index, (voice, is_apart, words) in enumerate(spoken):
        number += index > 0 and (is_apart or voice != spoken[index - 1][0])
        numbered.append((number, voice, is_apart, words))
    for _, group in groupby(numbered, key=lambda one: one[0]):
        pieces = list(group)
        _, voice, is_apart, _ = pieces[0]
        words = " ".join(piece[3] for piece in pieces)
        yield Remark(voice, words, cue.starts_at, cue.ends_at, is_apart)


def _changes(line: str) -> Iterator[tuple[bool, str]]:
    """Part a line where its marks say that somebody else speaks: `- Yes.`, `Yes. >> No.`"""
    if dash := _DASH.match(line):
        yield True, line[dash.end() :]
        return
    parts = _CHANGE.split(line)
    if parts[0].strip() or len(parts) == 1:
        yield False, parts[0].strip()
    for part in parts[1:]:
        yield True, part.strip()


def _held(told: list[list[Remark]]) -> Iterator[list[Remark]]:
    """Let a label hold until the next, or until somebody speaks of whom nobody knows who it is."""
    speaker = ""
    for of_cue in told:
        held: list[Remark] = []
        for remark in of_cue:
            speaker = "" if remark.is_apart and not remark.speaker else remark.speaker or speaker
            held.append(remark._replace(speaker=speaker))
        yield held


def _plain(text: str) -> str:
    try:
        return html.unescape(text).strip()
    except ValueError:  # `&#` and thousands of digits
        return text.strip()

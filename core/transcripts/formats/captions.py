"""WebVTT, SubRip and SubViewer captions.

Our own reader: webvtt-py and its like leave out a caption whose times they can't read, and the words
with it. Here times that can't be read cost the time, never the words.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice

from core.transcripts.formats.cues import Cue, remarks_of_cues
from core.transcripts.turns import Segment, known_seconds, readable_label, seconds_of_clock

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
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|p|ruby|rt|br)(?:\.[^\s<>]*)? ?/?>|</?(?:font|span|lang)(?:[.\s][^<>]*)?>"
    rf"|<{_CLOCK}>|\{{\\[^{{}}]*\}}|\[br\]",
    re.IGNORECASE,
)
_MARKED = re.compile(r"<(?:u|b|i|c|font)\b", re.IGNORECASE)
_NUMBERED_NAME = re.compile(r"\s*\d{1,9}\s+\S")
_LINES_TO_LOOK_AT = 12
_CHARACTERS_TO_LOOK_AT = 8_000


def looks_like_webvtt(text: str) -> bool:
    return _HEADER.match(text) is not None


def looks_like_subrip(text: str) -> bool:
    return any(_SURE_TIMES.match(line) or _is_whole_caption(line) for line in _first_lines(text))


def looks_like_sbv(text: str) -> bool:
    return any(_SBV_TIMES.match(line) for line in islice(_first_lines(text), 1))


def segments(text: str) -> list[Segment]:
    cues = [cue for cue in _cues(_with_times_apart(text)) if cue.lines]
    for cue in cues:
        _take_metadata(cue)
    return remarks_of_cues(_without_restyled(cues))


def _take_metadata(cue: Cue) -> None:
    """Take words and speaker from JSON in a caption, as Teams gives it to programs."""
    if not cue.lines[0].lstrip().startswith("{") or len(cue.lines) > _LINES_TO_LOOK_AT:
        return
    try:
        told = json.loads("\n".join(cue.lines))
    except (ValueError, RecursionError):
        return
    if isinstance(told, dict) and isinstance(told.get("spokenText"), str):
        cue.lines = [told["spokenText"]]
        cue.voice = readable_label(str(told.get("speakerName") or ""))


def _without_restyled(cues: list[Cue]) -> list[Cue]:
    """Keep one of the captions that show the same words, each time with another one marked.

    What is shown again in the same way was said again.
    """
    kept: list[Cue] = []
    for cue in cues:
        before = kept[-1] if kept else None
        if before and before.lines == cue.lines and before.style != cue.style:
            before.ends_at, before.style = cue.ends_at, cue.style
        else:
            kept.append(cue)
    return kept


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
                words = _without_tags(line)
                cue.lines.append(words)
                if words != line and _MARKED.search(line):
                    cue.style += line
    yield cue


def _without_tags(line: str) -> str:
    """Take off what styles a line; most lines have no sign that a tag could begin with."""
    has_sign = "<" in line or "{" in line or "[" in line
    return _TAG.sub(_in_place_of_tag, line) if has_sign else line


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

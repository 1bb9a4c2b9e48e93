"""Who says what in captions, whatever their format: voices, identifiers, labels and marks of a change."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from core.transcripts.formats import labels
from core.transcripts.formats.labels import Labels, judged
from core.transcripts.formats.names import can_be_name, is_name
from core.transcripts.formats.rolling import without_repetitions
from core.transcripts.turns import Segment, readable_label

_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:[ \t]([^<>]*))?>|</v>|<v\s+(-)>", re.IGNORECASE)
_CHANGE = re.compile(r"(?:^|(?<=\s))>>+[ \t]{0,9}")  # somebody else speaks from here on
_DASH = re.compile(r"\s*[-‐–—]{1,2}\s?(?=[^\W\d]|[\"'“¿¡\[(])")
_QUOTED = re.compile(r'"(.{1,150})"')  # who is called `Bob "Bo" Ray` is not called Bob
_NUMBER_IN_IDENTIFIER = re.compile(r"^\d{0,9}[\s.:#)-]{0,9}|[\s(#:-]{0,9}\d{0,12}\)?\s{0,9}$")
_HEXADECIMAL = re.compile(r"[0-9a-f/-]*", re.IGNORECASE)
_FEWEST_NAMED_BY_IDENTIFIER = 0.5


@dataclass
class Cue:
    starts_at: float | None = None
    ends_at: float | None = None
    lines: list[str] = field(default_factory=list)
    voice: str = ""
    identifier: str = ""
    style: str = ""  # the lines as they are, if some of their words are marked


def remarks_of_cues(cues: list[Cue]) -> list[Segment]:
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
    return list(without_repetitions([segment for of_cue in told for segment in of_cue]))


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


def _of_cue(cue: Cue, believed: Labels) -> Iterator[Segment]:
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
            voice = readable_label(named) if _is_voice(named) else ""
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


def _is_voice(named: str) -> bool:
    """Say whether a tag that is there to name somebody does: also `Question`, and `2`."""
    return any(map(str.isalnum, named))


def _joined(cue: Cue, spoken: list[tuple[str, bool, str]]) -> Iterator[Segment]:
    number = 0
    numbered: list[tuple[int, str, bool, str]] = []
    for index, (voice, is_apart, words) in enumerate(spoken):
        number += index > 0 and (is_apart or voice != spoken[index - 1][0])
        numbered.append((number, voice, is_apart, words))
    for _, group in groupby(numbered, key=lambda one: one[0]):
        chunks = list(group)
        _, voice, is_apart, _ = chunks[0]
        words = " ".join(chunk[3] for chunk in chunks)
        yield Segment(voice, words, cue.starts_at, cue.ends_at, is_apart)


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


def _behind_doubt(cues: list[Cue], told: list[list[Segment]]) -> list[tuple[int, list[Segment]]]:
    """Find the captions that may not go on with the one before: nobody knows who spoke there."""
    return [
        (number, told[number])
        for number in range(1, len(told))
        if told[number]
        and (
            any("<v ->" in line for line in cues[number - 1].lines)  # Rev's mark
            or any(segment.is_apart and not segment.speaker for segment in told[number - 1][-1:])
        )
    ]


def _held(told: list[list[Segment]]) -> Iterator[list[Segment]]:
    """Let a label hold until the next, or until somebody speaks of whom nobody knows who it is."""
    speaker = ""
    for of_cue in told:
        held: list[Segment] = []
        for segment in of_cue:
            speaker = "" if segment.is_apart and not segment.speaker else segment.speaker or speaker
            held.append(segment._replace(speaker=speaker))
        yield held


def _plain(text: str) -> str:
    try:
        return html.unescape(text).strip()
    except ValueError:  # `&#` and thousands of digits
        return text.strip()

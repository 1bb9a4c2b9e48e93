"""The line formats of speech research: CTM (a word a line), STM (an utterance) and RTTM (no words)."""

import re
from collections.abc import Iterator
from itertools import islice

from core.errors import BadTranscript
from core.transcripts.turns import Segment, known_seconds, readable_label, segments_of_words

_NUMBER = r"\d{1,7}(?:\.\d{1,6})?"
_CTM = re.compile(
    rf"\S{{1,200}} +\S{{1,9}} +({_NUMBER}) +({_NUMBER}) +(\S+)(?: +-?\d\S*)?(?: +\S+){{0,2}}\s*"
)
_STM = re.compile(
    rf"\S{{1,200}} +\S{{1,9}} +(\S{{1,150}}) +({_NUMBER}) +({_NUMBER}) +(?:<[^<>]*> +)?(.*\S)\s*"
)
_RTTM = re.compile(rf"[A-Z-]{{2,20}} +\S{{1,200}} +\S{{1,9}} +{_NUMBER} +{_NUMBER} +<NA> .*")
_COMMENT = ";;"
_FEWEST_LINES = 2
_LINES_TO_LOOK_AT = 12
_CHARACTERS_TO_LOOK_AT = 8_000


def looks_like(text: str) -> bool:
    """Say whether the first lines are all of one of these kinds."""
    start = text[:_CHARACTERS_TO_LOOK_AT].rpartition("\n")[0]
    first = list(islice(_lines(start), _LINES_TO_LOOK_AT))
    return len(first) >= _FEWEST_LINES and any(
        all(pattern.fullmatch(line) for line in first) for pattern in (_RTTM, _CTM, _STM)
    )


def segments(text: str) -> list[Segment] | None:
    """Return what is said, or None if a later line is of another kind. Raises BadTranscript."""
    lines = list(_lines(text))
    if all(map(_RTTM.fullmatch, lines)):
        raise BadTranscript(
            "empty",
            "the file says who speaks when (RTTM), but not what is said; upload the transcript",
        )
    if all(words := list(map(_CTM.fullmatch, lines))):
        return list(segments_of_words(_words(filter(None, words))))
    if all(told := list(map(_STM.fullmatch, lines))):
        return [
            Segment(readable_label(one[1]), one[4], _seconds(one[2]), _seconds(one[3]))
            for one in told
            if one
        ]
    return None


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.split("\n") if line.strip() and not line.startswith(_COMMENT))


def _words(lines: Iterator[re.Match[str]]) -> Iterator[Segment]:
    for line in lines:
        at = float(line[1])
        if not line[3].startswith("<"):  # `<eps>`, `<unk>`
            yield Segment("", line[3], known_seconds(at), known_seconds(at + float(line[2])))


def _seconds(number: str) -> float | None:
    return known_seconds(float(number))

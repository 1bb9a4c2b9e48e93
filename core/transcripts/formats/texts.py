"""Transcripts that are not JSON, recognised by their content."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.transcripts.formats import ass, captions, kaldi, markup, plain, rtf, tables
from core.transcripts.formats.cues import remarks_of_cues
from core.transcripts.turns import Segment, Turn, merged

# Marks of direction and of byte order: with one before it, `Ann Lee` is somebody else. Between words
# U+200B is how Thai and Khmer part them.
_INVISIBLE = re.compile(
    r"[\ufeff\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]|^\u200b+", re.MULTILINE
)
_LINE_ENDS = re.compile(r"[\u2028\u2029\x85]")


@dataclass(frozen=True)
class TextFormat:
    name: str
    looks_like: Callable[[str], bool]
    segments: Callable[[str], list[Segment] | None]
    is_certain: bool = True  # else a file without segments is read as plain text


# Tried in this order: the more particular first.
TEXT_FORMATS = (
    TextFormat("webvtt", captions.looks_like_webvtt, captions.segments),
    TextFormat("ass", ass.looks_like, ass.segments),
    TextFormat("subrip", captions.looks_like_subrip, captions.segments),
    TextFormat("subrip", captions.looks_like_sbv, captions.segments),
    TextFormat("kaldi", kaldi.looks_like, kaldi.segments, is_certain=False),
    TextFormat("table", tables.looks_like, tables.segments, is_certain=False),
)


def read(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return a text's format and turns. Raises BadTranscript."""
    if not text.isascii():
        text = _LINE_ENDS.sub("\n", _INVISIBLE.sub("", text))
    if rtf.looks_like(text):
        return "rtf", _of_words(rtf.plain_text(text))
    if not captions.looks_like_webvtt(text) and markup.looks_like(text):
        if cues := markup.cues(text):
            segments = remarks_of_cues([cue for cue in cues if cue.lines])
            return _name_of_captions(text), merged(segments)
        return "html", _of_words(markup.plain_text(text))
    return _read_unmarked(text)


def _of_words(text: str) -> tuple[Turn, ...]:
    return _read_unmarked(text)[1]


def _read_unmarked(text: str) -> tuple[str, tuple[Turn, ...]]:
    for known in TEXT_FORMATS:
        if known.looks_like(text):
            segments = known.segments(text)
            if segments or known.is_certain:
                return known.name, merged(segments or [])
    return plain.read(text)


def _name_of_captions(text: str) -> str:
    return "ttml" if "<tt" in text[:4_000] and "timedtext" not in text[:4_000] else "xml"

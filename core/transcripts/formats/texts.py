"""Transcripts that are no JSON, recognised by what stands in them."""

import re

from core.transcripts.formats import ass, captions, kaldi, markup, plain, rtf, tables
from core.transcripts.formats.cues import remarks_of_cues
from core.transcripts.turns import Turn, merged

# Marks of direction and of byte order: with one before it, `Ann Lee` is somebody else. Between words
# U+200B is how Thai and Khmer part them.
_INVISIBLE = re.compile(
    r"[\ufeff\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]|^\u200b+", re.MULTILINE
)
_LINE_ENDS = re.compile(r"[\u2028\u2029\x85]")


def read(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return a text's format and turns. Raises BadTranscript."""
    if not text.isascii():
        text = _LINE_ENDS.sub("\n", _INVISIBLE.sub("", text))
    if rtf.looks_like(text):
        return "rtf", _of_words(rtf.plain_text(text))
    if not captions.looks_like_webvtt(text) and markup.looks_like(text):
        if cues := markup.cues(text):
            told = remarks_of_cues([cue for cue in cues if cue.lines])
            return _name_of_captions(text), merged(told)
        return "html", _of_words(markup.plain_text(text))
    return _read_unmarked(text)


def _of_words(text: str) -> tuple[Turn, ...]:
    return _read_unmarked(text)[1]


def _read_unmarked(text: str) -> tuple[str, tuple[Turn, ...]]:
    if captions.looks_like_webvtt(text):
        return "webvtt", merged(captions.segments(text))
    if ass.looks_like(text):
        return "ass", merged(ass.segments(text))
    if captions.looks_like_subrip(text):
        return "subrip", merged(captions.segments(text))
    if captions.looks_like_sbv(text):
        return "sbv", merged(captions.segments(text))
    if kaldi.looks_like(text) and (told := kaldi.segments(text)):
        return "kaldi", merged(told)
    if tables.looks_like(text) and (told := tables.segments(text)):
        return "table", merged(told)
    return plain.read(text)


def _name_of_captions(text: str) -> str:
    return "ttml" if "<tt" in text[:4_000] and "timedtext" not in text[:4_000] else "xml"

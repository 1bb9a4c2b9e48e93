"""Reads a transcript: who said what, sentence by sentence, tidied for reading.

Takes `Speaker: words` lines with or without time stamps, the speaker on a line of its own, subtitles,
light Markdown, or plain prose. Words are only ever left out (fillers, stutters, noise marks), never added.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import sentencex

from runpod_simulator.workers.languages import ENGLISH, Language
from runpod_simulator.workers.words import count_words

_STAMP = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_CUE_LINE = re.compile(rf"^(?:{_STAMP}\s*-->.*|\d+|WEBVTT.*)$")
_LEADING_STAMP = re.compile(rf"^[\[(]?({_STAMP})[\])]?\s*[-\u2013]?\s*")
_LABEL = re.compile(
    rf"^(?P<speaker>[^\W\d_][^:?!]{{0,79}}?)\s*(?:[\[(](?P<stamp>{_STAMP})[\])])?\s*:(?:\s+(?P<words>.*))?$"
)
_LABEL_MAX_WORDS = 12
_ENDS = ".?!\u2026\"'\u201d\u2019)\u3002\uff1f\uff01\u300d\u061f\u0964"
_MARKDOWN_EDGE = re.compile(r"^(?:[-*+>]\s+|\d{1,2}[.)]\s+)+")

# In any language.
_MARKS = re.compile(r"\{[^{}]{0,40}\}|\[[^\[\]]{0,40}\]|\*\*|__|`")  # {vocalsound}, [laughter]
_ENGLISH: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\((?:inaudible|laughter|laughs|crosstalk|pause|applause)[^()]{0,20}\)", " "),
        (r"[,\s]*\b(?:u[hm]+|erm*|mm+|hmm+|mm\s*-\s*hmm)\b(?!-)[,\s]*", " "),
        (r"\s+(?=[,.;:?!])|(?<=\()\s+|\s+(?=\))", ""),
        (r"\s+(?='(?:s|re|ve|ll|d|m|t)\b)", ""),
        (r"\s+", " "),
        (r"\b([a-z]+(?:['\u2019][a-z]+)?)(?:,?\s+\1\b)+", r"\1"),  # the the the
        (r"\b((?:[a-z'\u2019]+\s+){1,3}[a-z'\u2019]+)(?:,?\s+\1\b)+", r"\1"),  # on the, on the
        (r"([,;:])(?:\s*[,;:])+", r"\1"),
        (r"\s+", " "),
    )
)


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str  # "" when the text names nobody
    stamp: str  # as written, "" when there is none
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    position: int  # from 0, in the order of the transcript
    turn: int
    speaker: str
    stamp: str
    text: str
    word_count: int


def tidied(text: str, language: Language = ENGLISH) -> str:
    """The same words without noise marks, ordinarily spaced; English also without fillers and stutters."""
    text = _MARKS.sub(" ", text)
    for pattern, replacement in _ENGLISH if language == ENGLISH else ():
        text = pattern.sub(replacement, text)
    return " ".join(text.split()).strip(" ,;-\u2013\u2014")


def read_turns(text: str) -> list[Turn]:
    lines = [
        line for raw in text.splitlines() if (line := raw.strip()) and not _CUE_LINE.match(line)
    ]
    lines = [line for line in lines if not line.startswith(("#", "---", "===", "```"))]
    known = _speakers(lines)
    turns: list[Turn] = []
    for line in lines:
        stamp, rest = _split_stamp(_MARKDOWN_EDGE.sub("", line).replace("**", ""))
        label = _LABEL.match(rest)
        if label and label["speaker"] in known:
            turns.append(Turn(label["speaker"], label["stamp"] or stamp, label["words"] or ""))
        elif turns and turns[-1].speaker and (not stamp or not turns[-1].text):
            last = turns[-1]
            turns[-1] = Turn(last.speaker, last.stamp or stamp, f"{last.text} {rest}".strip())
        else:
            turns.append(Turn("", stamp, rest))
    return [turn for turn in turns if turn.text]


def read_sentences(turns: Iterable[Turn], language: Language = ENGLISH) -> list[Sentence]:
    sentences: list[Sentence] = []
    for number, turn in enumerate(turns):
        for piece in sentencex.segment(language.code, tidied(turn.text, language)):
            if text := _as_sentence(piece, language):
                sentences.append(
                    Sentence(
                        len(sentences), number, turn.speaker, turn.stamp, text, count_words(text)
                    )
                )
    return sentences


def short_name(speaker: str) -> str:
    """A label without its bracketed affiliation: `Mr. Paul Manly (Nanaimo, GP)` is `Mr. Paul Manly`."""
    return speaker.partition(" (")[0].strip() or speaker


def _split_stamp(line: str) -> tuple[str, str]:
    found = _LEADING_STAMP.match(line)
    return (found[1], line[found.end() :]) if found else ("", line)


def _speakers(lines: Iterable[str]) -> set[str]:
    """Labels that are people: said more than once, or every line has one. `Note: ...` in prose is none."""
    seen: Counter[str] = Counter()
    total = 0
    for line in lines:
        total += 1
        _, rest = _split_stamp(_MARKDOWN_EDGE.sub("", line).replace("**", ""))
        label = _LABEL.match(rest)
        if label and count_words(label["speaker"]) <= _LABEL_MAX_WORDS:
            seen[label["speaker"]] += 1
    if not seen:
        return set()
    mostly_labelled = seen.total() * 2 >= total > 1
    return {name for name, times in seen.items() if times > 1 or mostly_labelled}


def _as_sentence(piece: str, language: Language) -> str:
    text = piece.strip(" \n,;-\u2013\u2014")
    if not any(map(str.isalnum, text)):
        return ""
    if text[-1] not in _ENDS:
        text += "." if language.is_spaced else "\u3002"
    return text[0].upper() + text[1:]

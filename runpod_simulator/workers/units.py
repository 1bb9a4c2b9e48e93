"""What is told at once of a transcript: its sentences, the long ones in clauses; and which are chosen."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sentencex

from runpod_simulator.workers.prompt import Turn
from runpod_simulator.workers.words import count_words

Ranking = Callable[[Sequence[str]], Sequence[float]]  # the worth of each text, from 0

_LONGEST_UNIT_WORDS = 16  # so that no long stretch of the transcript is given back
_LEAST_UNIT_WORDS = 4
_NOISE = re.compile(
    r"\{[^{}]{0,40}\}|\[[^\[\]]{0,40}\]|\b(?:uh+m?|erm|hmm+)\b,?|\bum,", re.IGNORECASE
)
_QUOTATION_MARKS = re.compile(
    '["\u201c\u201d\u201e\u00ab\u00bb]'
)  # what is cut may lose one of a pair
_CLAUSE_END = re.compile(r"(?<=[,;:\u2013\u2014])\s+|(?<=[\uff0c\uff1b\u3001])")
_ENDS = ".?!\u2026\"'\u201d\u2019)\u3002\uff1f\uff01\u300d\u061f\u0964"


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, or as much of it as is told at once."""

    at: int
    turn: Turn
    text: str
    words: int
    is_whole: bool  # a sentence, and no part of one
    is_torn: bool = False  # begins or ends where no comma is


def units_of(turns: Iterable[Turn], *, whole: bool = False) -> list[Unit]:
    """Return the sentences of turns, the long ones in clauses; `whole` leaves them word for word."""
    units: list[Unit] = []
    seen: set[str] = set()
    for turn in turns:
        said = turn.text if whole else " ".join(_NOISE.sub(" ", turn.text).split())
        for sentence in sentencex.segment("en", said):
            clauses = [sentence.strip()] if whole else list(_clauses(sentence))
            is_torn = False
            for clause in clauses:
                text = clause if whole else _as_sentence(clause)
                was_torn, is_torn = is_torn, len(clauses) > 1 and clause[-1:].isalnum()
                words = count_words(text)
                if words >= _LEAST_UNIT_WORDS and text not in seen:
                    seen.add(text)
                    is_whole, torn = len(clauses) == 1, was_torn or is_torn
                    units.append(Unit(len(units), turn, text, words, is_whole, torn))
    return units


def _clauses(sentence: str) -> Iterable[str]:
    held = ""
    for clause in _CLAUSE_END.split(sentence.strip()):
        if held and count_words(f"{held} {clause}") > _LONGEST_UNIT_WORDS:
            yield from _bounded(held)
            held = ""
        held = f"{held} {clause}".strip()
    yield from _bounded(held)


def _bounded(clause: str) -> Iterable[str]:
    """Cut what has no comma: in equal parts, by its words or, without spaces, its characters."""
    parts = math.ceil(count_words(clause) / _LONGEST_UNIT_WORDS)
    pieces = clause.split(" ")
    joint, held = (" ", pieces) if len(pieces) >= parts else ("", list(clause))
    size = math.ceil(len(held) / max(parts, 1))
    for at in range(0, len(held), size or 1):
        yield joint.join(held[at : at + size])


def _as_sentence(clause: str) -> str:
    text = _QUOTATION_MARKS.sub("", clause).strip(" ,;:-\u2013\u2014\uff0c\uff1b\u3001")
    if not any(map(str.isalnum, text)):
        return ""
    text = text if text[-1] in _ENDS else f"{text}."
    return text[0].upper() + text[1:]


def choose(units: Sequence[Unit], words: int, worth: Mapping[int, float]) -> list[Unit]:
    """Return the best that fit, in their order: neighbours only where there is nothing else left."""
    ranked = sorted(units, key=lambda each: (-worth[each.at], each.at))
    taken: dict[int, Unit] = {}
    for neighbours_too in (False, True):
        for each in ranked:
            is_beside = each.at - 1 in taken or each.at + 1 in taken
            if each.at not in taken and each.words <= words and (neighbours_too or not is_beside):
                taken[each.at] = each
                words -= each.words
    return [taken[at] for at in sorted(taken)] or ranked[:1]

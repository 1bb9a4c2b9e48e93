"""Notes of a transcript that is too long for one request: in levels, each of the one below. Pure.

Notes carry the numbers of their turns, so an outline can be made of them; the sections still read the
transcript's own turns wherever those fit. What a model fails to note, code notes by what was said first: a
gap in the notes would be a gap in the outline.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.summaries.asking import Asker
from core.summaries.asks import Block
from core.summaries.judging import Judge
from core.summaries.partition import partition
from core.summaries.passages import Range
from core.summaries.progress import Progress
from core.summaries.rounds import Plan, Slot
from core.summaries.tokens import estimate_tokens
from core.words import count_words

MOST_LEVELS = 6
# Notes that only an outline is made of have this share of the summary's words; those that sections are
# written from have many more than the summary: what to leave out is chosen late.
_FOR_AN_OUTLINE = 0.1
_FOR_SECTIONS = 2.2
_LEAST_SECTION_WORDS = 80  # sections shorter than that, from their own turns, would be too many
_WORDS = (50, 500)  # fewest and most of one call's notes
_SHARE_OF_MATERIAL = 0.4  # and at most this share of what they are taken of
_WORDS_BY_CODE = 25  # of each passage


@dataclass(frozen=True)
class Note:
    about: tuple[Range, ...]
    text: str
    tokens: int
    words: int


@dataclass(frozen=True)
class Notes:
    progress: Progress
    plan: Plan
    judge: Judge

    @cached_property
    def _levels(self) -> dict[int, Sequence[Note]]:
        return {}

    def level(self, number: int) -> Sequence[Note]:
        """Return the notes of a level, from 1, in the order of the conversation."""
        if number not in self._levels:
            slots = self.plan.notes[number - 1]
            self._levels[number] = [self._note(slot) for slot in slots]
        return self._levels[number]

    def of(self, level: int, about: Sequence[Range]) -> Sequence[Note]:
        """Return the notes of a level that touch some passages."""
        return [
            note
            for note in self.level(level)
            if any(a <= last and first <= b for first, last in note.about for a, b in about)
        ]

    def tokens(self, level: int, about: Sequence[Range]) -> int:
        """Return what a slot's material costs: passages on level 0, notes above."""
        if level == 0:
            return self.progress.passages.tokens_of(about) + 4 * len(about)
        return sum(note.tokens for note in self.of(level, about))

    def blocks(self, level: int, about: Sequence[Range]) -> Sequence[Block]:
        """Return notes as an ask shows them; none on level 0."""
        if level == 0:
            return ()
        text = "\n".join(note.text for note in self.of(level, about))
        return (Block(tag="notes", text=text),)

    def next_level(self, asker: Asker) -> tuple[Slot, ...]:
        """Return the slots of one more level; none where notes would not get shorter."""
        below = len(self.plan.notes)
        weights, abouts = self.units(below)
        sample = asker.notes(
            Slot(name="notes-9-999", about=(), words=_WORDS[1]),
            part=999,
            parts=999,
            fault="refusal",
        )
        room = max(1, self.progress.context_tokens - asker.overhead(sample) - sample.max_tokens)
        parts = max(2, math.ceil(sum(weights) / room))
        ranges = partition(weights, parts)
        while len(ranges) == parts and max(sum(weights[a:b]) for a, b in ranges) > room:
            parts += 1 + parts // 50
            ranges = partition(weights, parts)
        if below >= MOST_LEVELS or (below and len(ranges) * 2 > len(weights)):
            return ()
        most = min(_WORDS[1], self.progress.longest_words)
        wanted = round(self.progress.goal.words * self._share_of_goal(room) / len(ranges))
        return tuple(
            Slot(
                name=f"notes-{below + 1}-{at}",
                about=_joined(abouts[first:last]),
                words=max(20, min(max(wanted, _WORDS[0]), most, self._share(below, first, last))),
                level=below,
            )
            for at, (first, last) in enumerate(ranges, 1)
        )

    def units(self, level: int) -> tuple[Sequence[int], Sequence[tuple[Range, ...]]]:
        """Return the tokens and the ranges of what a level is made of."""
        if level == 0:
            passages = self.progress.passages.all
            return [each.tokens for each in passages], [((n.number, n.number),) for n in passages]
        notes = self.level(level)
        return [note.tokens for note in notes], [note.about for note in notes]

    def _share_of_goal(self, room: int) -> float:
        """Return how many words of notes there shall be for each word of the summary."""
        sections = math.ceil(self.progress.passages.tokens / room)
        from_turns = sections * _LEAST_SECTION_WORDS <= self.progress.goal.words
        return _FOR_AN_OUTLINE if from_turns else _FOR_SECTIONS

    def _share(self, level: int, first: int, last: int) -> int:
        read = self.level(level) if level else self.progress.passages.all
        return round(sum(each.words for each in read[first:last]) * _SHARE_OF_MATERIAL)

    def _note(self, slot: Slot) -> Note:
        tries = self.progress.tries(slot.name)
        texts = [each.answer.text for each in tries if not self.judge.hard_faults(each)]
        text = max(texts, key=len) if texts else self._by_code(slot)
        return Note(slot.about, text, estimate_tokens(text) + 1, count_words(text))

    def _by_code(self, slot: Slot) -> str:
        """Return how the passages begin, evenly chosen, about as long as notes were to be."""
        passages = self.progress.passages.of(slot.about)
        step = max(1, math.ceil(len(passages) * _WORDS_BY_CODE / max(slot.words, _WORDS_BY_CODE)))
        return "\n".join(
            f"[{each.number}] {each.speaker}: {' '.join(each.text.split()[:_WORDS_BY_CODE])[:200]}"
            for each in passages[::step]
        )


def _joined(abouts: Sequence[tuple[Range, ...]]) -> tuple[Range, ...]:
    return ((abouts[0][0][0], abouts[-1][-1][1]),)

"""Which calls make a summary: sections by topic, the ledger, and how much each may read and write. Pure."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

from core.summaries import instructions
from core.summaries.asking import Asker
from core.summaries.notes import Notes
from core.summaries.outline import Outline, Topic
from core.summaries.partition import partition
from core.summaries.passages import Range, numbers_of, ranges_of
from core.summaries.progress import Progress
from core.summaries.rounds import Plan, Slot
from core.summaries.schemas import REGISTERS

# What one answer could write is written in several all the same: they are decoded at once.
_PART_WORDS = 300
_LEAST_PART_WORDS = 80  # shorter parts would read like a list: then notes are read, more in each
_WORDS_OF_A_TOPIC = 400
_MOST_TOPICS = 12
_LEDGER_SHARE = 0.13  # of the summary's words, until it is known what came
_SHARE_OF_QUOTES = 0.3  # of these
_OVERVIEW_SHARE = 1 / 24
OVERVIEW_WORDS = (100, 260)
_WORDS_OF_AN_ENTRY = 22
_MOST_ENTRIES = 8
_QUOTES = 10  # some will not be found
_CALLS_BY_REGISTER = 4
_LEAST_ENTRIES, _FEW_CALLS = 2, 4
_MOST_LEDGER_RANGES = 16  # of the transcript itself; a longer one's ledger is made of notes
_RANGES_FOR_QUOTES = 4  # of such a one, evenly spread: quotes can't be made of notes


@dataclass(frozen=True)
class Planner:
    progress: Progress
    plan: Plan
    notes: Notes

    @cached_property
    def asker(self) -> Asker:
        return Asker(self.progress, self.plan)

    @property
    def registers(self) -> tuple[str, ...]:
        """Return the registers that the set of prompts publishes."""
        published = instructions.headings(self.progress.goal.prompts)
        return tuple(name for name in REGISTERS if name in published)

    @property
    def overview_words(self) -> int:
        words = self.progress.goal.words
        least, most = OVERVIEW_WORDS
        return max(1, min(max(round(words * _OVERVIEW_SHARE), least), most, words // 4))

    @property
    def section_words(self) -> int:
        words = self.progress.goal.words
        share = _LEDGER_SHARE if self.registers else 0.0
        return max(1, round(words * (1 - share)) - self.overview_words)

    @property
    def topics(self) -> int:
        return max(1, min(_MOST_TOPICS, round(self.section_words / _WORDS_OF_A_TOPIC)))

    def entries(self, slot: Slot, calls: int) -> int:
        """Return how many entries of each register one of so many calls is asked for."""
        if slot.registers == ("quotes",):
            wanted = _QUOTES
        else:
            words = self.progress.goal.words * _LEDGER_SHARE * (1 - _SHARE_OF_QUOTES)
            listed = max(1, len([name for name in self.registers if name != "quotes"]))
            wanted = min(_MOST_ENTRIES, max(2, round(words / listed / _WORDS_OF_AN_ENTRY)))
        # Entries are not spread evenly over a conversation: one of each from few ranges would be too few.
        return max(_LEAST_ENTRIES if calls <= _FEW_CALLS else 1, math.ceil(wanted / calls))

    def sections(self, outline: Outline) -> tuple[Slot, ...]:
        """Return the sections' slots, those of one topic in parts of about the same size."""
        overhead = self._section_overhead(outline)
        return tuple(
            slot
            for number, topic in enumerate(outline.topics, 1)
            for slot in self._parts(number, topic, overhead)
        )

    def ledger(self) -> tuple[Slot, ...]:
        """Return the ledger's slots.

        Where the transcript fits a request, each register is a call of its own: what is decoded at once
        takes no longer, and all of them have the transcript as their common prefix. Else each call has
        all registers of a range, and of a very long transcript it reads notes.
        """
        if not self.registers:
            return ()
        level, ranges = 0, self._ledger_ranges(0)
        quotes: list[Range] = []
        while len(ranges) > _MOST_LEDGER_RANGES and level < len(self.plan.notes):
            step = len(ranges) // _RANGES_FOR_QUOTES
            quotes = quotes or ranges[step // 2 :: step][:_RANGES_FOR_QUOTES]
            level += 1
            ranges = self._ledger_ranges(level)
        groups = self._register_groups(len(ranges), with_quotes=not quotes)
        slots = [
            Slot(
                name="-".join(("ledger", str(at), *(group if len(groups) > 1 else ()))),
                about=(each,),
                level=level,
                registers=group,
            )
            for at, each in enumerate(ranges, 1)
            for group in groups
        ]
        slots += [
            Slot(name=f"ledger-{at}-quotes", about=(each,), registers=("quotes",))
            for at, each in enumerate(quotes, len(ranges) + 1)
            if "quotes" in self.registers
        ]
        return tuple(slots)

    def halves(self, slot: Slot) -> tuple[Slot, ...]:
        """Return the two slots that stand for one whose prompt was too long; none if it can't be cut."""
        numbers = numbers_of(slot.about)
        if len(numbers) < 2:  # noqa: PLR2004
            return ()
        sizes = [self.progress.passages[number].words for number in numbers]
        return tuple(
            replace(
                slot,
                name=f"{slot.name}{letter}",
                about=ranges_of(numbers[first:last]),
                words=max(1, math.ceil(slot.words / 2)) if slot.words else 0,
            )
            for letter, (first, last) in zip("ab", partition(sizes, 2), strict=False)
        )

    def _parts(self, number: int, topic: Topic, overhead: int) -> list[Slot]:
        """Cut a topic into parts whose material fits a request: turns if it can be, else notes."""
        longest = min(_PART_WORDS, self.progress.longest_words)
        fewest = max(1, math.ceil(topic.words / longest))
        most = max(fewest, topic.words // _LEAST_PART_WORDS)
        top = len(self.plan.notes)
        slots: list[Slot] = []
        for level in range(top + 1):
            numbers = numbers_of(topic.passages)
            tokens = self.notes.tokens(level, topic.passages)
            count = max(fewest, math.ceil(tokens / max(1, self._room(overhead, longest))))
            while count <= (most if level < top else len(numbers)):
                slots = self._cut(number, topic, level, count)
                if all(self._has_room(slot, overhead) for slot in slots):
                    return slots
                count += 1 + count // 8
        # Nothing fits: the endpoint will say so, and what it refuses is cut further.
        return slots or self._cut(number, topic, top, fewest)

    def _cut(self, number: int, topic: Topic, level: int, count: int) -> list[Slot]:
        numbers = numbers_of(topic.passages)
        sizes = [self.progress.passages[each].words for each in numbers]
        total = max(1, sum(sizes))
        return [
            Slot(
                name=f"section-{number}.{part}",
                about=ranges_of(numbers[first:last]),
                words=max(1, round(topic.words * sum(sizes[first:last]) / total)),
                topic=number,
                level=level,
            )
            for part, (first, last) in enumerate(partition(sizes, count), 1)
        ]

    def _has_room(self, slot: Slot, overhead: int) -> bool:
        return self.notes.tokens(slot.level, slot.about) <= self._room(overhead, slot.words)

    def _room(self, overhead: int, words: int) -> int:
        """Return the tokens of material that a section may have, also when it is gone on with."""
        so_far = math.ceil(words * self.progress.tokens_per_word)
        return self.progress.context_tokens - overhead - self.progress.answer_tokens(words) - so_far

    def _section_overhead(self, outline: Outline) -> int:
        slot = Slot(name="section-99.99", about=(), topic=99)
        ask = self.asker.section(
            slot, outline, words=999, parts=9, part=9, so_far=" ", fault="refusal"
        )
        return self.asker.overhead(ask)

    def _ledger_ranges(self, level: int) -> list[Range]:
        """Return as few ranges as a request can hold, all registers asked for."""
        whole = Slot(name="ledger-99", about=(), registers=self.registers)
        ask = self.asker.ledger(whole, entries=_MOST_ENTRIES, fault="unreadable")
        room = max(1, self.progress.context_tokens - self.asker.overhead(ask) - ask.max_tokens)
        weights, abouts = self.notes.units(level)
        count = max(1, math.ceil(sum(weights) / room))
        while True:
            cuts = partition(weights, count)
            if len(cuts) < count or max(sum(weights[a:b]) for a, b in cuts) <= room:
                return [(abouts[a][0][0], abouts[b - 1][-1][1]) for a, b in cuts]
            count += 1 + count // 20

    def _register_groups(self, ranges: int, *, with_quotes: bool) -> list[tuple[str, ...]]:
        registers = tuple(name for name in self.registers if with_quotes or name != "quotes")
        groups = min(len(registers), max(1, _CALLS_BY_REGISTER // ranges))
        size = math.ceil(len(registers) / groups)
        return [registers[at : at + size] for at in range(0, len(registers), size)]

"""Sections and ledger: what is asked first, what again, and what is gone on with. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.summaries.asking import Asker
from core.summaries.asks import Ask
from core.summaries.checks import Fault
from core.summaries.document import words_of_registers
from core.summaries.judging import Judge, Standing
from core.summaries.notes import Notes
from core.summaries.outline import Outline
from core.summaries.planning import Planner
from core.summaries.progress import MOST_TRIES, Progress
from core.summaries.registers import Registers, merged
from core.summaries.rounds import Plan, Slot
from core.words import count_words

PROBE = 3  # calls that are tried first where a model seems to decline, or writes nothing of use
_MOST_LEDGER_TRIES = 2
_MOST_LENGTH_ROUNDS = 2
TOLERANCE = 0.06  # of the length; the overview makes up for some of the rest
_LEAST_TO_ADD_WORDS = 40
_YIELD = (0.3, 2.0)  # what a model makes of an ask is believed within these bounds


@dataclass(frozen=True)
class Writing:
    progress: Progress
    plan: Plan
    judge: Judge
    notes: Notes
    planner: Planner

    @property
    def asker(self) -> Asker:
        return self.planner.asker

    @property
    def outline(self) -> Outline:
        if self.plan.outline is None:
            raise ValueError("sections are written from an outline")
        return self.plan.outline

    @cached_property
    def standings(self) -> Mapping[str, Standing]:
        """Return what stands in each section's slot that was asked for."""
        return {
            slot.name: self.judge.standing(slot.name, slot.words)
            for slot in self.plan.sections
            if self.progress.tries(slot.name)
        }

    @cached_property
    def registers(self) -> Registers:
        ledgers = (self.judge.ledger(slot.name)[0] for slot in self.plan.ledger)
        return merged((each for each in ledgers if each), self.progress.finder)

    @property
    def unreadable_ledgers(self) -> list[Slot]:
        return [slot for slot in self.plan.ledger if self.judge.ledger(slot.name)[0] is None]

    def first_asks(self) -> list[Ask]:
        """Return the asks for all slots that were never asked for; few where the model seems to decline."""
        sections = [slot for slot in self.plan.sections if not self.progress.tries(slot.name)]
        ledger = [slot for slot in self.plan.ledger if not self.progress.tries(slot.name)]
        outlines = self.progress.tries("outline")
        nothing_came = any(each.is_refused or not each.answer.text for each in outlines)
        if nothing_came and not self._is_any_usable:
            sections, ledger = sections[: 0 if self.standings else PROBE], []
        return [
            *(self._section(slot, words=slot.words) for slot in sections),
            *(self._ledger(slot) for slot in ledger),
        ]

    @property
    def _is_any_usable(self) -> bool:
        return any(standing.is_usable for standing in self.standings.values())

    @property
    def refused(self) -> int:
        """Return how many sections the model declines; 0 while most of what it wrote is of use."""
        refused = sum(Fault.REFUSED in each.faults for each in self.standings.values())
        is_hopeless = refused >= min(PROBE, len(self.plan.sections))
        return refused if is_hopeless and 2 * refused >= len(self.standings) else 0

    def second_asks(self) -> list[Ask]:
        """Return the asks for what can't be used as it is, as far as tries are left."""
        standings = self.standings
        bad = [
            slot
            for slot in self.plan.sections
            if slot.name in standings
            and not standings[slot.name].is_usable
            and standings[slot.name].tries < MOST_TRIES
        ]
        if not self._is_any_usable:  # before more calls are made, a few are tried again, once
            bad = bad[:PROBE] if max(each.tries for each in self.standings.values()) == 1 else []
        sections = [
            self._section(slot, words=slot.words, fault=self.standings[slot.name].fault)
            for slot in bad
        ]
        ledger = [
            self._ledger(slot, fault=Fault.UNREADABLE)
            for slot in self.unreadable_ledgers
            if 0 < len(self.progress.tries(slot.name)) < _MOST_LEDGER_TRIES
        ]
        return [*sections, *ledger]

    def length_asks(self) -> list[Ask]:
        """Return the asks that bring the whole to its length, or a section to half of what it was to be."""
        rounds = sum(any(ask.adds_to for ask in past.round.asks) for past in self.progress.history)
        if rounds >= _MOST_LENGTH_ROUNDS or not self._is_any_usable:
            return []
        missing = self.target - sum(self._words(slot) for slot in self.plan.sections)
        tolerance = self.progress.goal.words * TOLERANCE
        scale = self.target / max(1, sum(slot.words for slot in self.plan.sections))
        asks: list[Ask] = []
        for slot in sorted(self.plan.sections, key=lambda s: self._words(s) - s.words * scale):
            standing = self.standings[slot.name]
            wanted = round(slot.words * scale) - standing.text.words
            is_short = Fault.SHORT in standing.faults
            if not standing.is_usable or wanted < _LEAST_TO_ADD_WORDS:
                continue
            if is_short or (missing > tolerance / 2 and (missing > tolerance or asks)):
                most = min(self.progress.longest_words, self.progress.passages.words_of(slot.about))
                words = min(round(wanted / self._yield), most)
                asks.append(self._section(slot, words=words, so_far=standing.text.text))
                missing -= round(words * self._yield)
        return asks

    @cached_property
    def target(self) -> int:
        """Return the words that the sections are to have together, as far as the rest is known."""
        outline = self.outline
        titles = [outline.title, outline.headings["overview"], outline.headings["topics"]]
        titles += [topic.title for topic in outline.topics]
        framing = sum(count_words(title) + 1 for title in titles)  # and the marks
        listed = words_of_registers(self.registers, self.progress.passages, outline.headings)
        others = framing + listed + self.planner.overview_words
        return max(1, self.progress.goal.words - others)

    @cached_property
    def _yield(self) -> float:
        """Return how many words the model writes for each that it is asked for."""
        first = [
            (each.ask.words, self.judge.judged(each)[0].words)
            for slot in self.plan.sections
            for each in self.progress.tries(slot.name)
            if not self.judge.hard_faults(each)
        ]
        asked, written = sum(words for words, _ in first), sum(words for _, words in first)
        return min(max(written / asked, _YIELD[0]), _YIELD[1]) if asked else 1.0

    def _words(self, slot: Slot) -> int:
        """Return a slot's words; its plan where it will be asked for again."""
        standing = self.standings[slot.name]
        return standing.text.words if standing.is_usable else slot.words

    def _section(self, slot: Slot, *, words: int, so_far: str = "", fault: str = "") -> Ask:
        parts = [each.name for each in self.plan.sections if each.topic == slot.topic]
        return self.asker.section(
            slot,
            self.outline,
            words=words,
            part=parts.index(slot.name) + 1,
            parts=len(parts),
            notes=self.notes.blocks(slot.level, slot.about),
            so_far=so_far,
            fault=fault,
        )

    def _ledger(self, slot: Slot, *, fault: str = "") -> Ask:
        alike = [each for each in self.plan.ledger if each.registers == slot.registers]
        return self.asker.ledger(
            slot,
            entries=self.planner.entries(slot, len(alike)),
            notes=self.notes.blocks(slot.level, slot.about),
            fault=fault,
        )


def faults_in_words(standings: Sequence[Standing]) -> str:
    """Say what was wrong, and how often: `loop (2), other-language (1)`."""
    counted = Counter(str(standing.fault) for standing in standings)
    return ", ".join(f"{fault} ({count})" for fault, count in sorted(counted.items()))

"""What an answer is worth, and what stands in a slot after one or several. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.summaries.asks import AskKind
from core.summaries.checks import Fault, grams_of, text_faults
from core.summaries.ledger import Ledger, parse_ledger
from core.summaries.passages import numbers_of
from core.summaries.progress import Progress, Try
from core.summaries.sections import SectionText, interleaved, parse_section, whole_sentences

_SHORT = 0.5  # of the words asked for
_LONG = 1.9


@dataclass(frozen=True)
class Standing:
    """What stands in a section's slot, or the overview's."""

    text: SectionText
    faults: tuple[Fault, ...]
    chosen: tuple[int, ...] = ()  # which tries it is made of, from 1
    tries: int = 0
    further: int = 0  # tries that were to go on with it

    @property
    def is_usable(self) -> bool:
        return bool(self.text.words) and not any(fault.is_hard for fault in self.faults)

    @property
    def fault(self) -> Fault:
        return self.faults[0] if self.faults else Fault.EMPTY


@dataclass(frozen=True)
class Judge:
    progress: Progress
    _judged: dict[str, tuple[SectionText, tuple[Fault, ...]]] = field(
        default_factory=dict, repr=False
    )

    def hard_faults(self, each: Try) -> list[Fault]:
        return [fault for fault in self.judged(each)[1] if fault.is_hard]

    def judged(self, each: Try) -> tuple[SectionText, tuple[Fault, ...]]:
        """Return what an answer in prose holds, and what is wrong with it."""
        if each.ask.name not in self._judged:
            self._judged[each.ask.name] = self._look_at(each)
        return self._judged[each.ask.name]

    def standing(self, slot: str, words: int) -> Standing:
        """Return the best that a slot's answers come to: a sound one, and then the nearest in length."""
        tries = self.progress.tries(slot)
        best = Standing(text=SectionText(), faults=(Fault.EMPTY,))
        for at, each in enumerate(tries, 1):
            if each.overflowed:
                continue
            text, faults = self.judged(each)
            if each.ask.adds_to:
                if best.is_usable and not self.hard_faults(each):
                    best = Standing(
                        text=interleaved(best.text, text), faults=(), chosen=(*best.chosen, at)
                    )
                continue
            tried = Standing(text=text, faults=faults, chosen=(at,))
            if at == 1 or _rank(tried, words) < _rank(best, words):
                best = tried
        soft = _length_faults(best.text.words, words) if best.is_usable else best.faults
        return Standing(
            text=best.text,
            faults=tuple(soft),
            chosen=best.chosen if best.is_usable else (),
            tries=len(tries),
            further=sum(each.ask.adds_to for each in tries),
        )

    def ledger(self, slot: str) -> tuple[Ledger | None, int]:
        """Return the last ledger that could be read, and which try it is; None if there is none."""
        tries = self.progress.tries(slot)
        for at in range(len(tries), 0, -1):
            ask, answer = tries[at - 1].ask, tries[at - 1].answer
            allowed = frozenset(numbers_of(ask.about))
            ledger = parse_ledger(answer.text, allowed, self.progress.passages)
            if ledger and self._is_in_its_language(ledger):
                return ledger, at
        return None, 0

    def _is_in_its_language(self, ledger: Ledger) -> bool:
        entries = (*ledger.decisions, *ledger.actions, *ledger.questions)
        language = self.progress.language
        return language is None or language.is_of(" ".join(entry.what for entry in entries))

    @cached_property
    def _prompt(self) -> frozenset[int]:
        told = {each.ask.instructions for each in self.progress.all_tries}
        systems = {each.ask.system for each in self.progress.all_tries}
        return grams_of((*told, *systems))

    def _look_at(self, each: Try) -> tuple[SectionText, tuple[Fault, ...]]:
        ask, answer = each.ask, each.answer
        if answer.failure:
            return SectionText(), (Fault.FAILED,)
        shown = self.progress.passages.of(ask.passages) if ask.kind is not AskKind.NOTES else ()
        faults = text_faults(
            answer.text,
            prompt=self._prompt,
            material=grams_of(passage.text for passage in shown),
            language=self.progress.language,
        )
        if faults:
            return SectionText(), tuple(faults)
        text = whole_sentences(answer.text) if answer.was_cut else answer.text
        section = parse_section(text, frozenset(numbers_of(ask.about)))
        if not section.words:
            return section, (Fault.CUT if answer.was_cut else Fault.EMPTY, Fault.EMPTY)
        return section, tuple(_length_faults(section.words, ask.words))


def _length_faults(words: int, wanted: int) -> Sequence[Fault]:
    if words < wanted * _SHORT:
        return [Fault.SHORT]
    return [Fault.LONG] if words > wanted * _LONG else []


def _rank(standing: Standing, words: int) -> tuple[bool, int]:
    return (not standing.is_usable, abs(standing.text.words - words))

"""From the finished parts to the document and its facts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.summaries import reporting
from core.summaries.checks import Fault
from core.summaries.document import Document, Parts, assembled
from core.summaries.facts import Check, Facts, Outcome
from core.summaries.ledger import Entry
from core.summaries.outline import Outline
from core.summaries.overview import Overview
from core.summaries.passages import numbers_of
from core.summaries.quoted import QuotationCheck, QuoteCount, without_marks
from core.summaries.registers import Registers
from core.summaries.rounds import Finished, GivenUp
from core.summaries.sections import Paragraph, SectionText, paragraph_of
from core.summaries.sources import likely_sources
from core.summaries.trimming import trimmed
from core.summaries.writing import Writing

_MOST_OVER = 0.05  # of the length: what is over more is trimmed


@dataclass(frozen=True)
class Finishing:
    writing: Writing
    overview: Overview

    def finished(self) -> Finished | GivenUp:
        """Return the document with its facts. One that leaves out a topic is never published."""
        document, count, uncited = self._document()
        missing = missing_topics(document.text, self.writing.outline)
        facts = self._facts(document, count, uncited)
        if missing:
            return GivenUp(
                code="summary-incomplete",
                message=f"the summary would leave out {missing} of the topics of its outline; submit again",
                facts=facts,
            )
        return Finished(text=document.text, facts=facts)

    def _document(self) -> tuple[Document, QuoteCount, int]:
        writing = self.writing
        progress, outline = writing.progress, self._named_outline
        check = QuotationCheck(progress.finder)
        sections = [_checked(section, check) for section in self._trimmed]
        overview = _checked(self._overview_text, check)
        sourced = [
            self._sourced(section, numbers_of(topic.passages))
            for section, topic in zip(sections, outline.topics, strict=True)
        ]
        told = sorted({n for section in sourced for p in section.paragraphs for n in p.passages})
        uncited = sum(not p.passages for section in sections for p in section.paragraphs)
        document = assembled(
            Parts(
                outline=outline,
                overview=self._named(self._sourced(overview, told)),
                sections=[self._named(section) for section in sourced],
                registers=self._named_registers,
            ),
            progress.passages,
            with_times=progress.goal.with_times,
        )
        return document, check.count, uncited

    @property
    def _overview_text(self) -> SectionText:
        return self.overview.standing.text if self.overview.is_usable else self.overview.by_code()

    @property
    def _trimmed(self) -> Sequence[SectionText]:
        """Return each topic's text; where all of it is far over its length, shorter."""
        writing = self.writing
        planned = [
            sum(slot.words for slot in writing.plan.sections if slot.topic == number)
            for number in range(1, len(writing.outline.topics) + 1)
        ]
        goal = writing.progress.goal.words
        overview = self._overview_text.words - writing.planner.overview_words
        most = writing.target - overview + round(goal * _MOST_OVER)
        sections = self.overview.sections
        if sum(section.words for section in sections) <= most + round(goal * _MOST_OVER / 2):
            return sections
        return trimmed(sections, planned, words=most)

    def _sourced(self, section: SectionText, about: Sequence[int]) -> SectionText:
        """Give each paragraph that cites nothing the passages that it most likely rests on."""
        passages = [self.writing.progress.passages[number] for number in about]
        return replace(
            section,
            paragraphs=tuple(
                paragraph
                if paragraph.passages
                else replace(paragraph, passages=likely_sources(paragraph.text, passages))
                for paragraph in section.paragraphs
            ),
        )

    # --- names

    def _right(self, text: str) -> str:
        return self.writing.progress.goal.glossary.applied_to(text)

    def _named(self, section: SectionText) -> SectionText:
        paragraphs = (replace(each, text=self._right(each.text)) for each in section.paragraphs)
        return replace(section, paragraphs=tuple(paragraphs))

    @property
    def _named_outline(self) -> Outline:
        outline = self.writing.outline
        topics = (replace(topic, title=self._right(topic.title)) for topic in outline.topics)
        return replace(outline, title=self._right(outline.title), topics=tuple(topics))

    @property
    def _named_registers(self) -> Registers:
        registers = self.writing.registers

        def named(entries: Iterable[Entry]) -> tuple[Entry, ...]:
            return tuple(
                replace(
                    entry,
                    what=self._right(entry.what),
                    who=self._right(entry.who),
                    detail=self._right(entry.detail),
                )
                for entry in entries
            )

        return replace(
            registers,
            decisions=named(registers.decisions),
            actions=named(registers.actions),
            questions=named(registers.questions),
        )

    # --- facts

    def _facts(self, document: Document, in_text: QuoteCount, uncited: int) -> Facts:
        writing, registers = self.writing, self.writing.registers
        progress, plan = writing.progress, writing.plan
        quotes = in_text + QuoteCount(
            verified=len(registers.quotes),
            dropped=registers.dropped_quotes,
            tidied=registers.tidied_quotes,
            misattributed=registers.moved_quotes,
        )
        words = document.words
        return Facts(
            way="outline",
            words=words,
            target_words=progress.goal.words,
            outline_by="model" if writing.outline.is_by_model else "code",
            topics=len(writing.outline.topics),
            quotes_verified=quotes.verified,
            quotes_dropped=quotes.dropped,
            checks=(*self._checks(words, quotes, uncited), self._coverage(document)),
            remarks=plan.remarks,
            glossary_notes=progress.goal.glossary.notes,
            tries=reporting.tries_of(progress),
            chosen=self._several,
            sources=document.sources,
            cost=reporting.cost_of(progress, self._chosen),
        )

    def _checks(self, words: int, quotes: QuoteCount, uncited: int) -> tuple[Check, ...]:
        writing = self.writing
        progress = writing.progress
        standings = writing.standings.values()
        wrong = writing.registers.wrong_numbers + sum(s.text.wrong_numbers for s in standings)
        short = sum(Fault.SHORT in standing.faults for standing in standings)
        paragraphs = (p for section in self.overview.sections for p in section.paragraphs)
        return (
            *reporting.fault_checks(progress, writing.judge),
            *reporting.quote_checks(quotes),
            reporting.turn_number_check(wrong),
            reporting.number_check(paragraphs, progress.passages),
            reporting.length_check(words, progress.goal.words),
            Check(code="missing-topic", outcome=Outcome.PASSED),
            reporting.soft_check("short-section", short),
            reporting.soft_check("source", uncited, outcome=Outcome.NOTED),
            reporting.soft_check("outline", not writing.outline.is_by_model, outcome=Outcome.NOTED),
            reporting.soft_check("ledger", len(writing.unreadable_ledgers)),
            reporting.soft_check("overview", not self.overview.is_usable),
        )

    def _coverage(self, document: Document) -> Check:
        told: dict[str, set[int]] = {}
        for source in document.sources:
            told.setdefault(source.section, set()).update(source.turns)
        topics = enumerate(self.writing.outline.topics, 1)
        parts = ((numbers_of(each.passages), told.get(str(n), set())) for n, each in topics)
        return reporting.coverage_check(parts, self.writing.progress.passages)

    @cached_property
    def _chosen(self) -> Mapping[str, tuple[int, ...]]:
        """Return which tries of each slot are in the summary."""
        writing = self.writing
        chosen = {name: each.chosen for name, each in writing.standings.items()}
        for slot in writing.plan.ledger:
            chosen[slot.name] = (writing.judge.ledger(slot.name)[1],)
        if self.overview.is_usable:
            chosen["overview"] = self.overview.standing.chosen
        if writing.outline.is_by_model:
            chosen["outline"] = (len(writing.progress.tries("outline")),)
        for level in writing.plan.notes:
            chosen |= {slot.name: (len(writing.progress.tries(slot.name)),) for slot in level}
        return chosen

    @property
    def _several(self) -> Mapping[str, tuple[int, ...]]:
        tries = reporting.tries_of(self.writing.progress)
        return {slot: chosen for slot, chosen in self._chosen.items() if slot in tries}


def _checked(section: SectionText, check: QuotationCheck) -> SectionText:
    """Return a section without quotations that nobody said."""
    kept: list[Paragraph] = []
    for paragraph in section.paragraphs:
        text = check.in_block(paragraph.text)
        if text == paragraph.text:
            kept.append(paragraph)
        elif text:
            kept.append(paragraph_of(text, paragraph.passages))
    if section.paragraphs and not kept:  # nothing but quotes: a report of them, in nobody's words
        first = section.paragraphs[0]
        kept.append(paragraph_of(without_marks(first.text), first.passages))
    return replace(section, paragraphs=tuple(kept))


def missing_topics(text: str, outline: Outline) -> int:
    """Return how many topics of an outline a document has no section for, or one without words."""
    blocks = text.split("\n\n")
    told = {
        block
        for block, following in zip(blocks, [*blocks[1:], "#"], strict=True)
        if block.startswith("### ") and not following.startswith("#")
    }
    return sum(
        not any(block.startswith(f"### {topic.title}") for block in told)
        for topic in outline.topics
    )

"""The whole summary in one answer: for short ones, and where that is asked for. Pure.

The same checks hold as for a summary by its outline. What is cut off, far too short or of no use is asked
for again within the budget, and the best of what came stands.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.summaries import reporting
from core.summaries.asking import Asker
from core.summaries.asks import Ask
from core.summaries.checks import Fault
from core.summaries.document import source_of, stamp
from core.summaries.facts import Check, Facts, Outcome, Source
from core.summaries.judging import Judge
from core.summaries.progress import MOST_TRIES, Progress, Try
from core.summaries.quoted import QuotationCheck
from core.summaries.rounds import Finished, Plan
from core.summaries.sections import (
    Paragraph,
    SectionText,
    cited_in,
    paragraph_of,
    whole_sentences,
    without_citations,
)
from core.summaries.trimming import shortened
from core.words import count_words

SLOT = "single"
_NEAR = 0.25  # of the length: an answer that far from it is asked for again
_YIELD = (0.3, 2.0)
_TRIMMED_TO = 0.04  # over the length; what is over by twice as much
_HEADING = re.compile(r"[ \t]{0,3}(#{1,6})[ \t]+(\S.*?)[ \t]*#*[ \t]*")


@dataclass(frozen=True)
class Single:
    progress: Progress
    plan: Plan
    judge: Judge

    @property
    def tries(self) -> Sequence[Try]:
        return [each for each in self.progress.tries(SLOT) if not each.overflowed]

    def next_ask(self, asker: Asker) -> Ask | None:
        """Return the ask for the summary; None where one stands, or another try is of no use."""
        goal = self.progress.goal.words
        if not self.tries:
            return asker.single(words=goal)
        if len(self.tries) >= MOST_TRIES:
            return None
        fault = self._fault(self.tries[-1]) if self._best is None else self._fault(self._best)
        if fault is None:
            return None
        words = goal
        if self._best is not None and fault in (Fault.SHORT, Fault.LONG):
            last = self._usable[-1]
            made = min(max(self._words(last) / last.ask.words, _YIELD[0]), _YIELD[1])
            words = max(1, round(goal / made))
        return asker.single(words=words, fault=fault)

    @property
    def is_usable(self) -> bool:
        return self._best is not None

    @property
    def refused(self) -> bool:
        return all(Fault.REFUSED in self.judge.hard_faults(each) for each in self.tries)

    @property
    def fault(self) -> Fault | None:
        return self._fault(self.tries[-1]) if self.tries else None

    def finished(self) -> Finished | None:
        """Return the best answer as a document with its facts; None if none can be used."""
        best = self._best
        if best is None:
            return None
        check = QuotationCheck(self.progress.finder)
        blocks = [self._checked(block, check) for block in _blocks(_whole(best))]
        blocks = _without_empty_sections([block for block in blocks if block.text])
        blocks = self._within_length(blocks)
        text = "\n\n".join(self._shown(block) for block in blocks)
        goal = self.progress.goal
        words = count_words(text)
        chosen = {SLOT: (self.progress.tries(SLOT).index(best) + 1,)}
        wrong = sum(block.wrong for block in blocks)
        paragraphs = [block.paragraph for block in blocks if not block.heading]
        facts = Facts(
            way="single",
            words=words,
            target_words=goal.words,
            quotes_verified=check.count.verified,
            quotes_dropped=check.count.dropped,
            checks=(
                *reporting.fault_checks(self.progress, self.judge),
                *reporting.quote_checks(check.count),
                reporting.turn_number_check(wrong),
                reporting.number_check(paragraphs, self.progress.passages),
                reporting.length_check(words, goal.words),
                Check(code="missing-topic", outcome=Outcome.NOT_APPLICABLE),
                self._coverage(paragraphs),
            ),
            remarks=self.plan.remarks,
            glossary_notes=goal.glossary.notes,
            tries=reporting.tries_of(self.progress),
            chosen=chosen if len(self.tries) > 1 else {},
            sources=tuple(self._sources(blocks)),
            cost=reporting.cost_of(self.progress, chosen),
        )
        return Finished(text=text, facts=facts)

    def _coverage(self, paragraphs: Sequence[Paragraph]) -> Check:
        passages = self.progress.passages
        told = {number for paragraph in paragraphs for number in paragraph.passages}
        if not told:  # one answer need not cite
            return Check(code="coverage", outcome=Outcome.NOT_APPLICABLE)
        return reporting.coverage_check([(range(1, passages.last + 1), told)], passages)

    @cached_property
    def _usable(self) -> Sequence[Try]:
        return [
            each for each in self.tries if not self.judge.hard_faults(each) and self._words(each)
        ]

    @cached_property
    def _best(self) -> Try | None:
        """Return the usable answer that is nearest to its length; one too long can be shortened."""
        return min(self._usable, key=self._times_off, default=None)

    def _times_off(self, each: Try) -> float:
        words, goal = self._words(each), self.progress.goal.words
        return goal / words if words < goal else math.sqrt(words / goal)

    def _words(self, each: Try) -> int:
        return count_words(_whole(each))

    def _fault(self, each: Try) -> Fault | None:
        """Return why an answer is asked for again; None if it can stand."""
        if hard := self.judge.hard_faults(each):
            return hard[0]
        goal = self.progress.goal.words
        if reporting.has_about(self._words(each), goal):
            return None  # what the check lets pass is not worth another answer
        if self._words(each) < goal * (1 - _NEAR):
            return Fault.CUT if each.answer.was_cut else Fault.SHORT
        return Fault.LONG if self._words(each) > goal * (1 + 2 * _NEAR) else None

    def _within_length(self, blocks: list["_Block"]) -> list["_Block"]:
        """Return the blocks, those in prose shorter where all of it is far over its length."""
        goal = self.progress.goal.words
        excess = sum(count_words(block.text) for block in blocks) - round(goal * (1 + _TRIMMED_TO))
        if excess <= goal * _TRIMMED_TO:
            return blocks
        prose = [block for block in blocks if not block.heading]
        text = SectionText(tuple(paragraph_of(block.text) for block in prose))
        shorter = iter(shortened(text, excess).paragraphs)
        return [b if b.heading else replace(b, text=next(shorter).text) for b in blocks]

    def _checked(self, block: "_Block", check: QuotationCheck) -> "_Block":
        if block.heading:
            return replace(block, text=self.progress.goal.glossary.applied_to(block.text))
        last = self.progress.passages.last
        cited = cited_in(block.text)
        text = check.in_block(block.text)
        known = tuple(sorted(number for number in cited if 1 <= number <= last))
        wrong = len(cited) - len(known)
        text = self.progress.goal.glossary.applied_to(text)
        return replace(block, text=text, passages=known, wrong=wrong)

    def _shown(self, block: "_Block") -> str:
        """Return a block as it is published: its citations are times, or nothing."""
        if block.heading:
            return block.text
        lines = (self._line(line) for line in block.text.splitlines())
        return "\n".join(line for line in lines if line.strip())

    def _line(self, line: str) -> str:
        cited = sorted(n for n in cited_in(line) if 1 <= n <= self.progress.passages.last)
        plain = without_citations(line)
        if self.progress.goal.with_times and cited:
            plain += stamp(self.progress.passages, cited[0])
        indent = line[: len(line) - len(line.lstrip())]
        return indent + plain

    def _sources(self, blocks: Sequence["_Block"]) -> Sequence[Source]:
        section = ""
        sources = []
        for block in blocks:
            if block.heading:
                section = block.text.lstrip("# ")
            else:
                sources.append(
                    source_of(self.progress.passages, "paragraph", block.passages, section=section)
                )
        return sources


@dataclass(frozen=True)
class _Block:
    """A heading, or what stands between blank lines."""

    text: str
    heading: int = 0  # its level; 0 is none
    passages: tuple[int, ...] = ()
    wrong: int = 0

    @property
    def paragraph(self) -> Paragraph:
        return paragraph_of(without_citations(self.text), self.passages)


def _whole(each: Try) -> str:
    return whole_sentences(each.answer.text) if each.answer.was_cut else each.answer.text


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    held: list[str] = []
    for line in (*text.splitlines(), ""):
        heading = _HEADING.fullmatch(line)
        if line.strip() and not heading:
            held.append(line.rstrip())
            continue
        if held:
            blocks.append(_Block("\n".join(held)))
            held = []
        if heading:
            blocks.append(_Block(f"{heading[1]} {heading[2]}", heading=len(heading[1])))
    return blocks


def _without_empty_sections(blocks: Sequence[_Block]) -> list[_Block]:
    """Leave out headings beneath which there is nothing."""
    kept: list[_Block] = []
    for block in reversed(blocks):
        following = kept[-1] if kept else None
        is_empty = following is None or (0 < following.heading <= block.heading)
        if not block.heading or not is_empty:
            kept.append(block)
    return kept[::-1]

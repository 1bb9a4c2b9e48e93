"""The overview: what it is made of, what stands of it, and one by code where a model writes none. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.summaries.asks import Ask
from core.summaries.document import told_registers
from core.summaries.judging import Standing
from core.summaries.planning import OVERVIEW_WORDS
from core.summaries.sections import Paragraph, SectionText, joined, paragraph_of, sentences_of
from core.summaries.writing import Writing

_MOST_TRIES = 2
_LEAST_WORDS = 25
_SENTENCES = (4, 3, 2, 1)  # of each paragraph, where the sections don't fit a request whole


@dataclass(frozen=True)
class Overview:
    writing: Writing

    @property
    def standing(self) -> Standing:
        return self.writing.judge.standing("overview", self.words)

    @property
    def words(self) -> int:
        """Return what is asked for: what the rest leaves, within bounds."""
        least, most = OVERVIEW_WORDS
        goal = self.writing.progress.goal.words
        written = sum(text.words for text in self.sections)
        left = self.writing.target + self.writing.planner.overview_words - written
        longest = self.writing.progress.longest_words
        return max(1, min(max(left, least), most, max(goal // 4, 1), longest))

    @property
    def is_usable(self) -> bool:
        return self.standing.is_usable and self.standing.text.words >= min(_LEAST_WORDS, self.words)

    def next_ask(self) -> Ask | None:
        """Return the ask for the overview; None where one stands, or another try is of no use."""
        progress = self.writing.progress
        tries = [each for each in progress.tries("overview") if not each.overflowed]
        if (tries and self.is_usable) or len(tries) >= _MOST_TRIES:
            return None
        if len(progress.tries("overview")) > 2 * _MOST_TRIES:
            return None
        fault = self.standing.fault if tries else ""
        for text in self._materials():
            ask = self.writing.asker.overview(
                self.writing.outline, text, words=self.words, fault=fault
            )
            if self.writing.asker.fits(ask):
                return ask
        return None

    @property
    def sections(self) -> Sequence[SectionText]:
        """Return the text of each topic, as it stands."""
        writing = self.writing
        return [
            joined(
                [
                    writing.standings[slot.name].text
                    for slot in writing.plan.sections
                    if slot.topic == number
                ]
            )
            for number in range(1, len(writing.outline.topics) + 1)
        ]

    def by_code(self) -> SectionText:
        """Return how each topic begins, the longest topics' beginnings if not all have room."""
        begun: list[Paragraph] = [
            paragraph_of(
                sentences_of(section.paragraphs[0].text)[0], section.paragraphs[0].passages
            )
            for section in self.sections
            if section.paragraphs
        ]
        kept: list[Paragraph] = []
        for paragraph in begun:
            if not kept or sum(each.words for each in kept) + paragraph.words <= OVERVIEW_WORDS[1]:
                kept.append(paragraph)
        numbers = sorted({number for paragraph in kept for number in paragraph.passages})
        return SectionText((paragraph_of(" ".join(each.text for each in kept), tuple(numbers)),))

    def _materials(self) -> Sequence[str]:
        """Return what the overview is made of, each shorter than the one before."""
        writing = self.writing
        listed = told_registers(writing.registers, writing.progress.passages, writing.outline)
        texts = [self._told(0), *(self._told(most) for most in _SENTENCES)]
        return [f"{text}\n\n{listed}".strip() for text in texts] + texts[-1:]

    def _told(self, most: int) -> str:
        """Return the sections, with so many sentences of each paragraph; all of them with 0."""
        blocks: list[str] = []
        for topic, section in zip(self.writing.outline.topics, self.sections, strict=True):
            blocks.append(f"### {topic.title}")
            for paragraph in section.paragraphs:
                kept = sentences_of(paragraph.text)[:most] if most else [paragraph.text]
                blocks.append(" ".join(kept))
        return "\n\n".join(blocks)

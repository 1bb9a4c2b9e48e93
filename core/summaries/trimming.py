"""Sections that came out too long together, brought to their length by code. Pure.

Asking a model again costs as much as the first time. So paragraphs lose their last sentences instead, the
longest first: a paragraph says its point at its beginning. Each keeps its first sentence, so no topic and
no turn that is told is left out.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.summaries.sections import Paragraph, SectionText, paragraph_of, sentences_of
from core.words import count_words


def trimmed(
    sections: Sequence[SectionText], planned: Sequence[int], *, words: int
) -> list[SectionText]:
    """Return the sections with about so many words; those that are over their plan give most."""
    excess = sum(section.words for section in sections) - words
    if excess <= 0:
        return list(sections)
    scale = words / max(1, sum(planned))
    over = [
        max(0.0, section.words - plan * scale)
        for section, plan in zip(sections, planned, strict=True)
    ]
    total = sum(over) or 1.0
    return [
        shortened(section, round(excess * part / total))
        for section, part in zip(sections, over, strict=True)
    ]


def shortened(section: SectionText, words: int) -> SectionText:
    """Return a section with about so many words less."""
    sentences = [_sentences(paragraph) for paragraph in section.paragraphs]
    lengths = [[count_words(sentence) for sentence in each] for each in sentences]
    while words > 0:
        longest = max(
            (at for at, each in enumerate(lengths) if len(each) > 1),
            key=lambda at: sum(lengths[at]),
            default=None,
        )
        if longest is None or lengths[longest][-1] > 2 * words:
            break
        words -= lengths[longest].pop()
        sentences[longest].pop()
    return replace(
        section,
        paragraphs=tuple(
            paragraph
            if len(kept) == len(_sentences(paragraph))
            else paragraph_of(" ".join(kept), paragraph.passages)
            for paragraph, kept in zip(section.paragraphs, sentences, strict=True)
        ),
    )


def _sentences(paragraph: Paragraph) -> list[str]:
    """Return a paragraph's sentences; of a list, which is no prose, one."""
    return [paragraph.text] if "\n" in paragraph.text else sentences_of(paragraph.text)

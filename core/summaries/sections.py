"""What a call writes in prose: paragraphs, each with the numbers of the passages that it rests on. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.words import count_words

# [12], [3, 7], [14-19], [Turn 12], [12, 13, and 15], 【12】, (turns 12 to 14), [12][13]
_NUMBERS = (
    r"\d{1,7}(?:\s*(?:[,;]\s*(?:and\s+)?|-|\u2013|to\s|and\s|&)\s*(?:turns?\s+|[TP])?\d{1,7}){0,40}"
)
_CITATION = re.compile(
    rf"[ \t]*(?:[\[【](?:turns?\s+|passages?\s+|[TP])?({_NUMBERS})[\]】]"
    rf"|\((?:see\s+)?(?:turns?|passages?)\s+({_NUMBERS})\))",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d{1,7})(?:\s*(?:-|\u2013|to)\s*(\d{1,7}))?")
_WIDEST_RANGE = 200  # a wider one cites nothing in particular
_HEADING = re.compile(
    r"[ \t]{0,3}#{1,6}[ \t]+\S.*|\*\*[^*\n]{1,160}\*\*:?[ \t]*|__[^_\n]{1,160}__:?[ \t]*"
)
_SENTENCE_END = re.compile(r"[.!?…。！？।؟][\"'”’»)\]*_]{0,3}(?=\s|\Z)|[。！？]")
_ABBREVIATION = re.compile(
    r"(?<!\w)(?:[A-Z]|Mr|Mrs|Ms|Dr|Hon|Prof|St|Sen|Rep|No|vs|e\.g|i\.e|ca|Hr|Fr|Nr)\.\Z"
)
_SPACE_BEFORE_STOP = re.compile(r"[ \t]+(?=[.,;:!?])")


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str = field(repr=False)  # Markdown without citations
    passages: tuple[int, ...]  # ascending
    words: int


@dataclass(frozen=True, slots=True)
class SectionText:
    paragraphs: tuple[Paragraph, ...] = ()
    wrong_numbers: int = 0  # cited passages that the text was not about; left out

    @property
    def words(self) -> int:
        return sum(paragraph.words for paragraph in self.paragraphs)

    @property
    def text(self) -> str:
        return "\n\n".join(paragraph.text for paragraph in self.paragraphs)


def parse_section(text: str, allowed: frozenset[int]) -> SectionText:
    """Read paragraphs; their citations are taken out and checked, headings among them left out."""
    paragraphs: list[Paragraph] = []
    wrong = 0
    for block in _blocks(text):
        cited = cited_in(block)
        wrong += len(cited - allowed)
        plain = without_citations(block)
        if any(map(str.isalnum, plain)):
            paragraphs.append(paragraph_of(plain, tuple(sorted(cited & allowed))))
        elif paragraphs:  # numbers that stand alone belong to what they follow
            last = paragraphs[-1]
            both = sorted({*last.passages, *(cited & allowed)})
            paragraphs[-1] = replace(last, passages=tuple(both))
    return SectionText(tuple(paragraphs), wrong)


def paragraph_of(text: str, passages: tuple[int, ...] = ()) -> Paragraph:
    return Paragraph(text, passages, count_words(text))


def cited_in(text: str) -> set[int]:
    """Return the numbers of the turns that a text cites."""
    cited: set[int] = set()
    for citation in _CITATION.finditer(text):
        for found in _RANGE.finditer(citation[1] or citation[2]):
            first, last = int(found[1]), int(found[2] or found[1])
            cited.update(range(first, last + 1) if 0 <= last - first <= _WIDEST_RANGE else (first,))
    return cited


def without_citations(text: str) -> str:
    return _SPACE_BEFORE_STOP.sub("", _CITATION.sub("", text)).strip()


def whole_sentences(text: str) -> str:
    """Return a text that was cut off up to the end of its last whole sentence, with its citation."""
    end = max(_ends_of_sentences(text), default=0)
    citation = _CITATION.match(text, end)
    return text[: citation.end() if citation else end]


def sentences_of(text: str) -> list[str]:
    """Return a paragraph's sentences, each with what follows it."""
    ends = _ends_of_sentences(text)
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    starts = [0, *ends[:-1]]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True) if start < end]


def _ends_of_sentences(text: str) -> list[int]:
    return [
        match.end()
        for match in _SENTENCE_END.finditer(text)
        if match[0] != "." or not _ABBREVIATION.search(text, max(0, match.start() - 8), match.end())
    ]


def joined(parts: Sequence[SectionText]) -> SectionText:
    return SectionText(
        tuple(paragraph for part in parts for paragraph in part.paragraphs),
        sum(part.wrong_numbers for part in parts),
    )


def interleaved(first: SectionText, further: SectionText) -> SectionText:
    """Put what was written later among what stands, in the order of the turns they rest on."""
    both = joined([first, further])
    if not all(paragraph.passages for paragraph in both.paragraphs):
        return both
    ordered = sorted(both.paragraphs, key=lambda paragraph: paragraph.passages[0])
    return replace(both, paragraphs=tuple(ordered))


def _blocks(text: str) -> Iterator[str]:
    """Yield a text's paragraphs; a list is one, and headings are none."""
    held: list[str] = []
    for line in (*text.splitlines(), ""):
        is_heading = _HEADING.fullmatch(line)
        if line.strip() and not is_heading:
            held.append(line.rstrip())
        elif held:
            yield "\n".join(held)
            held = []

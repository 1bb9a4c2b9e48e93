"""One document from the finished parts: overview, topics in order, and each register once. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.summaries.facts import Source
from core.summaries.ledger import Entry
from core.summaries.outline import Outline
from core.summaries.passages import Passages
from core.summaries.registers import Quote, Registers
from core.summaries.sections import Paragraph, SectionText
from core.words import count_words

OVERVIEW = "overview"


@dataclass(frozen=True, kw_only=True)
class Document:
    text: str = field(repr=False)  # Markdown
    sources: tuple[Source, ...] = field(repr=False)

    @property
    def words(self) -> int:
        return count_words(self.text)


@dataclass(frozen=True, kw_only=True)
class Parts:
    outline: Outline
    overview: SectionText
    sections: Sequence[SectionText]  # one for each topic, in the outline's order
    registers: Registers


def assembled(parts: Parts, passages: Passages, *, with_times: bool) -> Document:
    """Return the summary. A register without entries, or without a heading in the set, is left out."""
    headings = parts.outline.headings
    builder = _Builder(passages, with_times=with_times)
    builder.add(f"# {parts.outline.title}")
    builder.add(f"## {headings['overview']}")
    builder.paragraphs(OVERVIEW, parts.overview.paragraphs)
    builder.add(f"## {headings['topics']}")
    for number, (topic, section) in enumerate(
        zip(parts.outline.topics, parts.sections, strict=True), 1
    ):
        builder.add(f"### {topic.title}")
        builder.paragraphs(str(number), section.paragraphs)
    builder.registers(parts.registers, headings)
    return builder.document()


def words_of_registers(
    registers: Registers, passages: Passages, headings: Mapping[str, str]
) -> int:
    """Return how many words the registers will have."""
    builder = _Builder(passages, with_times=False)
    builder.registers(registers, headings)
    return builder.document().words


def told_registers(registers: Registers, passages: Passages, outline: Outline) -> str:
    """Return the registers as the overview's call is shown them."""
    builder = _Builder(passages, with_times=False)
    builder.registers(replace(registers, quotes=()), outline.headings)
    return builder.document().text


class _Builder:
    def __init__(self, passages: Passages, *, with_times: bool) -> None:
        self._passages = passages
        self._with_times = with_times
        self._blocks: list[str] = []
        self._sources: list[Source] = []

    def add(self, block: str) -> None:
        self._blocks.append(block)

    def paragraphs(self, section: str, paragraphs: Iterable[Paragraph]) -> None:
        for paragraph in paragraphs:
            # The overview is made of the sections, and its turns are theirs: many, and far apart.
            cited = paragraph.passages if section != OVERVIEW else ()
            self.add(paragraph.text + (self.time_of(cited[0]) if cited else ""))
            self._source("paragraph", paragraph.passages, section=section)

    def registers(self, registers: Registers, headings: Mapping[str, str]) -> None:
        """Add the registers in the order of the set's headings."""
        entries: Mapping[str, tuple[str, Sequence[Entry], Callable[[Entry], str]]] = {
            "decisions": ("decision", registers.decisions, _decision),
            "actions": ("action", registers.actions, _action),
            "questions": ("question", registers.questions, _question),
        }
        for name, heading in headings.items():
            if name in entries:
                self._entries(heading, *entries[name])
            elif name == "quotes":
                self._quotes(heading, registers.quotes)

    def time_of(self, number: int) -> str:
        """Return ` [hh:mm:ss]`, when this passage began, where times are wanted and known."""
        if not self._with_times or not number:
            return ""
        return stamp(self._passages, number)

    def document(self) -> Document:
        return Document(text="\n\n".join(self._blocks), sources=tuple(self._sources))

    def _entries(
        self, heading: str, kind: str, entries: Sequence[Entry], told: Callable[[Entry], str]
    ) -> None:
        for entry in entries:
            self._source(kind, (entry.turn, entry.ended_at))
        lines = [f"- {told(entry)}{self.time_of(entry.turn)}" for entry in entries]
        if lines:
            self._blocks += [f"## {heading}", "\n".join(lines)]

    def _quotes(self, heading: str, quotes: Sequence[Quote]) -> None:
        lines = []
        for quote in quotes:
            by = f" — {quote.speaker}" if quote.speaker else ""
            lines.append(f"> “{quote.words}”{by}{self.time_of(quote.turn)}")
            self._source("quote", (quote.turn,))
        if lines:
            self._blocks += [f"## {heading}", "\n>\n".join(lines)]

    def _source(self, kind: str, numbers: Sequence[int], *, section: str = "") -> None:
        self._sources.append(source_of(self._passages, kind, numbers, section=section))


def source_of(
    passages: Passages, kind: str, numbers: Iterable[int], *, section: str = ""
) -> Source:
    """Return what a part of a summary rests on, with the time of the first of its turns."""
    turns = tuple(number for number in numbers if number)
    starts_at = passages[turns[0]].starts_at if turns else None
    return Source(kind=kind, section=section, turns=turns, starts_at=starts_at)


def stamp(passages: Passages, number: int) -> str:
    """Return ` [hh:mm:ss]` of a passage; "" where it has no time."""
    seconds = passages[number].starts_at
    return "" if seconds is None else f" [{clock(seconds)}]"


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{text}."


def _decision(entry: Entry) -> str:
    who = f"**{entry.who}**: " if entry.who else ""
    what = entry.what.rstrip(".")
    told = f"~~{what}~~" if entry.ended_at else _sentence(what)  # reversed by a later one
    return f"{who}{told}" + (f" {_sentence(entry.detail)}" if entry.detail else "")


def _action(entry: Entry) -> str:
    is_said = entry.detail.casefold() in entry.what.casefold()
    due = f" ({entry.detail})" if entry.detail and not is_said else ""
    return f"**{entry.who or '?'}**: {_sentence(entry.what.rstrip('.') + due)}"


def _question(entry: Entry) -> str:
    who = f" ({entry.who})" if entry.who else ""
    return f"{entry.what}{who}"

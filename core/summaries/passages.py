"""The transcript as numbered passages: what a model cites, and what everything published rests on. Pure.

A passage is a turn, or a part of a long one that ends with a sentence. `[17] Ann: We lose two crossings.`
costs a model three tokens more than the words alone, and lets code say where a paragraph, a decision or a
quote comes from. Numbers begin at 1 and never change: the passages of a job are stored once, with what they
cost, so that a later version of this program goes on with the same ones.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.summaries.tokens import estimate_tokens
from core.transcripts.turns import Turn
from core.words import count_words

LONGEST_PASSAGE_WORDS = 150
_CHARACTERS_OF_AN_UNSPACED_WORD = 1  # the shortest: a Han character counts as a word

_SENTENCE_END = re.compile(r"(?<=[.!?…؟।])[\"'”’»)\]]{0,3}\s+|(?<=[。！？])(?![。！？”’」』）])")

Range = tuple[int, int]  # the first and last of neighbouring passages, both included


@dataclass(frozen=True, slots=True)
class Passage:
    number: int  # from 1, in the order of the transcript
    speaker: str  # "" if unknown
    text: str = field(repr=False)
    words: int
    tokens: int  # an upper estimate, of the line
    starts_at: float | None = None  # seconds; of its turn, also for the later parts of a long one
    ends_at: float | None = None  # seconds; when the next turn begins

    @property
    def line(self) -> str:
        """Return the passage as a model is shown it."""
        return _line(self.number, self.speaker, self.text)

    @property
    def seconds(self) -> tuple[float | None, float | None]:
        return self.starts_at, self.ends_at


@dataclass(frozen=True)
class Passages:
    """All of a transcript, in order. `passages[n]` has the number n."""

    all: tuple[Passage, ...] = field(repr=False)

    def __getitem__(self, number: int) -> Passage:
        if number < 1:
            raise IndexError(number)
        return self.all[number - 1]

    @property
    def last(self) -> int:
        """Return the highest number, which is how many there are."""
        return len(self.all)

    @cached_property
    def words(self) -> int:
        return sum(passage.words for passage in self.all)

    @cached_property
    def tokens(self) -> int:
        return sum(passage.tokens for passage in self.all)

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who speaks, who says most first."""
        words: dict[str, int] = {}
        for passage in self.all:
            if passage.speaker:
                words[passage.speaker] = words.get(passage.speaker, 0) + passage.words
        return tuple(sorted(words, key=lambda name: -words[name]))

    def of(self, ranges: Iterable[Range]) -> list[Passage]:
        """Return the passages of some ranges, in their order."""
        return [passage for first, last in ranges for passage in self.all[max(first, 1) - 1 : last]]

    def words_of(self, ranges: Iterable[Range]) -> int:
        return sum(passage.words for passage in self.of(ranges))

    def tokens_of(self, ranges: Iterable[Range]) -> int:
        return sum(passage.tokens for passage in self.of(ranges))

    def as_fields(self) -> dict[str, Any]:
        """Return the passages as what JSON can hold."""
        speakers = list(self.speakers)
        index = {name: at for at, name in enumerate(speakers)}
        rows = [
            (index.get(each.speaker, -1), each.text, each.words, each.tokens, *each.seconds)
            for each in self.all
        ]
        return {"speakers": speakers, "passages": rows}


def passages_in(fields: Mapping[str, Any]) -> Passages:
    """Read passages that were stored."""
    speakers = [*fields["speakers"], ""]  # the last is number -1, too
    return Passages(
        tuple(
            Passage(number, speakers[speaker], text, words, tokens, starts_at, ends_at)
            for number, (speaker, text, words, tokens, starts_at, ends_at) in enumerate(
                fields["passages"], 1
            )
        )
    )


def numbered(turns: Sequence[Turn]) -> Passages:
    """Number the turns of a transcript, the long ones in parts that end with a sentence."""
    passages: list[Passage] = []
    starts = [None if turn.starts_at is None else turn.starts_at.total_seconds() for turn in turns]
    ends = [*starts[1:], None]
    for turn, starts_at, ends_at in zip(turns, starts, ends, strict=False):
        for text in _parts(turn.text):
            number, speaker = len(passages) + 1, turn.speaker
            tokens = estimate_tokens(_line(number, speaker, text)) + 1  # and the end of its line
            words = count_words(text)
            passages.append(Passage(number, speaker, text, words, tokens, starts_at, ends_at))
    return Passages(tuple(passages))


def _line(number: int, speaker: str, text: str) -> str:
    return f"[{number}] {speaker}: {text}" if speaker else f"[{number}] {text}"


def ranges_of(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Return ascending numbers as ranges."""
    ranges: list[Range] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def numbers_of(ranges: Iterable[Range]) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]


def _parts(text: str) -> Iterator[str]:
    if count_words(text) <= LONGEST_PASSAGE_WORDS:
        if text.strip():
            yield text.strip()
        return
    held: list[str] = []
    held_words = 0
    for sentence in _sentences(text):
        words = count_words(sentence)
        if held and held_words + words > LONGEST_PASSAGE_WORDS:
            yield " ".join(held)
            held, held_words = [], 0
        held.append(sentence)
        held_words += words
    if held:
        yield " ".join(held)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        if sentence := text[start:end].strip():
            yield from _bounded(sentence)
        start = end


def _bounded(sentence: str) -> Iterator[str]:
    """Cut a sentence that is longer than a passage may be; recognisers often set no full stop."""
    if count_words(sentence) <= LONGEST_PASSAGE_WORDS:
        yield sentence
        return
    words = sentence.split()
    for first in range(0, len(words), LONGEST_PASSAGE_WORDS):
        part = " ".join(words[first : first + LONGEST_PASSAGE_WORDS])
        if count_words(part) <= LONGEST_PASSAGE_WORDS:
            yield part
        else:  # a script without spaces between its words
            width = LONGEST_PASSAGE_WORDS * _CHARACTERS_OF_AN_UNSPACED_WORD
            yield from (part[at : at + width] for at in range(0, len(part), width))

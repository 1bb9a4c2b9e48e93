"""Is a quote what somebody said? It is published in the transcript's own words, or not at all. Pure.

Models tidy what they quote: they leave out fillers and stutters, write numbers as digits, expand
contractions, drop a little word. So a quote is looked for with all of that evened out
(core/summaries/spoken.py), and what is published is the stretch that was found, with the name of the one
whose passage it is. Of an altered quote, either the words that were really said are published, or nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.summaries.passages import Passage, Passages
from core.summaries.spoken import LITTLE, MADE_BY_EVENING, NEGATIONS, NOISE, UNSPACED, Token, tokens

LEAST_WORDS = 4  # shorter ones stand in any transcript
_MOST_WORDS = 120
_ELLIPSIS = re.compile(r" ?(?:\[?(?:\. ?){3,}\]?|\[?…\]?) ?")
_SENTENCE_END = re.compile(r"\s?[.!?…。！？]")
_NEAR = 2  # passages on each side of the one that the model named
_PLAIN_LETTERS = 4
_WORDS_SOUGHT = 4  # that a passage must hold to be looked at closely
_MOST_CANDIDATES = 400


@dataclass(frozen=True, slots=True)
class Located:
    """Where a quote stands, and how it was really said."""

    passage: Passage  # where it begins
    words: str
    is_verbatim: bool  # no word differs, once evened out


@dataclass(frozen=True)
class QuoteFinder:
    passages: Passages
    _said: dict[int, "_Stretch"] = field(default_factory=dict, repr=False)

    def find(self, quote: str, *, near: int = 0) -> Located | None:
        """Return where a quote stands; `near` is the passage that the model named, 0 if none."""
        parts = (tokens(part) for part in _ELLIPSIS.split(" ".join(quote.split())))
        words = [[token.word for token in part] for part in parts if part]
        if not LEAST_WORDS <= sum(map(len, words)) <= _MOST_WORDS:
            return None
        best: tuple[int, Located] | None = None
        for number in self._candidates(words, near):
            found = self._stretch(number).holds(words)
            if found is None or (best and found[0] >= best[0]):
                continue
            cost, said = found
            best = cost, Located(self.passages[number], said, is_verbatim=cost == 0)
            if cost == 0:
                break
        return best[1] if best else None

    def _candidates(self, parts: Sequence[Sequence[str]], near: int) -> Iterator[int]:
        """Yield the passages where a quote may begin, the named one and its neighbours first."""
        last = self.passages.last
        neighbours = sorted(range(near - _NEAR, near + _NEAR + 1), key=lambda n: abs(n - near))
        yield from (number for number in neighbours if near and 1 <= number <= last)
        sought = _sought(parts[0])
        found = [
            number
            for number, text in enumerate(self._folded, 1)
            if all(word in text for word in sought)
        ]
        found.sort(key=lambda number: abs(number - near))
        yield from (n for n in found[:_MOST_CANDIDATES] if not near or abs(n - near) > _NEAR)

    @cached_property
    def _folded(self) -> list[str]:
        """Return each passage's text and the next one's: a quote may reach across."""
        own = [passage.text.casefold() for passage in self.passages.all]
        return [
            f"{text} {following}" if self._goes_on(number) else text
            for number, (text, following) in enumerate(zip(own, [*own[1:], ""], strict=True), 1)
        ]

    def _goes_on(self, number: int) -> bool:
        """Return whether the next passage is the same one's, too."""
        if number >= self.passages.last:
            return False
        return self.passages[number].speaker == self.passages[number + 1].speaker != ""

    def _stretch(self, number: int) -> "_Stretch":
        if number not in self._said:
            text = self.passages[number].text
            end = len(text)
            if self._goes_on(number):
                text = f"{text} {self.passages[number + 1].text}"
            self._said[number] = _Stretch(text, tokens(text), end)
        return self._said[number]


def _sought(words: Sequence[str]) -> Sequence[str]:
    """Return the words of a quote that the text itself must hold as they are, the longest."""
    plain = {
        word
        for word in words
        if word.isalpha() and word not in LITTLE and word not in MADE_BY_EVENING
    }
    long = [word for word in plain if len(word) >= _PLAIN_LETTERS or UNSPACED.match(word)]
    return sorted(long, key=lambda word: (-len(word), word))[:_WORDS_SOUGHT]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A passage, and the next one where the same speaker goes on."""

    text: str
    said: Sequence[Token]
    own_end: int  # where the passage itself ends: a quote begins before

    def holds(self, parts: Sequence[Sequence[str]]) -> tuple[int, str] | None:
        """Return how much a quote differs, and how it was said; None if it wasn't."""
        words = [token.word for token in self.said]
        begin = 0
        cost = 0
        spans: list[str] = []
        for part in parts:
            aligned = _aligned(part, words, begin)
            if aligned is None:
                return None
            differs, start, begin = aligned
            if not spans and self.said[start].start >= self.own_end:
                return None
            if start and words[start - 1] in NEGATIONS:
                return None  # what was said is the opposite
            cost += differs
            spans.append(_cut(self.text, self.said[start].start, self.said[begin - 1].end))
        return cost, " … ".join(spans)


def _aligned(part: Sequence[str], words: Sequence[str], begin: int) -> tuple[int, int, int] | None:
    """Find a part of a quote: return how many words differ, and its first and last + 1; or None.

    Only little words may differ, and only few of them. So a word that is not little is the same in both,
    and the rarest of those shows where to compare.
    """
    size = len(part)
    counts = {word: words.count(word) for word in part if word not in LITTLE}
    anchor = min(counts, key=lambda word: counts[word]) if counts else part[0]
    at = part.index(anchor)
    anchors = [place for place, word in enumerate(words) if word == anchor and place >= begin]
    for place in anchors:
        start = place - at
        if start >= begin and list(words[start : start + size]) == list(part):
            return 0, start, start + size
    if not counts:
        return None
    slack = max(1, size // 5)
    best: tuple[int, int, int] | None = None
    for place in anchors:
        first = max(begin, place - at - slack)
        found = _compared(part, words[first : place - at + size + slack], most=slack)
        if found and (best is None or found[0] < best[0]):
            best = found[0], first + found[1], first + found[2]
    return best


def _compared(
    part: Sequence[str], window: Sequence[str], *, most: int
) -> tuple[int, int, int] | None:
    """Align a part with a stretch of the window: rows are the part's words, columns the window's."""
    never = most + 1
    skips = [1 if word in LITTLE else never for word in window]
    costs = [0] * (len(window) + 1)
    starts = list(range(len(window) + 1))
    for word in part:
        is_little = word in LITTLE
        skip = 1 if is_little else never
        new_costs, new_starts = [costs[0] + skip], [starts[0]]
        for at, there in enumerate(window):
            same = 0 if word == there else 1 if is_little and skips[at] == 1 else never
            cost, start = costs[at] + same, starts[at]
            if costs[at + 1] + skip < cost:
                cost, start = costs[at + 1] + skip, starts[at + 1]
            if new_costs[at] + skips[at] < cost:
                cost, start = new_costs[at] + skips[at], new_starts[at]
            new_costs.append(cost)
            new_starts.append(start)
        costs, starts = new_costs, new_starts
        if min(costs) > most:
            return None
    end = min(range(len(costs)), key=lambda at: costs[at])
    return (costs[end], starts[end], end) if costs[end] <= most and starts[end] < end else None


def _cut(text: str, start: int, end: int) -> str:
    ends = _SENTENCE_END.match(text, end)
    end = ends.end() if ends else end
    said = " ".join(NOISE.sub(" ", text[start:end]).split())
    said = re.sub(r"\s+(?=[,.;:!?]|['’](?:s|t|re|ve|ll|d|m)\b|n['’]t\b)", "", said)
    return said.strip(" ,;:-–—")

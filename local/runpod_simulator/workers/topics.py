"""Divides a transcript into contiguous parts where the subject changes, and names each part.

The division follows TextTiling's idea: where the words before a point and the words after it have
little in common, the subject changed. Turns that announce a change ("let's move on to") count extra.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from .transcript import Sentence

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_VERB_LIKE = re.compile(r"(?:ed|ing|ly|ise|ize)$")
_ANNOUNCES = re.compile(
    r"\b(?:mov(?:e|ing) on|next (?:item|topic|point|question)|turn(?:ing)? (?:now )?to|come to|item \d"
    r"|agenda|first of all|finally|let's (?:start|begin|talk)|go on to|the last (?:thing|point))\b",
    re.IGNORECASE,
)
_WINDOW_WORDS = 220  # compared on each side of a possible border
_ANNOUNCEMENT_BONUS = 0.12
_MIN_SHARE, _MAX_SHARE = 0.45, 2.0  # of the average length of a part
# Said in every meeting, whatever it is about.
_PLAIN_WORDS_TEXT = """
yeah okay kay good morning afternoon thank thanks please sorry welcome
think thought thing things stuff know idea want mean kind sort bit like really actually sure course fact
question questions ask asked point points term terms issue issues problem case number hand side part place
people minister chair member members committee group meeting mr mrs ms dr hon honourable sir madam
time day week year years today moment back end way right left start started done great nice fine
big small high low long short easy hard different couple first second third
one two three four five six seven eight nine ten hundred thousand million billion per cent
make made put give given move look looking talk talking guess need needs hear heard work maybe lot
going gonna wanna uh um mm hmm
i'm i've i'd i'll we're we've we'd we'll you're you've you'll they're they've they'll he's she's it's
that's there's what's let's don't doesn't didn't isn't wasn't won't can't couldn't wouldn't
"""
_PLAIN_WORDS = frozenset(_PLAIN_WORDS_TEXT.split())


@dataclass(frozen=True)
class Part:
    subjects: tuple[str, ...]  # the weightiest first
    sentences: Sequence[Sentence]

    @property
    def title(self) -> str:
        return _listed(self.subjects)

    @cached_property
    def word_count(self) -> int:
        return sum(sentence.word_count for sentence in self.sentences)


def plain_words(text: str) -> list[str]:
    return [word.lower().replace("\u2019", "'") for word in _WORD.findall(text)]


class Vocabulary:
    """The words that carry meaning: no stop words, no names of speakers, endings cut."""

    def __init__(
        self, stop_words: frozenset[str], stem: Callable[[str], str], speakers: set[str]
    ) -> None:
        names = {word for speaker in speakers for word in plain_words(speaker)}
        self._left_out = stop_words | _PLAIN_WORDS | names
        self._stem = stem

    def surfaces(self, text: str) -> list[str]:
        """The words as written, "" for those left out; a capital that only opens the sentence goes."""
        words = [_POSSESSIVE.sub("", word) for word in _WORD.findall(text)]
        if words and not words[0].isupper():
            words[0] = words[0].lower()
        return [word if self._means_something(word.lower()) else "" for word in words]

    def stems(self, text: str) -> list[str]:
        return [self._stem(word) for word in self.surfaces(text) if word]

    def stem(self, phrase: str) -> str:
        return " ".join(self._stem(word) for word in phrase.split())

    def _means_something(self, word: str) -> bool:
        return len(word) > 2 and word not in self._left_out  # noqa: PLR2004


def divided(sentences: Sequence[Sentence], vocabulary: Vocabulary, parts_wanted: int) -> list[Part]:
    """At most `parts_wanted` parts, in order, every sentence in exactly one."""
    borders = _borders(sentences, vocabulary, parts_wanted)
    pieces = [
        list(sentences[start:end])
        for start, end in zip([0, *borders], [*borders, len(sentences)], strict=True)
        if end > start
    ]
    subjects = _subjects(pieces, vocabulary)
    return [Part(names, piece) for names, piece in zip(subjects, pieces, strict=True)]


def _borders(sentences: Sequence[Sentence], vocabulary: Vocabulary, parts_wanted: int) -> list[int]:
    starts = [0]
    for sentence in sentences:
        starts.append(starts[-1] + sentence.word_count)
    total = starts[-1]
    average = total / max(parts_wanted, 1)
    bags = [Counter(vocabulary.stems(sentence.text)) for sentence in sentences]
    strength = {
        at: _change_at(at, bags, starts) + _announcement(sentences, at)
        for at in range(1, len(sentences))
        if sentences[at].turn != sentences[at - 1].turn or not sentences[at].speaker
    }
    chosen: list[int] = []
    for at in sorted(strength, key=lambda at: (-strength[at], at)):
        if len(chosen) + 1 >= parts_wanted:
            break
        edges = [0, total, *(starts[other] for other in chosen)]
        if all(abs(starts[at] - edge) >= _MIN_SHARE * average for edge in edges):
            chosen.append(at)
    return sorted(_without_giants(chosen, strength, starts, average))


def _without_giants(
    chosen: list[int], strength: dict[int, float], starts: list[int], average: float
) -> list[int]:
    """Adds a border inside any part that is still far longer than the others."""
    borders = sorted(chosen)
    edges = [0, *borders, len(starts) - 1]
    for left, right in pairwise(edges):
        if starts[right] - starts[left] <= _MAX_SHARE * average:
            continue
        middle = [
            at
            for at in strength
            if left < at < right
            and min(starts[at] - starts[left], starts[right] - starts[at]) >= _MIN_SHARE * average
        ]
        if middle:
            borders.append(max(middle, key=lambda at: (strength[at], -at)))
    return borders


def _change_at(at: int, bags: Sequence[Counter[str]], starts: Sequence[int]) -> float:
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for index in range(at - 1, -1, -1):
        if starts[at] - starts[index + 1] > _WINDOW_WORDS:
            break
        before.update(bags[index])
    for index in range(at, len(bags)):
        if starts[index] - starts[at] > _WINDOW_WORDS:
            break
        after.update(bags[index])
    return 1 - _cosine(before, after)


def _announcement(sentences: Sequence[Sentence], at: int) -> float:
    first_words = " ".join(sentence.text for sentence in sentences[at : at + 3])
    return _ANNOUNCEMENT_BONUS if _ANNOUNCES.search(first_words) else 0.0


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    shared = sum(count * other[word] for word, count in one.items() if word in other)
    if not shared:
        return 0.0
    lengths = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return shared / lengths


def _subjects(
    pieces: Sequence[Sequence[Sentence]], vocabulary: Vocabulary
) -> list[tuple[str, ...]]:
    """The words and pairs of words that are frequent in a part and rare in the others."""
    counts = [_phrases(piece, vocabulary) for piece in pieces]
    spread = Counter(
        stem for count in counts for stem in {vocabulary.stem(phrase) for phrase in count}
    )
    return [_weightiest(count, spread, len(pieces), vocabulary) for count in counts]


def _phrases(piece: Sequence[Sentence], vocabulary: Vocabulary) -> Counter[str]:
    found: Counter[str] = Counter()
    for sentence in piece:
        words = vocabulary.surfaces(sentence.text)
        found.update(word for word in words if word)
        found.update(f"{a} {b}" for a, b in pairwise(words) if a and b and a != b)
    return found


def _weightiest(
    count: Counter[str], spread: Counter[str], parts: int, vocabulary: Vocabulary
) -> tuple[str, ...]:
    by_stem: Counter[str] = Counter()
    for phrase, times in count.items():
        by_stem[vocabulary.stem(phrase)] += times
    surface = {vocabulary.stem(phrase): phrase for phrase, _ in reversed(count.most_common())}

    def weight(stem: str) -> float:
        noun_like = 0.4 if any(_VERB_LIKE.search(word) for word in surface[stem].split()) else 1.0
        pair_bonus = 1.8 if " " in stem else 1.0
        return by_stem[stem] * pair_bonus * noun_like * math.log(1 + parts / spread[stem])

    chosen: list[str] = []
    for stem in sorted(by_stem, key=lambda stem: (-weight(stem), stem)):
        if by_stem[stem] < 3 and chosen:  # noqa: PLR2004  (what is said twice is no subject)
            continue
        if not any(set(stem.split()) & set(other.split()) for other in chosen):
            chosen.append(stem)
        if len(chosen) == 3:  # noqa: PLR2004
            break
    return tuple(surface[stem] for stem in chosen)


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "Exchanges"
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]

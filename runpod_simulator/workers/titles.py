"""Runs of turns, and a title for each: who speaks most, and the words said more there than elsewhere."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from runpod_simulator.workers.prompt import Turn, short_name
from runpod_simulator.workers.words import count_words

_WORD = re.compile(r"[^\W\d_]{4,24}")
_STEM = 5  # letters in which `harbour` and `harbours` are alike
_FEW_WORDS = 150  # among which hardly one is said twice
_LANGUAGES = (
    *("english", "german", "french", "spanish", "italian", "portuguese", "swedish", "polish"),
    *("czech", "ukrainian"),
)


def runs_of(turns: Sequence[Turn], count: int) -> list[list[Turn]]:
    """Return so many runs of turns at most, of about the same length."""
    total = sum(count_words(turn.text) for turn in turns)
    runs: list[list[Turn]] = []
    before = 0
    for turn in turns:
        if not runs or before * count >= total * len(runs):
            runs.append([])
        runs[-1].append(turn)
        before += count_words(turn.text)
    return runs


def titles_of(runs: Sequence[Sequence[Turn]]) -> list[str]:
    """Return who speaks most in each run, and words that are said more often there than elsewhere."""
    titles = []
    used: set[str] = set()
    everything = [turn for run in runs for turn in run]
    for run in runs:
        said = Counter[str]()
        for turn in run:
            said[short_name(turn.speaker)] += len(turn.text)
        keywords = keywords_of(run, used, 3, everything)
        used.update(word.casefold() for word in keywords)
        speaker = said.most_common(1)[0][0] if said else ""
        opening = " ".join(run[0].text.split()[:6])[:40] if run else "Nothing"
        titles.append(": ".join(part for part in (speaker, ", ".join(keywords) or opening) if part))
    return [as_title(title) for title in titles]


def as_title(text: str) -> str:
    return text[:1].upper() + text[1:]


def keywords_of(
    turns: Sequence[Turn], used: Iterable[str], most: int, everything: Sequence[Turn] = ()
) -> list[str]:
    """Return the long words that are said most, the rarer elsewhere the better."""
    text = " ".join(turn.text for turn in turns)
    # In small letters, if it is ever said so: most that begin a sentence are no names.
    spelled = {word.casefold(): word for word in sorted(_WORD.findall(text))}
    counts = Counter(word.casefold() for word in _WORD.findall(text))
    least = 1 if counts.total() > _FEW_WORDS else 0
    overall = Counter(word.casefold() for turn in everything for word in _WORD.findall(turn.text))
    left_out = {*used, *_stop_words(language_of(text))}
    names = {part.casefold() for turn in (*turns, *everything) for part in turn.speaker.split()}
    scores = {
        word: times * math.sqrt(times / max(overall[word], times))
        for word, times in counts.items()
        if times > least and word not in left_out and word not in names
    }
    best: list[str] = []
    for word in sorted(scores, key=lambda word: (-scores[word], -len(word), word)):
        if len(best) < most and all(word[:_STEM] != other[:_STEM] for other in best):
            best.append(word)
    return [spelled[word] for word in best]


def language_of(text: str) -> str:
    """Return the language whose commonest words a text has most of."""
    words = Counter(re.findall(r"[^\W\d_]+", text[:40_000].casefold()))
    said = {name: sum(words[word] for word in _stop_words(name)) for name in _LANGUAGES}
    return max(said, key=lambda name: said[name])


@cache
def _stop_words(language: str) -> frozenset[str]:
    from sumy.utils import get_stop_words  # noqa: PLC0415  (sumy brings NLTK: a second to import)

    return frozenset(word.lower() for word in get_stop_words(language))

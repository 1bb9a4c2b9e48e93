"""A summary of a wanted length, made of the transcript's own best sentences by LexRank. Deterministic.

An overview, then the parts of the transcript in order, each headed by who spoke most and when it began. It
draws no decisions or action items: that takes a model. No sentence is used twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sumy.models.dom import ObjectDocumentModel, Paragraph
from sumy.models.dom import Sentence as SumySentence
from sumy.nlp.stemmers import Stemmer, null_stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer

from runpod_simulator.workers.languages import LANGUAGES, UNKNOWN, Language, language_of, words_of
from runpod_simulator.workers.transcript import Sentence, read_sentences, read_turns, short_name
from runpod_simulator.workers.words import count_words

_WORDS_PER_PART = 1150  # of the transcript
_MIN_WORDS_PER_PART = 140  # of the summary; fewer parts rather than scraps
_MAX_PARTS = 16
_LARGEST_SHARE = 0.75  # of the transcript; beyond it the result is no summary
_TOO_SHORT_WORDS = 60  # of a transcript, which is given back as it is
_INTRODUCED_WORDS = 250  # of a summary, from which on it says what it is
_OVERVIEW_SHARE = 0.1
_TOLERANCE = 0.01
_MOST_RANKED_AT_ONCE = 150  # sentences: LexRank compares each with every other
_READABLE_WORDS = range(9, 46)
_SPEAKERS_NAMED, _SPEAKERS_HEADED = 8, 2


class Stopped(Exception):
    """The caller asked to stop; nothing was made."""


def summarise(
    transcript: str, target_words: int, stopped: Callable[[], bool] = lambda: False
) -> str:
    """Return Markdown of about `target_words` words, fewer if the transcript is too short for that.

    Raises:
        Stopped: `stopped` became true; it is asked once per part.
    """
    language = language_of(transcript)
    own = tuple(each.chosen.partition("{words}")[0] for each in (*LANGUAGES, UNKNOWN))
    sentences = read_sentences(read_turns(transcript), language)
    sentences = [sentence for sentence in sentences if not sentence.text.startswith(own)]
    total = sum(sentence.word_count for sentence in sentences)
    if total < _TOO_SHORT_WORDS:
        return transcript.strip()
    target = max(1, min(target_words, int(total * _LARGEST_SHARE)))
    most = min(round(total / _WORDS_PER_PART), target // _MIN_WORDS_PER_PART, _MAX_PARTS)
    parts = _divided(sentences, max(most, 1), total)
    ratings: dict[Sentence, float] = {}
    for part in parts:
        if stopped():
            raise Stopped
        pieces = -(-len(part) // _MOST_RANKED_AT_ONCE)
        size = -(-len(part) // pieces)
        for start in range(0, len(part), size):
            ratings |= _ranked(part[start : start + size], language)
    return _Summary(language, parts, ratings, target, count_words(transcript)).text()


def _divided(sentences: Sequence[Sentence], count: int, total: int) -> list[list[Sentence]]:
    """Return so many parts at most, of about the same length, cut where somebody begins to speak."""
    parts: list[list[Sentence]] = [[]]
    before = 0
    for sentence in sentences:
        begins_turn = not parts[-1] or sentence.turn != parts[-1][-1].turn
        if begins_turn and parts[-1] and before >= total * len(parts) / count:
            parts.append([])
        parts[-1].append(sentence)
        before += sentence.word_count
    return parts


def _ranked(sentences: Sequence[Sentence], language: Language) -> dict[Sentence, float]:
    """Return how central each sentence is to these, from 0 to 1."""
    tokenizer = _Tokenizer(language)
    document = ObjectDocumentModel(
        [Paragraph([SumySentence(sentence.text, tokenizer) for sentence in sentences])]
    )
    summarizer: Any = LexRankSummarizer(_stemmer(language))
    summarizer.stop_words = language.stop_words
    rated: dict[str, float] = {}

    def keep_ratings(infos: Any) -> list[Any]:  # sumy takes a callable in place of a count
        rated.update((str(info.sentence), float(info.rating)) for info in infos)
        return []

    with np.errstate(all="ignore"):  # sentences without one common word divide by zero
        summarizer(document, keep_ratings)
    rated = {text: 0.0 if np.isnan(rating) else rating for text, rating in rated.items()}
    best = max(rated.values(), default=0.0) or 1.0
    return {one: _readable(one) * (rated.get(one.text, 0.0) / best + 0.1) for one in sentences}


class _Tokenizer:
    """What sumy asks for; its own would download NLTK's data."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def to_words(self, text: str) -> list[str]:
        if self._language.is_spaced:
            return words_of(text)
        return [text[at : at + 2] for at in range(len(text) - 1)]


def _stemmer(language: Language) -> Any:
    try:
        return Stemmer(language.name or "none")
    except LookupError:
        return null_stemmer


def _readable(sentence: Sentence) -> float:
    """Below 1 for scraps and for endless sentences."""
    shortest, longest = _READABLE_WORDS.start, _READABLE_WORDS.stop
    words = max(sentence.word_count, 1)
    return float(min(1.0, words / shortest) * min(1.0, longest / words) ** 3)


class _Summary:
    def __init__(
        self,
        language: Language,
        parts: Sequence[Sequence[Sentence]],
        ratings: dict[Sentence, float],
        target: int,
        transcript_words: int,
    ) -> None:
        self._language = language
        self._parts = parts
        self._target = target
        self._transcript_words = transcript_words
        self._best = sorted(ratings, key=lambda one: (-ratings[one], one.position))
        self._part_of = {one: number for number, part in enumerate(parts) for one in part}
        self._overview: set[Sentence] = set()
        self._chosen: set[Sentence] = set()
        self._said: set[str] = set()

    def text(self) -> str:
        if self._target < _MIN_WORDS_PER_PART // 2:  # no room for headings: the best sentences
            self._fill(self._chosen, self._best, self._target)
            if not self._chosen:
                return self._best[0].text
            return "\n\n".join(_paragraphs(self._chosen)) + "\n"
        self._fill_overview()
        left = self._target - count_words(self._render())
        total = sum(one.word_count for one in self._part_of) or 1
        for number, part in enumerate(self._parts):
            share = left * sum(one.word_count for one in part) / total
            heads = 0.9  # headings and names want their words too
            ranked = [one for one in self._best if self._part_of[one] == number]
            self._fill(self._chosen, ranked, heads * share)
        for _ in range(8):
            missing = self._target - count_words(self._render())
            if abs(missing) <= _TOLERANCE * self._target or not self._adjust(missing):
                break
        return self._render()

    def _fill_overview(self) -> None:
        """The best of the whole, no more than two of one part."""
        taken: Counter[int] = Counter()
        leaders = []
        for one in self._best:
            taken[self._part_of[one]] += 1
            if taken[self._part_of[one]] <= 2:  # noqa: PLR2004
                leaders.append(one)
        self._fill(self._overview, leaders, _OVERVIEW_SHARE * self._target)

    def _fill(self, into: set[Sentence], ranked: Iterable[Sentence], room: float) -> bool:
        """Take the best that fit, each once; say whether any did."""
        before = len(into)
        for one in ranked:
            if one.word_count <= room and one.text not in self._said:
                into.add(one)
                self._said.add(one.text)
                room -= one.word_count
        return len(into) > before

    def _adjust(self, missing: int) -> bool:
        """Bring the length nearer to the target; False where nothing fits."""
        if missing > 0:
            return self._fill(self._chosen, self._best, missing)
        worst = [one for one in reversed(self._best) if one in self._chosen]
        for one in worst[:-1]:
            if missing >= 0:
                break
            self._chosen.remove(one)  # it stays said: it is not taken again
            missing += one.word_count
        return len(worst) > 1

    def _render(self) -> str:
        blocks = [f"## {self._language.overview}", *self._introduction()]
        blocks += [*_paragraphs(self._overview), f"## {self._language.in_order}"]
        for number, part in enumerate(self._parts):
            if chosen := self._chosen.intersection(part):
                blocks += [_heading(number + 1, part), *_paragraphs(chosen)]
        return "\n\n".join(blocks) + "\n"

    def _introduction(self) -> list[str]:
        if self._target < _INTRODUCED_WORDS:
            return []
        said: Counter[str] = Counter()
        for one in self._part_of:
            said[short_name(one.speaker)] += one.word_count
        names = [name for name, _ in said.most_common(_SPEAKERS_NAMED) if name]
        opening = self._language.chosen.format(words=f"{round(self._transcript_words, -2):,}")
        return [f"{opening}: {', '.join(names)}." if names else f"{opening}."]


def _heading(number: int, part: Sequence[Sentence]) -> str:
    said: Counter[str] = Counter()
    for one in part:
        said[short_name(one.speaker)] += one.word_count
    names = [name for name, _ in said.most_common(_SPEAKERS_HEADED) if name]
    stamp = next((one.stamp for one in part if one.stamp), "")
    return " ".join([f"### {number}.", ", ".join(names), f"[{stamp}]" if stamp else ""]).strip()


def _paragraphs(sentences: Iterable[Sentence]) -> list[str]:
    """Return one paragraph for each run of sentences of one speaker, in the order they were said."""
    runs: list[list[Sentence]] = []
    for sentence in sorted(sentences, key=lambda one: one.position):
        if runs and runs[-1][-1].speaker == sentence.speaker:
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    return [
        f"{short_name(run[0].speaker)}: {text}" if run[0].speaker else text
        for run in runs
        for text in [" ".join(one.text for one in run)]
    ]

"""How central each sentence is to its part of the transcript: sumy's LexRank, one part at a time.

LexRank compares every sentence with every other, so its cost grows with the square of their number;
a part of a thousand words takes a fraction of a second, a whole transcript at once many seconds.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from sumy.models.dom import ObjectDocumentModel, Paragraph
from sumy.models.dom import Sentence as SumySentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.utils import get_stop_words

from .topics import plain_words
from .transcript import Sentence

STOP_WORDS: frozenset[str] = frozenset(get_stop_words("english"))

_LONG_ENOUGH_WORDS = 9
_TOO_LONG_WORDS = 45
_LEANS_ON_CONTEXT = 0.85
_CONTEXT_WORDS_TEXT = """
it they them this that these those he she his her and but or because which also
"""
_CONTEXT_WORDS = frozenset(_CONTEXT_WORDS_TEXT.split())
_COURTESIES = re.compile(
    r"^(?:thank|good (?:morning|afternoon)|welcome|sorry|excuse me)|thank you very much|point of order"
    r"|\b(?:like|want|wish) to (?:\w+ )?(?:thank|welcome|congratulate)\b|grateful to"
)

_snowball: Any = Stemmer("english")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    return str(_snowball(word))


class _Words:
    """The tokenizer that sumy asks for; sumy's own would download NLTK data."""

    def to_words(self, text: str) -> list[str]:
        return plain_words(text)


def ranked(sentences: Sequence[Sentence]) -> dict[int, float]:
    """A rating from 0 to 1 for each sentence, by its position in the transcript."""
    tokenizer = _Words()
    document = ObjectDocumentModel(
        [Paragraph([SumySentence(sentence.text, tokenizer) for sentence in sentences])]
    )
    summarizer: Any = LexRankSummarizer(stem)
    summarizer.stop_words = STOP_WORDS
    ratings: dict[str, float] = {}

    def keep_ratings(infos: Any) -> list[Any]:  # sumy accepts a callable in place of a count
        ratings.update((str(info.sentence), float(info.rating)) for info in infos)
        return []

    with np.errstate(all="ignore"):  # a part without one common word divides by zero
        summarizer(document, keep_ratings)
    best = max((rating for rating in ratings.values() if rating == rating), default=0.0)  # noqa: PLR0124  (NaN)
    return {
        sentence.position: _readable(sentence) * _share(ratings.get(sentence.text, 0.0), best)
        for sentence in sentences
    }


def _share(rating: float, best: float) -> float:
    return rating / best if best > 0 and rating == rating else 0.5  # noqa: PLR0124  (NaN)


def _readable(sentence: Sentence) -> float:
    """Below 1 for what does not stand alone: scraps, courtesies, endless sentences, bare pronouns."""
    words = plain_words(sentence.text)
    if not words:
        return 0.0
    factor = min(1.0, len(words) / _LONG_ENOUGH_WORDS) * min(1.0, _TOO_LONG_WORDS / len(words)) ** 3
    if words[0] in _CONTEXT_WORDS:
        factor *= _LEANS_ON_CONTEXT
    if _COURTESIES.search(sentence.text.lower()):
        factor *= 0.3
    telling = sum(1 for word in words if word not in STOP_WORDS) / len(words)
    return factor * min(1.0, 0.4 + 2 * telling)

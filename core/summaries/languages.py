"""Is a text in the language of the transcript? By the transcript itself, without a list of languages. Pure.

Two signs, both of which must be missing: the transcript's commonest words and letter trigrams. Of English
texts on other subjects, 37 % of the words are among a transcript's 250 commonest at least, of those in
another language 15 % at most; of trigrams among the 500 commonest, 51 % at least and 48 % at most.
The words alone would fail for languages that build theirs of many parts, and the trigrams are close.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from core.summaries.passages import Passages
from core.summaries.spoken import UNSPACED

_COMMON_WORDS = 250
_COMMON_TRIGRAMS = 500
_LEAST_WORD_SHARE = 0.22
_LEAST_TRIGRAM_SHARE = 0.5
_LEAST_LETTERS = 300  # of the text: a shorter one says too little
_LEAST_TRANSCRIPT_LETTERS = 1_000
_SAMPLED_WORDS = 6_000
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class LanguageProfile:
    words: frozenset[str] = field(repr=False)
    trigrams: frozenset[str] = field(repr=False)
    letters: int

    def is_of(self, text: str) -> bool:
        """Return whether a text is in this language, as far as can be told."""
        words = list(_words(text))
        letters = sum(map(len, words))
        if letters < _LEAST_LETTERS or self.letters < _LEAST_TRANSCRIPT_LETTERS:
            return True
        if sum(word in self.words for word in words) >= len(words) * _LEAST_WORD_SHARE:
            return True
        trigrams = list(_trigrams(words))
        shared = sum(trigram in self.trigrams for trigram in trigrams)
        return shared >= len(trigrams) * _LEAST_TRIGRAM_SHARE


def profile_of(passages: Passages) -> LanguageProfile:
    """Return what a transcript's language looks like, from a sample of all its parts."""
    step = max(1, passages.words // _SAMPLED_WORDS)
    words = [word for passage in passages.all[::step] for word in _words(passage.text)]
    return LanguageProfile(
        words=_commonest(words, _COMMON_WORDS),
        trigrams=_commonest(_trigrams(words), _COMMON_TRIGRAMS),
        letters=sum(map(len, words)),
    )


def _commonest(units: Iterable[str], most: int) -> frozenset[str]:
    return frozenset(unit for unit, _ in Counter(units).most_common(most))


def _words(text: str) -> Iterator[str]:
    """Yield a text's words; of a script without spaces, its characters."""
    for word in _WORD.findall(text.casefold()):
        if word.isascii() or not UNSPACED.search(word):
            yield word
        else:
            yield from word


def _trigrams(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        padded = f" {word} "
        for at in range(len(padded) - 2):
            yield padded[at : at + 3]

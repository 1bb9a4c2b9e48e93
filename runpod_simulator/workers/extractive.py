"""Which sentences are worth telling: for `extractive` by LexRank, for `llm-like` by chance from a seed."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from runpod_simulator.workers.prompt import Prompt
from runpod_simulator.workers.units import Ranking
from runpod_simulator.workers.words import count_words

_MOST_RANKED_AT_ONCE = 80  # sentences: LexRank compares each with every other
_READABLE_WORDS = 8


def by_centrality(stopped: Callable[[], bool] = lambda: False) -> Ranking:
    """Return what ranks by how central each text is to those around it, less for scraps.

    Once `stopped` says so, the rest is not looked at.
    """

    def ranking(texts: Sequence[str]) -> Sequence[float]:
        rated: list[float] = []
        for at in range(0, len(texts), _MOST_RANKED_AT_ONCE):
            some = texts[at : at + _MOST_RANKED_AT_ONCE]
            rated += [0.0] * len(some) if stopped() else _lexrank(some)
        return [rating * _readable(text) for text, rating in zip(texts, rated, strict=True)]

    return ranking


def by_chance(prompt: Prompt, seed: int) -> Ranking:
    """Return what ranks by chance, for the same prompt and seed alike."""
    told = "".join(turn.text[:20] for turn in prompt.turns[:3])
    rng = random.Random(f"{seed} {prompt.seed} {prompt.instructions} {told}")  # noqa: S311 (alike each time)
    return lambda texts: [rng.random() * _readable(text) for text in texts]


def _lexrank(texts: Sequence[str]) -> list[float]:
    # Imported late: sumy brings NLTK, a second to import.
    import numpy as np  # noqa: PLC0415
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence  # noqa: PLC0415
    from sumy.summarizers.lex_rank import LexRankSummarizer  # noqa: PLC0415

    rated: dict[str, float] = {}

    def keep_ratings(infos: Any) -> list[Any]:  # sumy takes a callable in place of a count
        rated.update((str(info.sentence), float(info.rating)) for info in infos)
        return []

    document = ObjectDocumentModel([Paragraph([Sentence(text, _Tokenizer()) for text in texts])])
    with np.errstate(all="ignore"):  # sentences without one common word divide by zero
        LexRankSummarizer()(document, keep_ratings)
    ratings = [0.0 if np.isnan(rated.get(text, 0.0)) else rated.get(text, 0.0) for text in texts]
    highest = max(ratings, default=0.0) or 1.0
    return [rating / highest + 0.1 for rating in ratings]


class _Tokenizer:
    """What sumy asks for; its own would download NLTK's data."""

    def to_words(self, text: str) -> list[str]:
        words = text.casefold().split()
        if len(words) * 20 > len(text):
            return words
        return [text[at : at + 2] for at in range(len(text) - 1)]  # a script without spaces


def _readable(text: str) -> float:
    return min(1.0, count_words(text) / _READABLE_WORDS)

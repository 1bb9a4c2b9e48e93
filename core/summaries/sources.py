"""What a paragraph rests on, where its model did not say: passages that share most words with it. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from core.summaries.passages import Passage

_CONTENT = re.compile(r"[^\W\d_]{5,30}|\d[\d.,]*|[\u3400-\u9fff]{2}")
_MOST = 3
_LEAST_SHARED = 2


def likely_sources(text: str, passages: Sequence[Passage]) -> tuple[int, ...]:
    """Return the numbers of at most three passages, ascending; none where nothing is shared."""
    wanted = _content(text)
    if not wanted:
        return ()
    held = [wanted & _content(passage.text) for passage in passages]
    spread = Counter(word for words in held for word in words)
    scored = [
        (math.fsum(1 / spread[word] for word in words), passage.number)
        for words, passage in zip(held, passages, strict=True)
        if len(words) >= _LEAST_SHARED
    ]
    best = sorted(scored, key=lambda each: (-each[0], each[1]))[:_MOST]
    return tuple(sorted(number for _, number in best))


def _content(text: str) -> set[str]:
    return set(_CONTENT.findall(text.casefold()))

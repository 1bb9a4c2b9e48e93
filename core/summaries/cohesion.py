"""An outline by code, where no model made one: cut where the transcript's vocabulary changes. Pure.

At each gap between passages, the words of the stretch before and of the one after are compared; the deepest
valleys that lie far enough apart become the borders (after Hearst's TextTiling, 1997).
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from core.summaries.outline import Outline, Topic
from core.summaries.passages import Passages

_CONTENT = re.compile(r"[^\W\d_]{4,30}")
_WORDS_OF_A_TITLE = 3


def outline_by_cohesion(
    passages: Passages, *, topics: int, headings: Mapping[str, str], title: str = ""
) -> Outline:
    """Return an outline of at most so many topics, each a stretch of the transcript."""
    bags = [Counter(_content(passage.text)) for passage in passages.all]
    borders = sorted(_borders(bags, max(1, min(topics, passages.last)) - 1))
    starts = [1, *borders]
    ends = [*(border - 1 for border in borders), passages.last]
    spread = Counter(word for bag in bags for word in bag)
    cut = [
        Topic(title=_title(bags[first - 1 : last], spread), passages=((first, last),))
        for first, last in zip(starts, ends, strict=True)
    ]
    return Outline(
        title=title or _title(bags, Counter()),
        headings=headings,
        topics=tuple(cut),
        is_by_model=False,
    )


def _title(bags: Sequence[Counter[str]], spread: Counter[str]) -> str:
    """Return the words that a stretch has and others have not: the best that code can name it by."""
    counts: Counter[str] = Counter()
    for bag in bags:
        counts.update(bag)
    weights = {word: count / math.sqrt(spread[word] or 1) for word, count in counts.items()}
    words = sorted(weights, key=lambda word: (-weights[word], word))[:_WORDS_OF_A_TITLE]
    return ", ".join(words).capitalize() or "…"


def _borders(bags: Sequence[Counter[str]], wanted: int) -> list[int]:
    """Return the numbers of the passages that begin a new stretch."""
    last = len(bags)
    apart = max(1, last // (2 * (wanted + 1)))
    chosen: list[int] = []
    for _, number in sorted(_likeness_at_gaps(bags, width=max(2, last // (4 * (wanted + 1))))):
        if len(chosen) == wanted:
            break
        if all(abs(number - other) >= apart for other in (1, last + 1, *chosen)):
            chosen.append(number)
    return chosen


def _likeness_at_gaps(bags: Sequence[Counter[str]], *, width: int) -> list[tuple[float, int]]:
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for bag in bags[:width]:
        after.update(bag)
    gaps: list[tuple[float, int]] = []
    # Only every few passages in a long transcript: a border is not that exact.
    step = max(1, width // 8)
    for gap in range(1, len(bags)):
        before.update(bags[gap - 1])
        after.subtract(bags[gap - 1])
        if gap + width - 1 < len(bags):
            after.update(bags[gap + width - 1])
        if gap > width:
            before.subtract(bags[gap - width - 1])
        if gap % step == 0:
            gaps.append((_cosine(before, after), gap + 1))
    return gaps


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    product = sum(count * other[word] for word, count in one.items() if count > 0)
    size = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return product / size if size else 0.0


def _content(text: str) -> list[str]:
    return [word.casefold() for word in _CONTENT.findall(text)]

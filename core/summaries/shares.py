"""How a summary's words are shared out among its topics. Pure.

By the words that each topic's passages hold, and by its weight; never more than half of what it is about,
and no topic so little that it would be a sentence: it joins a neighbour instead.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.summaries.outline import Outline, Topic
from core.summaries.passages import Passages, numbers_of, ranges_of

LEAST_TOPIC_WORDS = 60
_MOST_SHARE_OF_MATERIAL = 0.5
_WEIGHT_STEP = 0.15  # a weight of 5 gives a topic 1.3 times the words its passages alone would
_USUAL_WEIGHT = 3


def with_words(outline: Outline, passages: Passages, *, words: int) -> Outline:
    """Share so many words out among an outline's topics, in the order in which they came up."""
    topics = sorted(outline.topics, key=lambda topic: topic.passages[0])
    sizes = {topic.passages: passages.words_of(topic.passages) for topic in topics}
    least = min(LEAST_TOPIC_WORDS, words // 2)
    while True:
        shares = _shares([(sizes[topic.passages], topic.weight) for topic in topics], words)
        at = min(range(len(topics)), key=lambda index: shares[index])
        if shares[at] >= least or len(topics) == 1:
            break
        into = min(
            (index for index in (at - 1, at + 1) if 0 <= index < len(topics)),
            key=lambda index: shares[index],
        )
        joined = _joined(topics[into], topics[at])
        sizes[joined.passages] = sizes[topics[into].passages] + sizes[topics[at].passages]
        topics[min(at, into)] = joined
        del topics[max(at, into)]
    shared = (replace(topic, words=share) for topic, share in zip(topics, shares, strict=True))
    return replace(outline, topics=tuple(shared))


def _joined(kept: Topic, joining: Topic) -> Topic:
    numbers = sorted(numbers_of((*kept.passages, *joining.passages)))
    return replace(kept, passages=ranges_of(numbers))


def _shares(topics: Sequence[tuple[int, int]], words: int) -> list[int]:
    """Return each topic's words, for its size and weight: what one can't take, the others get."""
    limits = [max(1.0, size * _MOST_SHARE_OF_MATERIAL) for size, _ in topics]
    wants = [
        max(1.0, size * (1 + _WEIGHT_STEP * (weight - _USUAL_WEIGHT))) for size, weight in topics
    ]
    shares = [0.0] * len(topics)
    growing = set(range(len(topics)))
    left = min(float(words), sum(limits))
    while growing and left > 0:
        total = sum(wants[at] for at in growing)
        given = {at: left * wants[at] / total for at in growing}
        full = {at for at in growing if shares[at] + given[at] >= limits[at]}
        for at in full or growing:
            step = limits[at] - shares[at] if at in full else given[at]
            shares[at] += step
            left -= step
        if not full:
            break
        growing -= full
    return [max(1, round(share)) for share in shares]

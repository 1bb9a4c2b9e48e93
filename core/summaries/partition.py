"""Neighbours shared out in runs of about the same weight. Pure."""

from collections.abc import Sequence


def partition(weights: Sequence[int], shares: int) -> list[tuple[int, int]]:
    """Divide a row of weights into so many contiguous ranges of about the same sum.

    Returns (first, last + 1) for each; none is empty, so there are fewer where there are fewer weights.
    """
    shares = min(shares, len(weights))
    total = sum(weights)
    ranges: list[tuple[int, int]] = []
    first, reached = 0, 0
    for index, weight in enumerate(weights):
        reached += weight
        left_over = len(weights) - index - 1
        wanted = len(ranges) + 1
        is_full = reached * shares >= total * wanted or left_over < shares - wanted + 1
        if wanted == shares:
            break
        if is_full:
            ranges.append((first, index + 1))
            first = index + 1
    ranges.append((first, len(weights)))
    return ranges

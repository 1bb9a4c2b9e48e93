"""A long text cut into pieces at turns, else at sentences, else between words. No word is lost.

Pieces are the smallest things that are shared out among calls: big enough to mean something alone,
small enough that any share can be made of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

TokenCount = Callable[[str], int]

_MOST_TOKENS_PER_BYTE = 1.3  # core/budget.py counts 1.25 for digits and letters by turns

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？।؟])[\"'”’»)\]]*\s*")  # noqa: RUF001 - other scripts' full stops


def split_pieces(text: str, *, most_tokens: int, tokens_of: TokenCount) -> list[str]:
    """Cut a text into pieces of `most_tokens` or less, at the best place there is.

    `tokens_of` must not count more than 1.3 tokens for a byte of UTF-8, and one for the text itself.
    """
    parts = (part for line in text.split("\n") for part in _cut(line, most_tokens - 1, tokens_of))
    pieces = _packed(parts, most_tokens, tokens_of, between="\n")
    return [piece for piece in pieces if piece.strip()]


def shared_out(weights: Sequence[int], shares: int) -> list[tuple[int, int]]:
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


def _cut(line: str, most_tokens: int, tokens_of: TokenCount) -> Iterator[str]:
    if _fits(line, most_tokens, tokens_of):
        yield line
        return
    yield from _packed(_sentences(line, most_tokens, tokens_of), most_tokens, tokens_of)


def _sentences(line: str, most_tokens: int, tokens_of: TokenCount) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(line):
        if end.end() > start:
            yield from _words(line[start : end.end()], most_tokens, tokens_of)
            start = end.end()
    if start < len(line):
        yield from _words(line[start:], most_tokens, tokens_of)


def _words(sentence: str, most_tokens: int, tokens_of: TokenCount) -> Iterator[str]:
    """Cut a sentence that is too long between words, and a word that is too long anywhere."""
    if _fits(sentence, most_tokens, tokens_of):
        yield sentence
        return
    for word in re.findall(r"\S+\s*|\s+", sentence):
        if _fits(word, most_tokens, tokens_of):
            yield word
        else:
            width = max(1, most_tokens // 4)  # no character costs more than four tokens
            yield from (word[at : at + width] for at in range(0, len(word), width))


def _packed(
    parts: Iterable[str], most_tokens: int, tokens_of: TokenCount, *, between: str = ""
) -> Iterator[str]:
    """Join as many parts as fit, in their order.

    Counting each would take minutes for a file of nothing but full stops. So they are counted together,
    and only when the most that they could cost has reached the limit.
    """
    held: list[str] = []
    counted, could_add = 0, 0.0  # tokens when last counted, and the most that came since
    for part in parts:
        could_cost = _most_tokens_of(part) + len(between)
        if held and counted + could_add + could_cost > most_tokens:
            counted, could_add = tokens_of(between.join(held)), 0.0
            if counted + could_cost > most_tokens:
                could_cost = tokens_of(part) + len(between)
            if counted + could_cost > most_tokens:
                yield between.join(held)
                held, counted = [], 0
        held.append(part)
        could_add += could_cost
    if held:
        yield between.join(held)


def _fits(text: str, most_tokens: int, tokens_of: TokenCount) -> bool:
    return _most_tokens_of(text) <= most_tokens or tokens_of(text) <= most_tokens


def _most_tokens_of(text: str) -> float:
    """Return what no text of this size costs more than."""
    return len(text.encode("utf-8", "surrogatepass")) * _MOST_TOKENS_PER_BYTE + 1

"""A long text cut into chunks at turns, else at sentences, else between words. No word is lost.

Chunks are the smallest things that are partitioned among calls: big enough to mean something alone,
small enough that any share can be made of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

TokenCount = Callable[[str], int]

_MOST_TOKENS_PER_CHARACTER = 4  # and one for the text, by any tokenizer that goes by bytes
_HANDFUL_CHARACTERS = 40

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？।؟])[\"'”’»)\]]*\s*")


def split_into_chunks(text: str, *, most_tokens: int, tokens_of: TokenCount) -> list[str]:
    """Cut a text into chunks of `most_tokens` or less, at the best place there is."""
    fitting = (part for line in text.split("\n") for part in _cut(line, most_tokens - 1, tokens_of))
    chunks = _joined(fitting, most_tokens, tokens_of, between="\n")
    return [chunk for chunk in chunks if chunk.strip()]


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


def _cut(line: str, most_tokens: int, tokens_of: TokenCount) -> Iterator[str]:
    if _fits(line, most_tokens, tokens_of):
        yield line
        return
    yield from _joined(_sentences(line, most_tokens, tokens_of), most_tokens, tokens_of)


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
            width = max(1, most_tokens // _MOST_TOKENS_PER_CHARACTER)
            yield from (word[at : at + width] for at in range(0, len(word), width))


def _joined(
    parts: Iterable[str], most_tokens: int, tokens_of: TokenCount, *, between: str = ""
) -> Iterator[str]:
    """Join as many parts as fit, in their order."""
    # So few characters never fill half of what fits.
    width = min(_HANDFUL_CHARACTERS, most_tokens // (4 * _MOST_TOKENS_PER_CHARACTER))
    held: list[str] = []
    held_tokens = 0
    for part in _handfuls(parts, width, between):
        tokens = tokens_of(part) + len(between)
        if held and held_tokens + tokens > most_tokens:
            yield between.join(held)
            held, held_tokens = [], 0
        held.append(part)
        held_tokens += tokens
    if held:
        yield between.join(held)


def _handfuls(parts: Iterable[str], width: int, between: str) -> Iterator[str]:
    """Join parts of less than so many characters to some of about as many.

    Counting tokens costs much the same for a letter as for a sentence, and a file of nothing but full
    stops or lines of a letter would take minutes.
    """
    held: list[str] = []
    length = 0
    for part in parts:
        if held and (length >= width or len(part) >= width):
            yield between.join(held)
            held, length = [], 0
        held.append(part)
        length += len(part) + len(between)
    if held:
        yield between.join(held)


def _fits(text: str, most_tokens: int, tokens_of: TokenCount) -> bool:
    is_surely_small = len(text) * _MOST_TOKENS_PER_CHARACTER < most_tokens
    return is_surely_small or tokens_of(text) <= most_tokens

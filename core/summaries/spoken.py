"""What was said, with all evened out that a careful ear would not hear: for comparing quotes. Pure.

No case, fillers, stutters or noises; contractions in full; number words as digits.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

NOISE = re.compile(
    r"\{[a-z ]{1,30}\}|\[[a-z _-]{1,30}\]|<[a-z]{1,20}>"
    r"|\((?:laughs?|laughter|inaudible|crosstalk|applause)\)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?|[^\W_]+(?:['’ʼ][^\W_]+)*-?")
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)


def row(words: str) -> list[str]:
    """Return the words of a table that reads best in one line."""
    return words.split()


_FILLERS = frozenset(row("um uh er erm ah eh hm hmm mm mhm mmm uhm huh äh ähm euh ehm öh"))
# Words that may be left out or put in without a change of what was said. No negation, number, name.
LITTLE = frozenset(
    row(
        "a an the and so but well like just that this it i you we to of in on at for is are was be been"
        " there then now also actually really basically kind sort okay ok yeah yes right oh which who as if"
        " do did does have has had would will s d ll re ve m"
    )
)
NEGATIONS = frozenset(
    row("not no never nobody nothing neither nor without hardly nicht nie kein keine pas non")
)
_CONTRACTIONS: Mapping[str, tuple[str, ...]] = {
    written: tuple(full.split())
    for written, full in (
        *(("won't", "will not"), ("can't", "can not"), ("cannot", "can not")),
        *(("shan't", "shall not"), ("ain't", "is not"), ("let's", "let us")),
        *(("gonna", "going to"), ("wanna", "want to"), ("gotta", "got to")),
        *(("'cause", "because"), ("cause", "because"), ("cos", "because"), ("coz", "because")),
        *(("'em", "them"), ("em", "them"), ("y'know", "you know")),
        *(("kinda", "kind of"), ("sorta", "sort of"), ("dunno", "do not know")),
    )
}
_ENDINGS = {
    "n't": "not",
    "'ll": "will",
    "'re": "are",
    "'ve": "have",
    "'m": "am",
    "'d": "would",
    "'s": "is",
}
_UNITS = row(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
)
_TENS = row("twenty thirty forty fifty sixty seventy eighty ninety")
_NUMBERS = {word: number for number, word in enumerate(_UNITS)}
_NUMBERS |= {word: 20 + 10 * at for at, word in enumerate(_TENS)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_LONGEST_STUTTER = 4  # words
_NO_SCALE = 10_000  # greater than anything that a further number word could be part of

# Words that stand in the evened-out text where the text itself may have another.
MADE_BY_EVENING = (
    frozenset(word for full in _CONTRACTIONS.values() for word in full)
    | frozenset(_ENDINGS.values())
    | frozenset(_CONTRACTIONS)
)


class Token(NamedTuple):
    word: str  # evened out
    start: int  # where it stands in the text
    end: int


def tokens(text: str) -> list[Token]:
    """Return a text's words, evened out."""
    return list(_with_digits(_without_stutters(_expanded(text))))


def _expanded(text: str) -> Iterator[Token]:
    blank = NOISE.sub(lambda noise: " " * len(noise[0]), text)
    for match in _WORD.finditer(blank):
        start, end = match.span()
        written = unicodedata.normalize("NFKC", match[0]).casefold()
        written = written.replace("’", "'").replace("ʼ", "'")
        if written.endswith("-"):
            if len(written) <= 4 and blank[end : end + 1] in ("", " "):  # noqa: PLR2004 - it broke off
                continue
            written = written.rstrip("-")
        if written in _FILLERS or not written:
            continue
        if not written.isascii() and UNSPACED.search(written):
            yield from (Token(sign, start + at, start + at + 1) for at, sign in enumerate(match[0]))
        else:
            yield from (Token(word, start, end) for word in _in_full(written))


def _in_full(written: str) -> Sequence[str]:
    if written in _CONTRACTIONS:
        return _CONTRACTIONS[written]
    if "'" in written:
        for ending, word in _ENDINGS.items():
            if written.endswith(ending) and len(written) > len(ending):
                return written.removesuffix(ending), word
    return (written.replace("'", "").replace(",", ""),)


def _without_stutters(found: Iterable[Token]) -> Iterator[Token]:
    """Leave out a word, or a few words, that are said again at once."""
    held: list[Token] = []
    for token in found:
        held.append(token)
        for size in range(1, _LONGEST_STUTTER + 1):
            again = [each.word for each in held[-size:]]
            if again == [each.word for each in held[-2 * size : -size]]:
                if size == 1 and UNSPACED.match(token.word):
                    break  # no stutter: characters are doubled in many words
                del held[-size:]
                held[-1] = Token(held[-1].word, held[-1].start, token.end)
                break
        if len(held) > 2 * _LONGEST_STUTTER:
            yield held.pop(0)
    yield from held


def _with_digits(found: Iterable[Token]) -> Iterator[Token]:
    """Write rows of number words as one number: `twenty five`, `nine thousand`."""
    run: list[Token] = []
    for token in found:
        if token.word in _NUMBERS or (run and token.word in _SCALES):
            run.append(token)
            continue
        if run:
            yield from _numbers_of(run)
            run = []
        yield token
    yield from _numbers_of(run)


def _numbers_of(run: Sequence[Token]) -> Iterator[Token]:
    total = current = 0
    smallest = _NO_SCALE  # the scale of what came last: what follows must be smaller
    begun: Token | None = None
    for at, token in enumerate(run):
        scale = _SCALES.get(token.word)
        if scale:
            current = max(current, 1) * scale
            if scale > 100:  # noqa: PLR2004 - thousands and more are summed up, hundreds go on
                total, current = total + current, 0
            smallest = scale
        else:
            value = _NUMBERS[token.word]
            joins = smallest >= 100 or (20 <= smallest <= 90 and 0 < value < 10)  # noqa: PLR2004
            if begun and not joins:
                yield Token(str(total + current), begun.start, run[at - 1].end)
                total = current = 0
                begun = None
            current += value
            smallest = value
        begun = begun or token
    if begun:
        yield Token(str(total + current), begun.start, run[-1].end)

"""Quotations in running text and in lists: what was said stays, what wasn't loses its marks or goes. Pure.

In prose, words in quotation marks that nobody said become a report of them: the marks go. Where the text
gives them to somebody else than the one who said them, the sentence goes. A line that is a quote alone goes
as a whole, or gets the name of the one who said it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.summaries.quotes import LEAST_WORDS, Located, QuoteFinder
from core.summaries.sections import cited_in, sentences_of, without_citations
from core.summaries.spoken import LITTLE
from core.words import count_words

_QUOTED = re.compile(
    r"“([^“”]{8,900})”|„([^“”„]{8,900})[“”]|«([^«»]{8,900})»|\"([^\"\n]{8,900})\"|「([^「」]{4,400})」"
)
_LINE_MARKS = re.compile(r"\s*(?:>|[-*+]|\d{1,3}[.)])?\s*(?:>\s*)?")
_MARKS = re.compile(r"[\"“”„«»「」]")
_MOST_QUOTATIONS = 200  # of one summary; further ones lose their marks unseen
_MOST_SPEAKERS = 300  # those who say most; each is compared with each
_LETTERS_OF_A_NAME = 2
_ALONE = re.compile(r"[\s*_—–\-:,.()]*")


@dataclass(frozen=True, slots=True)
class QuoteCount:
    verified: int = 0
    dropped: int = 0  # nobody said it
    tidied: int = 0  # replaced by how it was said
    misattributed: int = 0  # somebody else said it: put right, or the sentence left out

    def __add__(self, other: "QuoteCount") -> "QuoteCount":
        return QuoteCount(
            self.verified + other.verified,
            self.dropped + other.dropped,
            self.tidied + other.tidied,
            self.misattributed + other.misattributed,
        )


class QuotationCheck:
    """Checks the quotations of texts, and counts what it finds."""

    def __init__(self, finder: QuoteFinder) -> None:
        self._finder = finder
        self._names = _names_of(finder.passages.speakers[:_MOST_SPEAKERS])
        self._looked_for = 0
        self.count = QuoteCount()

    def in_block(self, block: str) -> str:
        """Return a paragraph or a list as it can be published; "" if nothing of it can."""
        lines = (self._in_line(line) for line in block.splitlines())
        return "\n".join(line for line in lines if line.strip(" >-*"))

    def _in_line(self, line: str) -> str:
        found = _QUOTED.search(line)
        if not found:
            return line
        marks = _LINE_MARKS.match(line)
        before = line[marks.end() if marks else 0 : found.start()]
        if _ALONE.fullmatch(before) or line.lstrip().startswith(">"):
            return self._line_of_a_quote(line, found)
        return " ".join(filter(None, (self._in_sentence(each) for each in _sentences(line))))

    def _line_of_a_quote(self, line: str, found: re.Match[str]) -> str:
        """Return a line that is a quote with its speaker, or a sentence that begins with one."""
        after = without_citations(line[found.end() :])
        if count_words(after) > 8 or _QUOTED.search(line, found.end()):  # noqa: PLR2004 - no attribution is that long
            return " ".join(filter(None, (self._in_sentence(each) for each in _sentences(line))))
        words = _words(found)
        located = self._find(words, line)
        if located is None:
            if count_words(words) < LEAST_WORDS:
                return line
            self.count += QuoteCount(dropped=1)
            return ""
        self._verified(located)
        if self._is_given_to_another(located, after):
            self.count += QuoteCount(misattributed=1)
            after = f" — {located.passage.speaker}"
            line = line[: found.end()] + after
        return _replaced(line, found, located.words, keeps_marks=True)

    def _in_sentence(self, sentence: str) -> str:
        at = 0
        while found := _QUOTED.search(sentence, at):
            words = _words(found)
            at = found.end()
            if count_words(words) < LEAST_WORDS:
                continue
            located = self._find(words, sentence)
            if located is None:
                self.count += QuoteCount(dropped=1)
                sentence = _replaced(sentence, found, words, keeps_marks=False)
                at -= 2
                continue
            around = sentence[: found.start()] + sentence[found.end() :]
            if self._is_given_to_another(located, around):
                self.count += QuoteCount(misattributed=1)
                return ""
            self._verified(located)
            changed = _replaced(sentence, found, located.words, keeps_marks=True)
            at += len(changed) - len(sentence)
            sentence = changed
        return sentence

    def _find(self, words: str, around: str) -> Located | None:
        self._looked_for += 1
        if self._looked_for > _MOST_QUOTATIONS:
            return None
        cited = sorted(cited_in(around))
        return self._finder.find(words, near=cited[0] if cited else 0)

    def _verified(self, located: Located) -> None:
        self.count += QuoteCount(verified=1, tidied=not located.is_verbatim)

    def _is_given_to_another(self, located: Located, text: str) -> bool:
        """Return whether a text names somebody, and not the one who said it."""
        said_by = located.passage.speaker
        named = [name for name, pattern in self._names.items() if pattern.search(text)]
        return bool(said_by and named) and not any(_is_same(said_by, name) for name in named)


def _sentences(line: str) -> list[str]:
    """Return a line's sentences; those inside a quotation are part of the one it stands in."""
    masked = _QUOTED.sub(_masked, line)
    sentences = []
    at = 0
    for sentence in sentences_of(masked):
        start = masked.index(sentence, at)
        at = start + len(sentence)
        sentences.append(line[start:at])
    return sentences


def _masked(found: re.Match[str]) -> str:
    """Return something as long as a quotation, that ends a sentence only where another begins behind it."""
    following = found.string[found.end() :].lstrip()
    ends = 2 if not following or following[0].isupper() else 1
    return found[0][0] + "x" * (len(found[0]) - 1 - ends) + found[0][-ends:]


def without_marks(text: str) -> str:
    return _MARKS.sub("", text).strip()


def _names_of(speakers: Sequence[str]) -> Mapping[str, re.Pattern[str]]:
    """Return what each speaker may be called: the whole label, or a part that is nobody else's."""
    parts = {name: _parts(name) for name in speakers}
    patterns = {}
    for name in speakers:
        others = set[str]().union(
            *(parts[other] for other in speakers if not _is_same(name, other))
        )
        ways = [name, *(part for part in sorted(parts[name] - others) if _is_a_name(part))]
        patterns[name] = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ways))})(?!\w)")
    return patterns


def _is_same(one: str, other: str) -> bool:
    """Return whether two labels are one person's: `Bo Ek` and `Bo Ek (Minister of Health)`."""
    return _parts(one) <= _parts(other) or _parts(other) <= _parts(one)


def _parts(name: str) -> set[str]:
    return set(re.findall(r"\w+", name))


def _is_a_name(part: str) -> bool:
    is_long_enough = len(part) >= _LETTERS_OF_A_NAME
    return is_long_enough and part[0].isupper() and part.casefold() not in LITTLE


def _words(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None)


def _replaced(text: str, found: re.Match[str], words: str, *, keeps_marks: bool) -> str:
    opening, closing = (found[0][0], found[0][-1]) if keeps_marks else ("", "")
    return f"{text[: found.start()]}{opening}{words}{closing}{text[found.end() :]}"

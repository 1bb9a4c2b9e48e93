"""`Ann Lee: words`: who says a line, as far as the whole file makes it likely.

Prose has colons and brackets too ("Note: bring a coat", "[Music]"), and people have names of every kind.
So a label is judged by how the file uses it: whether it comes again, takes turns with others, and stands
where the other labels do. What is not taken for a label stays in the text; where it may be one all the
same, the line is nobody's, for it may be somebody else's than the last speaker's.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from core.transcripts.formats.names import (
    LONGEST_NAME,
    bare,
    can_be_name,
    is_like_a_phrase,
    is_like_a_sentence,
    is_name,
    is_surely_a_sentence,
    numbered_family,
)

_MARK = r"\s*(?:(?:>{2,4}|[-–—*•])\s*)?"  # of dialogue, or of a list
_NAME = rf"[^\s:：][^:：]{{0,{LONGEST_NAME - 1}}}?"
_COLON = re.compile(rf"{_MARK}(?P<name>{_NAME})\s{{0,3}}(?::(?=\s|$)|：)\s*")
# Without a colon, in the order of trust. These are believed only where they name most of the lines.
_OTHER_KINDS = (
    re.compile(rf"{_MARK}\[(?P<name>(?:[^\[\]:]|\[[^\[\]:]{{0,80}}\]){{1,{LONGEST_NAME}}})\]\s*"),
    re.compile(rf"{_MARK}\((?P<name>(?:[^():]|\([^():]{{0,80}}\)){{1,{LONGEST_NAME}}})\)\s*"),
    re.compile(rf"{_MARK}<(?P<name>[^\s<>:/][^<>:]{{0,{LONGEST_NAME}}})>\s*"),
    re.compile(r"\s*(?P<name>(?i:speaker|spk)[_ ]?\d{1,4})(?:\s+|$)"),
    re.compile(  # the Congressional Record: `Mrs. LEE. Words`, `The SPEAKER pro tempore. Words`
        r"\s*(?P<name>(?:(?:Mr|Mrs|Ms|Miss|Dr|Hon)\.? |The |Chair(?:man|woman|person)? |Senator )"
        r"(?=\S{0,6}[A-Z]{2})[A-Z][\w'-]{1,40}(?: [A-Z][\w'-]{1,40}){0,3}"
        r"(?: of [A-Z]\w{1,20}(?: [A-Z]\w{1,20})?| pro tempore)?)\.(?:\s+|$)"
    ),
    re.compile(rf"\s*(?P<name>[^\s\t][^\t]{{0,{LONGEST_NAME}}})\t+\s*"),
    re.compile(r"\s*(?P<name>[QA])(?:\.\s*|\s\s+)"),
    re.compile(rf"\s*(?P<name>{_NAME}):(?=[^\s:/\d])"),
    re.compile(rf"\s*(?P<name>[^\s|–—-][^|–—]{{0,{LONGEST_NAME}}}?)\s[-|–—]\s+"),
)
_SOUNDS = re.compile(
    r"(?:music|applause|laugh|noise|silence|inaudible|crosstalk|pause|cough|cheer|blank|no audio|foreign"
    r"|beep|sound|door|phone|sigh|gasp|musik|applaus|gelächter|lach|rire|risas|música|musique|музыка|аплодисменты"
    r"|смех|音楽|音乐|拍手|笑)",
    re.IGNORECASE,
)
# How many of the lines, or of the paragraphs, have to be labelled before labels are believed: if they
# come only once, if they come again and again, and if they do so where speeches run over many lines.
_FEWEST_LABELLED = 0.5
_FEWEST_LABELLED_OF_REPEATED = 0.2
_FEWEST_LABELLED_OF_LONG_SPEECHES = 0.02
_FEWEST_LABELLED_IF_ALL_ARE = 0.8  # for a label that comes once and does not look like a name
_MOST_NAMED_ONCE = 4  # if nobody speaks twice
_FEWEST_LABELLED_BY_ONE = 0.8  # if there is one label only, and it does not look like a name
_FEWEST_OF_LONG_SPEECHES = 8
_FEWEST_BEHIND_SENTENCES = 0.9
_FEWEST_UNLABELLED_TO_HOLD = 0.25
_FEWEST_PARAGRAPHS = 3  # fewer say nothing
_MOST_WORDS_OF_A_LINE = 12
_SENTENCE_END = re.compile(r"[.!?…。！？؟।]\W{0,3}$")


class Labelled(NamedTuple):
    name: str  # "" if nobody is named
    words: str
    is_doubtful: bool = False  # it may be somebody's, and nobody knows whose


class _Seen(NamedTuple):
    name: str
    is_start: bool  # of a paragraph
    is_behind_sentence: bool
    is_alone: bool  # the words stand below
    is_paragraph: bool  # alone between blank lines


@dataclass(frozen=True)
class Labels:
    """The labels that a file is believed to have."""

    names: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = _COLON  # None: whole lines
    only_behind_sentences: bool = False

    def of(self, line: str, before: str = "") -> Labelled:
        """Return a line's speaker and words; `before` is the line it may go on with."""
        if self.pattern is None:
            name = bare(line)
            return Labelled(name, "") if name in self.names else Labelled("", line)
        if found := self.pattern.match(line):
            name = bare(found["name"])
            if name in self.names:
                return Labelled(name, line[found.end() :])
        colon = _COLON.match(line)
        return Labelled("", line, colon is not None and self._may_name(colon["name"], before))

    def _may_name(self, label: str, before: str) -> bool:
        if self.only_behind_sentences and before.strip() and not _ends_sentence(before):
            return False
        name = bare(label)
        return can_be_name(name) and not is_surely_a_sentence(name)


def judged(lines: Iterable[str]) -> Labels:
    """Return the labels of these lines that are to be believed; blank lines part paragraphs."""
    lines = list(lines)
    if (colons := _judged_colons(lines)).names:
        return colons
    if (whole := _judged_lines(lines)).names:
        return whole
    for pattern in _OTHER_KINDS:
        if names := _frequent(_seen(lines, pattern), lines):
            return Labels(names, pattern)
    return _judged_turns(lines)


def _judged_turns(lines: list[str]) -> Labels:
    """Believe what is no name, `Question` and `Answer`, `1` and `2`, if all take turns with it."""
    seen = _seen(lines, _COLON, may_be=_is_short)
    repeated = {name for name, count in Counter(one.name for one in seen).items() if count > 1}
    is_believed = (
        len(repeated) > 1
        and _Shares(seen, lines).of(repeated) >= _FEWEST_LABELLED_IF_ALL_ARE
        and _take_turns(seen, repeated)
    )
    return Labels(frozenset(repeated)) if is_believed else Labels()


def _is_short(label: str) -> bool:
    return len(label.split()) == 1 and label.isalnum()


def holds(speakers: Sequence[str]) -> bool:
    """Say whether a label holds until the next: it is told where the speaker changes, and only there.

    `speakers` has one for each caption or timed line, "" where none is named.
    """
    named = [speaker for speaker in speakers if speaker]
    return (
        len(named) > 1
        and bool(speakers[0])
        and len(speakers) - len(named) >= len(speakers) * _FEWEST_UNLABELLED_TO_HOLD
        and all(earlier != later for earlier, later in pairwise(named))
    )


def _judged_colons(lines: list[str]) -> Labels:
    seen = _seen(lines, _COLON)
    counted = Counter(one.name for one in seen)
    sure = {name for name in counted if is_name(name)}
    repeated = {name for name, count in counted.items() if count > 1}
    share = _Shares(seen, lines)
    names: set[str]
    if share.of(sure) >= _FEWEST_LABELLED and (repeated or len(sure) <= _MOST_NAMED_ONCE):
        names = sure | repeated
    elif (len(repeated) > 1 and share.of(repeated) >= _FEWEST_LABELLED) or share.of(
        repeated
    ) >= _FEWEST_LABELLED_BY_ONE:
        names = repeated | sure
    elif share.of(repeated & sure) >= _FEWEST_LABELLED_OF_REPEATED or (
        len(repeated) > 1
        and share.of(repeated) >= _FEWEST_LABELLED_OF_REPEATED
        and _take_turns(seen, repeated)
    ):
        names = repeated
    elif family := numbered_family(counted):
        names = set(family) | (repeated & sure)
    else:
        names = _of_long_speeches(seen, lines, repeated & sure)
    if names and share.of(with_likely := names | _likely(counted)) >= _FEWEST_LABELLED_IF_ALL_ARE:
        names = with_likely
    behind = [one.is_behind_sentence for one in seen if one.name in names]
    return Labels(
        frozenset(names),
        only_behind_sentences=sum(behind) >= len(behind) * _FEWEST_BEHIND_SENTENCES,
    )


def _of_long_speeches(seen: list[_Seen], lines: list[str], names: set[str]) -> set[str]:
    """Return who speaks so long that labels are rare: in a court, in a parliament."""
    own = [one for one in seen if one.name in names]
    is_believed = (
        len(names) > 1
        and len(own) >= _FEWEST_OF_LONG_SPEECHES
        and _Shares(seen, lines).of(names) >= _FEWEST_LABELLED_OF_LONG_SPEECHES
        and sum(one.is_behind_sentence for one in own) >= len(own) * _FEWEST_BEHIND_SENTENCES
        and _take_turns(own, names)
    )
    return names if is_believed else set()


def _judged_lines(lines: list[str]) -> Labels:
    """Return the names that stand alone on a line above what is said."""
    tidy = ["", *(bare(line) for line in lines), ""]
    filled = [line for line in tidy if line]
    counted = Counter(line for line in filled if len(line) <= LONGEST_NAME)
    starts = [place for place in range(1, len(tidy)) if tidy[place] and not tidy[place - 1]]
    first_lines = Counter(tidy[place] for place in starts if tidy[place + 1])
    repeated = {
        line
        for line, count in counted.items()
        if count > 1
        and len(line.split()) <= _MOST_WORDS_OF_A_LINE
        and (is_name(line) or (can_be_name(line) and first_lines[line] == count))
    }
    if len(repeated) == 1 or not repeated or filled[0] not in repeated:
        return Labels()
    resources = [place for place, line in enumerate(tidy) if line in repeated]
    followed = sum(bool(tidy[place + 1]) and tidy[place + 1] not in repeated for place in resources)
    begun = sum(tidy[place] in repeated for place in starts)
    is_usual = (
        begun >= len(starts) * _FEWEST_LABELLED
        if len(starts) >= _FEWEST_PARAGRAPHS
        else len(resources) * 3 >= len(filled)
    )
    if is_usual and followed >= len(resources) * _FEWEST_BEHIND_SENTENCES:
        likely = _likely(line for line in first_lines if can_be_name(line))
        if sum(first_lines[line] for line in likely) >= len(starts) * _FEWEST_LABELLED_IF_ALL_ARE:
            repeated |= {line for line in likely if len(line.split()) <= _MOST_WORDS_OF_A_LINE}
        return Labels(frozenset(repeated), pattern=None)
    return Labels()


def _frequent(seen: list[_Seen], lines: list[str]) -> frozenset[str]:
    """Return the labels without a colon: most lines have one of several that come again and again."""
    counted = Counter(one.name for one in seen if not _SOUNDS.match(one.name))
    repeated = {name for name, count in counted.items() if count > 1}
    if len(repeated) > 1 and _Shares(seen, lines).of(repeated) >= _FEWEST_LABELLED:
        likely = repeated | _likely(counted)
        is_likely = _Shares(seen, lines).of(likely) >= _FEWEST_LABELLED_IF_ALL_ARE
        others = likely if is_likely else {name for name in counted if is_name(name)}
        return frozenset(repeated | others)
    return numbered_family(counted)


def _likely(names: Iterable[str]) -> set[str]:
    return {name for name in names if not (is_like_a_sentence(name) or is_like_a_phrase(name))}


class _Shares:
    """How many of a file's lines, or of its paragraphs, have labels."""

    def __init__(self, seen: list[_Seen], lines: list[str]) -> None:
        self._seen = seen
        self._lines = sum(1 for line in lines if line.strip() and not line.startswith("#"))
        self._starts = sum(
            bool(line.strip()) and not before.strip() and not line.startswith("#")
            for before, line in pairwise(["", *lines])
        )

    def of(self, names: set[str]) -> float:
        own = [one for one in self._seen if one.name in names]
        of_lines = len(own) / max(self._lines - sum(one.is_alone for one in own), 1)
        if self._starts < _FEWEST_PARAGRAPHS:
            return of_lines
        others = self._starts - sum(one.is_paragraph for one in own)
        return max(of_lines, sum(one.is_start for one in own) / max(others, 1))


def _seen(
    lines: list[str], pattern: re.Pattern[str], may_be: Callable[[str], bool] = can_be_name
) -> list[_Seen]:
    seen = []
    known: dict[str, bool] = {}  # few names come again and again
    for place, line in enumerate(lines):
        label = pattern.match(line)
        if not label:
            continue
        name = bare(label["name"])
        if name not in known:
            known[name] = may_be(name)
        if known[name]:
            before = lines[place - 1] if place else ""
            behind = lines[place + 1] if place + 1 < len(lines) else ""
            is_start = not before.strip()
            is_alone = label.end() == len(line)
            seen.append(
                _Seen(
                    name,
                    is_start,
                    is_start or _ends_sentence(before),
                    is_alone,
                    is_alone and is_start and not behind.strip(),
                )
            )
    return seen


def _take_turns(seen: list[_Seen], names: set[str]) -> bool:
    """Say whether mostly another one speaks next."""
    own = [one.name for one in seen if one.name in names]
    changes = sum(earlier != later for earlier, later in pairwise(own))
    return changes * 2 >= len(own) - 1


def _ends_sentence(line: str) -> bool:
    return _SENTENCE_END.search(line.rstrip()[-5:]) is not None

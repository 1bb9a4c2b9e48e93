"""Plain text: prose and Markdown as they are, and what meeting tools export as text.

    [00:12:33] Ann Lee: words        a time, a speaker, both or neither before the words
    0:12 : Ann Lee : words           Webex
    **Ann Lee** [00:12:33]: words    show notes
    Ann Lee  0:03                    Otter and Teams: the words follow on lines of their own
    Ann Lee 0 minutes 3 seconds      Teams in the browser
    [Ann Lee] 10:02:33               Zoom's saved captions
    [00:00:03.120] - Ann Lee         Happy Scribe
    10:02:33 From Ann Lee to Everyone: words   Zoom's chat

Nothing but times, marks and repeated labels is ever left out.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from core.transcripts.formats import headings, labels, marks, stamps
from core.transcripts.formats.labels import Labels
from core.transcripts.formats.names import can_be_name
from core.transcripts.formats.stamps import Line
from core.transcripts.turns import Segment, Turn, merged, readable_label, verbatim

_FEWEST_STAMPED = 0.3  # of all lines, for times to be taken for such where nobody is named
_FEWEST_BARE = 0.5  # for times without brackets where nobody is named behind them
_FEWEST_BETWEEN = 0.5  # for `Ann Lee 0:03 words`, with names that come again
_FEWEST_CHANGES = 0.2  # of all lines, for `>>` to mean that somebody else speaks
_LINE_NUMBER = re.compile(r"\s{0,9}(\d{1,2})(?:\s{2}|\t)\s*")
_FEWEST_NUMBERED = 0.8
_FEWEST_LINES_NUMBERED = 4
_CHANGE = re.compile(r"\s*>>+\s*")


def read(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return which kind of text this is, and the turns."""
    lines = marks.tidy(text.split("\n"))
    if unnumbered := _without_line_numbers(lines):
        form, turns = read("\n".join(unnumbered))
        if form != "text":
            return form, turns
    if found := headings.find(lines):
        return "headed-text", merged(headings.below(found, lines))
    stamped, judged = _stamped([stamps.plain(line) for line in _without_title_marks(lines)])
    filled = sum(1 for line in lines if line.strip())
    is_timed = sum(line.at is not None for line in stamped) >= max(_FEWEST_STAMPED * filled, 1)
    if judged.names or is_timed:
        return "labelled-text", merged(_of_lines(stamped, judged, lines))
    changes = sum(1 for line in lines if _CHANGE.match(line))
    if changes > 1 and changes >= _FEWEST_CHANGES * filled:
        return "labelled-text", merged(_by_changes(lines))
    return "text", verbatim(lines)


def _of_lines(stamped: list[Line], judged: Labels, lines: list[str]) -> Iterator[Segment]:
    is_held = _is_held(stamped, judged)
    speaker, at = "", None  # of the line before, and of one that goes on with it
    above: float | None = None  # the time of a line that holds nothing else
    before = ""
    is_after_doubt = False
    for line, whole in zip(stamped, lines, strict=True):
        label, words, is_doubtful = judged.of(line.words, before)
        if label:
            behind = stamps.split_behind_label(words)
            own = behind.at if line.at is None else line.at
            speaker, at = readable_label(label), above if own is None else own
            words = behind.words
        elif is_doubtful or _is_title(words) or (line.at is not None and not is_held):
            speaker, at = "", line.at
        elif line.at is not None:
            at = line.at
        if not label and line.at is None:
            words = whole
        if headings.is_signature(whole):
            continue
        is_apart = is_doubtful or (is_after_doubt and line.at is not None)
        yield Segment(speaker, words, at, is_apart=is_apart)
        before = words
        if words.strip() or line.at is not None:
            above = line.at if not words.strip() and not label else None
        is_after_doubt = is_doubtful or (is_after_doubt and line.at is None and not label)


def _without_line_numbers(lines: list[str]) -> list[str]:
    """Take off the numbers that courts put before each line of a page; nothing if there are none."""
    numbers = [_LINE_NUMBER.match(line) for line in lines if line.strip()]
    found = [int(number[1]) for number in numbers if number]
    in_order = sum(later in {earlier + 1, 1} for earlier, later in pairwise(found))
    fewest = max(_FEWEST_NUMBERED * len(numbers), _FEWEST_LINES_NUMBERED)
    if len(found) < fewest or in_order < len(found) - 1:
        return []
    return [_LINE_NUMBER.sub("", line) for line in lines]


def _is_held(stamped: list[Line], judged: Labels) -> bool:
    timed = [line for line in stamped if line.at is not None and line.words.strip()]
    return labels.holds([judged.of(line.words).name for line in timed])


def _by_changes(lines: list[str]) -> Iterator[Segment]:
    for line in lines:
        change = _CHANGE.match(line)
        yield Segment("", line[change.end() :] if change else line, is_apart=change is not None)


def _stamped(lines: list[str]) -> tuple[list[Line], Labels]:
    """Part the lines from their times, as far as these are likely to be such; judge the labels."""
    between = Counter(name for line in lines if can_be_name(name := stamps.is_between(line)))
    repeated = sum(count for count in between.values() if count > 1)
    filled = sum(1 for line in lines if line.strip())
    split = stamps.split
    if len(between) > 1 and repeated >= max(_FEWEST_BETWEEN * filled, 2):
        split = stamps.split_between
    stamped = [_without_bold(split(line)) for line in lines]
    bare = [line for line in stamped if line.is_bare]
    if not bare:
        return stamped, labels.judged(line.words for line in stamped)
    is_likely = (
        len(bare) >= _FEWEST_BARE * filled or labels.judged(line.words for line in bare).names
    )
    if is_likely and headings.is_in_order([line.at for line in bare if line.at is not None]):
        return stamped, labels.judged(line.words for line in stamped)
    alone = [at for line in lines if (at := stamps.alone(line)) is not None]
    may_be_alone = headings.is_in_order(alone)
    kept = [
        Line(None, whole) if line.is_bare and not (may_be_alone and not line.words) else line
        for line, whole in zip(stamped, lines, strict=True)
    ]
    return kept, labels.judged(line.words for line in kept)


def _without_bold(line: Line) -> Line:
    return line if line.at is None else line._replace(words=stamps.plain(line.words))


def _without_title_marks(lines: list[str]) -> list[str]:
    """Make `### Ann Lee` a label where it comes again and again, as do others."""
    titles = [stamps.untitled(line) for line in lines]
    counted = Counter(
        title
        for title, line in zip(titles, lines, strict=True)
        if title != line and can_be_name(title)
    )
    repeated = {title for title, count in counted.items() if count > 1}
    if len(repeated) == 1 or sum(map(counted.__getitem__, repeated)) * 2 < counted.total():
        return lines
    return [
        f"{title}:" if title != line and title in counted else line
        for title, line in zip(titles, lines, strict=True)
    ]


def _is_title(line: str) -> bool:
    return line.startswith("#")

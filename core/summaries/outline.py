"""The outline of a summary: its title, its headings, and which passages each topic is about. Pure.

The model proposes, code makes it sound: every passage belongs to exactly one topic, whatever the model
said, so that nothing can be left out. Where nothing useful came, core/summaries/cohesion.py makes one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.summaries.lenient_json import json_object_in
from core.summaries.passages import Passages, Range, numbers_of, ranges_of
from core.summaries.schemas import LONGEST_TITLE_CHARACTERS, MOST_TOPICS

LEAST_CLAIMED_SHARE = 0.5  # of the words: an outline that places fewer is not worth mending
_WEIGHTS = (1, 5)
_USUAL_WEIGHT = 3
_LONGEST_LANGUAGE = 30
_LANGUAGE = re.compile(
    r"[^\W\d_]+(?:[ -]\(?[^\W\d_]+\)?)?"
)  # Greek, Brazilian Portuguese, Chinese (Traditional)
_LONGEST_HEADING = 60


@dataclass(frozen=True, kw_only=True)
class Topic:
    title: str
    passages: tuple[Range, ...]  # ascending
    weight: int = _USUAL_WEIGHT
    words: int = 0  # its share of the summary


@dataclass(frozen=True, kw_only=True)
class Outline:
    title: str
    language: str = ""  # English name of the summary's language; "" if the model did not say
    headings: Mapping[str, str]  # in the order of the document
    topics: tuple[Topic, ...]
    is_by_model: bool = True

    def as_fields(self) -> dict[str, Any]:
        """Return the outline as what JSON can hold."""
        return {
            "title": self.title,
            "language": self.language,
            "headings": dict(self.headings),
            "topics": [
                [topic.title, [list(each) for each in topic.passages], topic.weight, topic.words]
                for topic in self.topics
            ],
            "is_by_model": self.is_by_model,
        }


def outline_in(fields: Mapping[str, Any]) -> Outline:
    """Read an outline that was stored."""
    topics = tuple(
        Topic(title=title, passages=tuple((a, b) for a, b in ranges), weight=weight, words=words)
        for title, ranges, weight, words in fields["topics"]
    )
    return Outline(**{**fields, "topics": topics})


@dataclass(frozen=True)
class _Proposed:
    title: str
    weight: int
    ranges: Sequence[Range]


def parse_outline(
    answer: str,
    passages: Passages,
    *,
    headings: Mapping[str, str],
    least_claimed: float = LEAST_CLAIMED_SHARE,
) -> Outline | None:
    """Read a model's outline and make it sound; None if too little of it can be used.

    `headings` are those of the prompt set, for which the model may give translations.
    """
    fields = json_object_in(answer, ("topics", "title", "language", "headings"))
    if fields is None:
        return None
    title = one_line(fields.get("title"))
    rows = fields.get("topics")
    rows = rows[:MOST_TOPICS] if isinstance(rows, list) else []
    proposed = [topic for row in rows if (topic := _topic(row, passages.last))]
    if not proposed:
        return None
    claimed = {number for topic in proposed for number in numbers_of(topic.ranges)}
    if sum(passages[number].words for number in claimed) < passages.words * least_claimed:
        return None
    return Outline(
        title=title or proposed[0].title,
        language=_language(fields.get("language")),
        headings=_translated(headings, fields.get("headings")),
        topics=tuple(
            Topic(title=topic.title, passages=ranges_of(numbers), weight=topic.weight)
            for topic, numbers in zip(proposed, _owned(proposed, passages.last), strict=True)
            if numbers
        ),
    )


def one_line(value: object, *, most: int = LONGEST_TITLE_CHARACTERS) -> str:
    """Return a text from a model as a title: one line, without Markdown around it."""
    if not isinstance(value, str):
        return ""
    return " ".join(value.split()).strip("#*_` ")[:most].strip()


def _language(value: object) -> str:
    """Return a language's name. Other calls are told it, so it must be able to say nothing else."""
    name = one_line(value)
    return name if _LANGUAGE.fullmatch(name) and len(name) <= _LONGEST_LANGUAGE else ""


def _translated(headings: Mapping[str, str], proposed: object) -> Mapping[str, str]:
    given = proposed if isinstance(proposed, Mapping) else {}
    return {
        name: one_line(given.get(name), most=_LONGEST_HEADING) or heading
        for name, heading in headings.items()
    }


def _topic(row: object, last: int) -> _Proposed | None:
    if not isinstance(row, Mapping):
        return None
    title = one_line(row.get("title"))
    turns = row.get("turns")
    if isinstance(turns, list) and turns and all(isinstance(each, int) for each in turns):
        turns = [[turns[0], turns[-1]]]  # one stretch, without its brackets
    rows = turns if isinstance(turns, list) else [turns]
    ranges = [each for row in rows if (each := _range(row, last))]
    weight = row.get("weight")
    weight = min(max(weight, _WEIGHTS[0]), _WEIGHTS[1]) if isinstance(weight, int) else 3
    return _Proposed(title, weight, ranges) if title and ranges else None


def _range(value: object, last: int) -> Range | None:
    """Read `[3, 9]`, `{"first": 3, "last": 9}`, `"3-9"` or `3`, clipped to the passages there are."""
    if isinstance(value, Mapping):
        ends: Sequence[object] = (value.get("first"), value.get("last", value.get("first")))
    elif isinstance(value, str):
        ends = [int(digits) for digits in re.findall(r"\d{1,7}", value)[:2]]
    else:
        ends = value if isinstance(value, list) else [value]
    numbers = sorted(end for end in ends if isinstance(end, int) and not isinstance(end, bool))
    if not numbers or numbers[0] > last or numbers[-1] < 1:
        return None
    return max(numbers[0], 1), min(numbers[-1], last)


def _owned(proposed: Sequence[_Proposed], last: int) -> list[list[int]]:
    """Give each passage to one topic: that of the smallest range; gaps go to the topic before them."""
    owner: list[int | None] = [None] * last
    ranges = [(each, at) for at, topic in enumerate(proposed) for each in topic.ranges]
    for (first, end), at in sorted(ranges, key=lambda pair: pair[0][1] - pair[0][0]):
        for index in range(first - 1, end):
            if owner[index] is None:
                owner[index] = at
    current: int = next((at for at in owner if at is not None), 0)
    shares: list[list[int]] = [[] for _ in proposed]
    for index, owned_by in enumerate(owner):
        current = current if owned_by is None else owned_by
        shares[current].append(index + 1)
    return shares

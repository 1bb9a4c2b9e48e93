"""JSON that has no members' names to go by: lists of lines, of pairs, of `{"Ann Lee": "words"}`.

Scripts and language models write such. It is put into the shape that generic.py reads.
"""

from collections.abc import Callable
from typing import Any

from core.transcripts.formats.families import plain_name
from core.transcripts.formats.names import can_be_name

_LIST_NAMES = (
    "transcript transcription transcripts text texts lines conversation dialogue dialog messages content"
    " paragraphs sentences utterances turns captions"
)
_LISTS = frozenset(_LIST_NAMES.split())
_MOST_DIFFERENT = 0.7  # of who speaks; more are no names that come again
_FEWEST_WORDS_OF_A_LINE = 2  # on average; tags have fewer


def in_members(document: Any) -> Any:
    """Return the document with what is said in objects with `speaker` and `text`, or as it is."""
    if isinstance(document, dict):
        if _is_numbered(document):
            return in_members(list(document.values()))
        return {
            name: in_members(value)
            if isinstance(value, dict) or (isinstance(value, list) and plain_name(name) in _LISTS)
            else value
            for name, value in document.items()
        }
    if not isinstance(document, list) or not document:
        return document
    if all(isinstance(item, str) for item in document):
        words = sum(len(item.split()) for item in document)
        if len(document) == 1 or words < len(document) * _FEWEST_WORDS_OF_A_LINE:
            return document
        return {"text": "\n".join(document)}
    for read in (_of_pair, _of_one_member):
        if told := _told(document, read):
            return told
    return document


def _is_numbered(document: dict[str, Any]) -> bool:
    """Say whether the members are those of a list: `{"0": {...}, "1": {...}}`."""
    return bool(document) and all(
        name.isdecimal() and isinstance(value, dict) for name, value in document.items()
    )


def _told(
    items: list[Any], read: Callable[[Any], tuple[str, str] | None]
) -> list[dict[str, str]] | None:
    pairs = [read(item) for item in items]
    named = [pair for pair in pairs if pair is not None]
    different = len({name for name, _ in named})
    if len(named) < len(items) or not all(can_be_name(name) for name, _ in named):
        return None
    if not 1 < different <= max(len(named) * _MOST_DIFFERENT, 2) or different == len(named):
        return None
    return [{"speaker": name, "text": text} for name, text in named]


def _of_pair(item: Any) -> tuple[str, str] | None:
    if isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item):  # noqa: PLR2004
        return item[0], item[1]
    return None


def _of_one_member(item: Any) -> tuple[str, str] | None:
    if isinstance(item, dict) and len(item) == 1:
        ((name, text),) = item.items()
        if isinstance(text, str) and plain_name(name) not in _LISTS | {"word", "body", "sentence"}:
            return name, text
    return None

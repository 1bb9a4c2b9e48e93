"""A JSON document: which reader it is for, and what is said when none finds words in it.

A service whose output needs special knowledge has a reader of its own. What that can't read, and all
other JSON, is read by the names that its members have (generic.py).
"""

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import BadTranscript
from core.transcripts.formats import (
    assemblyai,
    deepgram,
    generic,
    google,
    shapes,
    transcribe,
    watson,
    whisper,
)
from core.transcripts.formats.members import Member, WrongKind
from core.transcripts.turns import Segment, Turn, fullest, merged

_DEEPEST = 100  # levels; what Python itself can read differs from version to version
_OPENING = re.compile(r"[\[{]")
_OPENED = re.compile(r'(?:\s*(?:\[|\{\s*"[^"\[{\\]{0,100}"\s*:))+')
_BEGUN = re.compile(r"\s*(?:\{|\[\s*[\[{])")
_PRINTED = re.compile(r"\s*(?:\[\s*)?\{\s*'")
_MOST_PRINTED = 1_000_000  # characters; reading them takes far more memory than JSON
_BETWEEN = re.compile(r"[\s,]*")
_MOST_NAMED = 12  # members, in a message
_LONGEST_NAMED = 40
# A second reading of a large document is worth its time only with one of these in it.
_MAY_NAME_SOMEBODY = re.compile(
    r"[Ss]peaker|[Pp]articipant|[Cc]hannel|[Aa]uthor|[Uu]ser|[Nn]ame\"|\"from|\"who\"|[Rr]ole"
)
_Read = tuple[str, tuple[Turn, ...]]


@dataclass(frozen=True)
class JsonFormat:
    name: str
    title: str
    looked_for: str
    looks_like: Callable[[Any], bool]
    segments: Callable[[Member], Iterable[Segment]]


# In this order: the more particular first.
JSON_FORMATS = (
    JsonFormat(
        "transcribe-json",
        "Amazon Transcribe",
        transcribe.LOOKED_FOR,
        transcribe.looks_like,
        transcribe.segments,
    ),
    JsonFormat(
        "deepgram-json", "Deepgram", deepgram.LOOKED_FOR, deepgram.looks_like, deepgram.segments
    ),
    JsonFormat("watson-json", "IBM Watson", watson.LOOKED_FOR, watson.looks_like, watson.segments),
    JsonFormat(
        "google-json",
        "Google Speech-to-Text",
        google.LOOKED_FOR,
        google.looks_like,
        google.segments,
    ),
    JsonFormat(
        "assemblyai-json",
        "AssemblyAI",
        assemblyai.LOOKED_FOR,
        assemblyai.looks_like,
        assemblyai.segments,
    ),
    JsonFormat("whisper-json", "Whisper", whisper.LOOKED_FOR, whisper.looks_like, whisper.segments),
)


def may_be_json(text: str) -> bool:
    return re.match(r"\s*[{\[\"]", text) is not None


def read(text: str, *, read_text: Callable[[str], _Read]) -> _Read | None:
    """Return what a text that may be JSON says, or None if it is none. Raises BadTranscript."""
    try:
        document = _loaded(text)
    except ValueError as exc:
        if _is_meant_as_json(text):
            raise _broken_json(exc) from None
        document = _printed_by_python(text)
        if document is None:
            return None
    _refuse_if_too_deep(document)
    if isinstance(document, dict) and isinstance(document.get("output"), dict | list):
        document = document["output"]  # a RunPod job, as its /status and callbacks give it
    document = shapes.in_members(document)
    name, segments = _best(document, may_name_somebody=_MAY_NAME_SOMEBODY.search(text) is not None)
    if not segments and isinstance(document, str):
        segments = [Segment("", document)]
    if (
        len(segments) == 1 and not segments[0].speaker
    ):  # all in one text, which may name the speakers
        _, turns = read_text(segments[0].text)
        if any(turn.speaker for turn in turns):
            return name, turns
    if turns := merged(segments):
        return name, turns
    raise _without_words(document)


def _best(document: Any, *, may_name_somebody: bool) -> tuple[str, list[Segment]]:
    """Return the remarks of the reader made for this document, unless they can be had with speakers."""
    name, found = "json", list[Segment]()
    for known in JSON_FORMATS:
        if found or not known.looks_like(document):
            continue
        try:
            name, found = known.name, list(known.segments(Member(document)))
        except WrongKind as exc:
            raise BadTranscript(
                "damaged",
                f"the JSON looks like {known.title}'s, but {exc}; export the transcript again",
            ) from None
        found = [segment for segment in found if segment.text.strip()]
    if found and (not may_name_somebody or any(segment.speaker for segment in found)):
        return name, found
    by_names = generic.segments(document)
    if not found:
        return "json", by_names
    if any(segment.speaker for segment in by_names) and fullest([by_names, found]) == by_names:
        return name, by_names
    return name, found


def _loaded(text: str) -> Any:
    opened = _OPENED.match(text)
    if opened and len(_OPENING.findall(opened[0])) > _DEEPEST:
        raise _too_deep()  # also where it is cut short, which some Pythons notice first
    try:
        return json.loads(text)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as exc:
        if exc.msg != "Extra data" or _BEGUN.match(text) is None:
            raise
        return _loaded_one_by_one(text)


def _printed_by_python(text: str) -> Any:
    """Return what a script printed where it should have written JSON: `[{'text': 'words'}]`, or None."""
    if len(text) > _MOST_PRINTED or not _PRINTED.match(text):
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _loaded_one_by_one(text: str) -> list[Any]:
    """Read JSON lines, or documents that each go over several lines."""
    documents: list[Any] = []
    decoder = json.JSONDecoder()
    place = 0
    while begun := _BETWEEN.match(text, place):
        if begun.end() == len(text):
            break
        try:
            document, place = decoder.raw_decode(text, begun.end())
        except RecursionError:
            raise _too_deep() from None
        except ValueError:
            number = text.count("\n", 0, begun.end()) + 1
            raise BadTranscript(
                "damaged",
                f"the file holds {len(documents)} whole JSON document(s), but what begins in line"
                f" {number} breaks off or is broken; export or upload it again",
            ) from None
        documents.append(document)
    return documents


def _refuse_if_too_deep(document: Any) -> None:
    level = [document]
    for _ in range(_DEEPEST):
        level = list(_inside(level))
        if not level:
            return
    raise _too_deep()


def _inside(level: list[Any]) -> Iterator[Any]:
    for item in level:
        values = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        yield from (value for value in values if isinstance(value, dict | list))


def _too_deep() -> BadTranscript:
    return BadTranscript(
        "damaged",
        f"the JSON is nested too deep to be a transcript (more than {_DEEPEST} levels)",
    )


def _without_words(document: Any) -> BadTranscript:
    known = next((known for known in JSON_FORMATS if known.looks_like(document)), None)
    if known and not _holds_a_sentence(document):
        return BadTranscript(
            "empty",
            f"the JSON looks like {known.title}'s, but there are no words in it;"
            " upload a transcript with text in it",
        )
    return BadTranscript(
        "unknown-format",
        f"the file is JSON ({_outline(document)}), but nothing in it was recognised as what is said;"
        f" looked for {'; '.join(known.looked_for for known in JSON_FORMATS)}; and for any list of"
        " objects with a text, transcript, body, content or the like;"
        " see docs/formats.md, or upload the transcript as text",
    )


def _holds_a_sentence(document: Any) -> bool:
    level = [document]
    while level:
        for item in level:
            values = item.values() if isinstance(item, dict) else item
            if any(isinstance(value, str) and " " in value.strip() for value in values):
                return True
        level = list(_inside(level))
    return False


def _outline(document: Any) -> str:
    """Name the members at the top, never what is in them."""
    kind = "an object"
    is_filled = bool(document)
    if isinstance(document, list):
        kind = "a list"
        document = next((item for item in document if isinstance(item, dict)), None)
        kind += " of objects" if document else ""
    if not isinstance(document, dict):
        return kind if is_filled else f"{kind}, empty"
    if not document:
        return f"{kind}, empty"
    names = [re.sub(r"[^\w.-]", "?", name)[:_LONGEST_NAMED] for name in document]
    more = ", ..." if len(names) > _MOST_NAMED else ""
    return f"{kind} with {', '.join(names[:_MOST_NAMED])}{more}"


def _is_meant_as_json(text: str) -> bool:
    """Say whether a text that is no JSON was to be some: `[Music]` and `{laughs}` were not."""
    compact = "".join(text.lstrip()[:200].split())
    return compact.startswith(('{"', "{}", '[{"', "[[{"))


def _broken_json(exc: ValueError) -> BadTranscript:
    where = "somewhere in a number"
    if isinstance(exc, json.JSONDecodeError):
        where = f"at line {exc.lineno}, column {exc.colno}"
    return BadTranscript(
        "damaged", f"the JSON breaks off or is broken {where}; export or upload it again"
    )

"""The formats of transcripts, recognised by what stands in them.

members       reading JSON that somebody else wrote
weight        JSON that would not fit into memory
names         what people and their devices are called
labels        `Ann Lee: words`, and what only looks like it
stamps        times at the beginning of lines
headings      lines that say who speaks below them
cues          who says what in captions of any format
rolling       captions that show the line before again
transcribe    Amazon Transcribe
deepgram      Deepgram
google        Google Speech-to-Text
assemblyai    AssemblyAI
whisper       Whisper and its relatives, RunPod's worker among them
texts         everything that is no JSON: which of the following it is
captions      WebVTT, SubRip and SubViewer
ass           Advanced SubStation Alpha
markup        TTML, other XML and HTML
rtf           rich text
tables        commas or tabs between who, when and what
plain         prose, Markdown, and the text exports of Zoom, Teams, Webex, Otter and others
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from core.errors import BadTranscript
from core.formats import assemblyai, deepgram, google, texts, transcribe, whisper
from core.formats.members import Member, WrongKind
from core.formats.weight import check_weight
from core.turns import Remark, Turn, merged


@dataclass(frozen=True)
class JsonFormat:
    name: str
    title: str
    looked_for: str
    looks_like: Callable[[Any], bool]
    remarks: Callable[[Member], Iterable[Remark]]


# In this order: the more particular first.
JSON_FORMATS = (
    JsonFormat(
        "transcribe-json",
        "Amazon Transcribe",
        transcribe.LOOKED_FOR,
        transcribe.looks_like,
        transcribe.remarks,
    ),
    JsonFormat(
        "deepgram-json", "Deepgram", deepgram.LOOKED_FOR, deepgram.looks_like, deepgram.remarks
    ),
    JsonFormat(
        "google-json", "Google Speech-to-Text", google.LOOKED_FOR, google.looks_like, google.remarks
    ),
    JsonFormat(
        "assemblyai-json",
        "AssemblyAI",
        assemblyai.LOOKED_FOR,
        assemblyai.looks_like,
        assemblyai.remarks,
    ),
    JsonFormat("whisper-json", "Whisper", whisper.LOOKED_FOR, whisper.looks_like, whisper.remarks),
)


def read(text: str, *, max_bytes: int) -> tuple[str, tuple[Turn, ...]]:
    """Return a text's format and turns; `max_bytes` is what the reader is sized for.

    Raises BadTranscript.
    """
    if re.match(r"\s*[{\[]", text):
        check_weight(text, max_bytes)
        try:
            document = json.loads(text)
        except RecursionError:
            raise BadTranscript(
                "damaged", "the JSON is nested too deep to be a transcript"
            ) from None
        except ValueError as exc:
            if _is_meant_as_json(text):
                raise _broken_json(exc) from None
        else:
            return _of_json(document)
    return texts.read(text)


def _of_json(document: Any) -> tuple[str, tuple[Turn, ...]]:
    if isinstance(document, dict) and isinstance(document.get("output"), dict | list):
        document = document["output"]  # a RunPod job, as its /status and callbacks give it
    for known in JSON_FORMATS:
        if known.looks_like(document):
            try:
                return known.name, merged(known.remarks(Member(document)))
            except WrongKind as exc:
                raise BadTranscript(
                    "damaged",
                    f"the JSON looks like {known.title}'s, but {exc}; export the transcript again",
                ) from None
    looked_for = "; ".join(known.looked_for for known in JSON_FORMATS)
    raise BadTranscript(
        "unknown-format",
        f"the file is JSON, but of no speech recognition known here; looked for {looked_for};"
        " see docs/formats.md, or upload the transcript as text",
    )


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

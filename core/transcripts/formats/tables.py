"""Tables with a heading: who, when and what in columns, parted by commas, semicolons or tabs."""

import csv
import io
import math
import re
from collections.abc import Iterator
from statistics import median

from core.transcripts.formats.columns import judged
from core.transcripts.formats.cues import Cue, remarks_of_cues
from core.transcripts.turns import (
    Segment,
    first_speaker,
    known_seconds,
    seconds_of_clock,
    speaker_name,
)

_DELIMITERS = "\t,;|"
_TEXTS_IN_WORDS = (
    "text transcript transcription content sentence utterance caption captions message dialogue"
    " dialog speech words subtitle phrase body"
)
_TEXTS = _TEXTS_IN_WORDS.split()
_SPEAKERS = [
    "speaker",
    "speakername",
    "speakerlabel",
    "speakerid",
    "name",
    "who",
    "participant",
    "participantname",
    "author",
    "person",
    "user",
    "username",
    "actor",
    "role",
    "channel",
]
_STARTS_IN_WORDS = (
    "start starttime startat begin begintime from time timestamp timecode timein in offset starts"
    " startsec startseconds startms starttimestamp"
)
_STARTS = _STARTS_IN_WORDS.split()
_ENDS = [
    "end",
    "endtime",
    "endat",
    "to",
    "timeout",
    "out",
    "ends",
    "endsec",
    "endseconds",
    "endms",
    "endtimestamp",
    "stop",
    "stoptime",
]
_LONGEST_HEADING = 2_000
_LOOKED_AT = 30_000  # characters
_LONGEST_CAPTION_SECONDS = 150  # half of all take more: then the numbers are of thousandths
_FEWEST_WHOLE_ROWS = 0.9
_SIGNS = re.compile(r"\([^()]*\)|[\W_]+")


def looks_like(text: str) -> bool:
    first = _below_separator(text[:_LONGEST_HEADING]).partition("\n")[0]
    return any(delimiter in first for delimiter in _DELIMITERS)


def segments(text: str) -> list[Segment] | None:
    """Return what the rows say, or None if they are not what the heading promises."""
    found = _columns(text)
    if not found:
        return _remarks_by_content(text)
    delimiter, columns = found
    heading, *rows = _rows(text, delimiter) or [[]]
    wanted = max(columns.values()) + 1
    if sum(len(row) >= wanted for row in rows) < len(rows) * _FEWEST_WHOLE_ROWS:
        return None
    cues = list(_cues(rows, columns, width=len(heading), delimiter=delimiter))
    return remarks_of_cues([cue for cue in cues if cue.lines])


def _remarks_by_content(text: str) -> list[Segment] | None:
    first = _below_separator(text)[:_LONGEST_HEADING].partition("\n")[0]
    for delimiter in _DELIMITERS:
        if delimiter not in first:
            continue
        start = "\n".join(_below_separator(text[:_LOOKED_AT]).split("\n")[:-1]) or text
        is_quoted = start.count('"') > start.count("\n")
        needs_time = delimiter in ",|" and not is_quoted
        if found := judged(_rows(start, delimiter), needs_time=needs_time):
            resources, has_heading = found
            rows = _rows(text, delimiter)[has_heading:]
            cues = _cues(rows, resources, width=len(rows[0]), delimiter=delimiter)
            return remarks_of_cues([cue for cue in cues if cue.lines])
    return None


def _columns(text: str) -> tuple[str, dict[str, int]] | None:
    """Return how the columns are parted and which hold what, if there is a heading that says so."""
    first = _below_separator(text).partition("\n")[0]
    if len(first) > _LONGEST_HEADING:
        return None
    for delimiter in _DELIMITERS:
        names = [_SIGNS.sub("", name).lower() for name in first.split(delimiter)]
        columns = {
            kind: place
            for kind, known in (
                ("text", _TEXTS),
                ("speaker", _SPEAKERS),
                ("start", _STARTS),
                ("end", _ENDS),
            )
            if (place := next((names.index(name) for name in known if name in names), None))
            is not None
        }
        if "text" in columns and len(columns) > 1:
            return delimiter, columns
    return None


def _below_separator(text: str) -> str:
    """Return the text without the line that tells Excel what parts the columns: `sep=;`."""
    return re.sub(r"\A\s*(?:sep=.\n)?", "", text, count=1)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    lines = io.StringIO(_below_separator(text), newline="")
    try:
        return [
            row
            for row in csv.reader(lines, delimiter=delimiter)
            if any(cell.strip(" \t:-") for cell in row)  # Markdown has a row of dashes
        ]
    except csv.Error:  # a NUL, in early versions of Python 3.11
        return []


def _cues(
    rows: list[list[str]], columns: dict[str, int], *, width: int, delimiter: str
) -> Iterator[Cue]:
    unit = _unit(rows, columns)
    place_of_speaker = columns.get("speaker", width)
    first = first_speaker(row[place_of_speaker] for row in rows if place_of_speaker < len(row))
    for row in rows:
        value = {kind: row[place] if place < len(row) else "" for kind, place in columns.items()}
        if columns["text"] == width - 1:  # words may hold what parts the columns
            value["text"] = delimiter.join(row[columns["text"] :])
        yield Cue(
            _seconds(value.get("start", ""), unit),
            _seconds(value.get("end", ""), unit),
            [line for line in value["text"].split("\n") if line.strip()],
            speaker_name(value.get("speaker", ""), first=first),
        )


def _unit(rows: list[list[str]], columns: dict[str, int]) -> float:
    """Return the seconds of the numbers in the times: Whisper's are thousandths."""
    if not {"start", "end"} <= columns.keys():
        return 1.0
    lengths = [
        _number(row[columns["end"]]) - _number(row[columns["start"]])
        for row in rows
        if max(columns["start"], columns["end"]) < len(row)
    ]
    known = [length for length in lengths if not math.isnan(length)]
    return 0.001 if known and median(known) > _LONGEST_CAPTION_SECONDS else 1.0


def _seconds(value: str, unit: float) -> float | None:
    if ":" in value:
        return seconds_of_clock(value.strip().strip("[]()"))
    return known_seconds(_number(value) * unit)


def _number(value: str) -> float:
    try:
        return float(value.strip().rstrip("s").replace(",", "."))
    except ValueError:
        return math.nan

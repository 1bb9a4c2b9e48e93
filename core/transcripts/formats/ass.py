"""Advanced SubStation Alpha, and SubStation Alpha before it: `.ass`, `.ssa`."""

import re
from collections.abc import Iterator

from core.transcripts.formats.cues import Cue, remarks_of_cues
from core.transcripts.turns import Segment, known_seconds, readable_label, seconds_of_clock

_BEGINNING = re.compile(r"\s*(?:;[^\n]*\s*)?\[(?:Script Info|V4\+? Styles|Events)\]", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\\p[1-9]")
_BREAK = re.compile(r"\\[Nn]")
_FIELDS: tuple[str, ...] = (
    "layer",
    "start",
    "end",
    "style",
    "name",
    "marginl",
    "marginr",
    "marginv",
    "effect",
    "text",
)


def looks_like(text: str) -> bool:
    return _BEGINNING.match(text) is not None


def segments(text: str) -> list[Segment]:
    cues = sorted(_cues(text), key=lambda cue: cue.starts_at or 0.0)
    return remarks_of_cues([cue for cue in cues if cue.lines])


def _cues(text: str) -> Iterator[Cue]:
    """Read the lines of dialogue; what they hold, their `Format:` line says."""
    fields = _FIELDS
    for line in text.split("\n"):
        kind, _, rest = line.partition(":")
        if kind.strip().lower() == "format" and "text" in rest.lower():
            fields = tuple(field.strip().lower() for field in rest.split(","))
        elif kind.strip().lower() == "dialogue":
            values = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
            yield _cue(values)


def _cue(values: dict[str, str]) -> Cue:
    raw = values.get("text", "")
    words = "" if _DRAWING.search(raw) else _OVERRIDE.sub("", raw).replace("\\h", " ")
    return Cue(
        _seconds(values.get("start", "")),
        _seconds(values.get("end", "")),
        [line for line in _BREAK.split(words) if line.strip()],
        readable_label(values.get("name") or values.get("actor") or ""),
    )


def _seconds(clock: str) -> float | None:
    seconds = seconds_of_clock(clock)
    return None if seconds is None else known_seconds(seconds)

"""What a structured answer looks like, as JSON schemas that servers constrain decoding by. Pure.

An endpoint that ignores them is read leniently all the same (core/summaries/lenient_json.py), and one that
refuses them is asked again without. Bounds that not every server can constrain by are left to the reader.
"""

from collections.abc import Mapping, Sequence
from typing import Any

OUTLINE = "outline"
LEDGER = "ledger"
REGISTERS = ("decisions", "actions", "questions", "quotes")
HEADINGS = ("overview", "topics", *REGISTERS)

MOST_TOPICS = 24
LONGEST_TITLE_CHARACTERS = 160
_MOST_RANGES = 12
_MOST_ENTRIES = 20

_TEXT: Mapping[str, Any] = {"type": "string", "maxLength": 400}
_TURN: Mapping[str, Any] = {"type": "integer"}
_TURN_OR_NONE: Mapping[str, Any] = {"type": ["integer", "null"]}


def ledger_format(registers: Sequence[str]) -> str:
    """Return the name of the format in which these registers are answered."""
    return "-".join((LEDGER, *registers))


def registers_of(response_format: str) -> tuple[str, ...]:
    """Return the registers that a ledger's format has."""
    named = response_format.split("-")[1:]
    return tuple(name for name in REGISTERS if name in named)


def schema_of(response_format: str) -> Mapping[str, Any]:
    """Return the schema of a format's name."""
    if response_format == OUTLINE:
        return _object(
            title=_title(),
            language={"type": "string", "maxLength": 40},
            headings={
                "type": "object",
                "additionalProperties": False,
                "properties": {name: _heading() for name in HEADINGS},
            },
            topics=_rows(
                MOST_TOPICS,
                title=_title(),
                turns={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": _MOST_RANGES,
                    "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": _TURN},
                },
                weight={"type": "integer"},
            ),
        )
    return _object(**{name: _ENTRIES[name] for name in registers_of(response_format)})


def _object(**fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(fields),
        "properties": fields,
    }


def _rows(most: int, **fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "array", "maxItems": most, "items": _object(**fields)}


def _heading() -> Mapping[str, Any]:
    return {"type": "string", "maxLength": 60}


def _title() -> Mapping[str, Any]:
    return {"type": "string", "maxLength": LONGEST_TITLE_CHARACTERS}


_ENTRIES: Mapping[str, Mapping[str, Any]] = {
    "decisions": _rows(
        _MOST_ENTRIES, what=_TEXT, who=_TEXT, why=_TEXT, turn=_TURN, reverses_turn=_TURN_OR_NONE
    ),
    "actions": _rows(_MOST_ENTRIES, owner=_TEXT, what=_TEXT, due=_TEXT, turn=_TURN),
    "questions": _rows(
        _MOST_ENTRIES, what=_TEXT, who=_TEXT, turn=_TURN, answered_at_turn=_TURN_OR_NONE
    ),
    "quotes": _rows(_MOST_ENTRIES, turn=_TURN, words=_TEXT),
}

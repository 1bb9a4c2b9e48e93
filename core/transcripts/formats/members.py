"""Reading JSON that somebody else wrote: what is missing or null is empty, what is of the wrong kind
is said with its place. Nothing of the file's content gets into a message.
"""

import math
from collections.abc import Iterator
from typing import Any

from core.transcripts.turns import known_seconds, seconds_of_clock


class WrongKind(Exception):
    """A member is not what its format has there."""

    def __init__(self, path: str, wanted: str) -> None:
        super().__init__(f"{path} is not {wanted}")


class Member:
    """A value in a JSON document, with its place."""

    __slots__ = ("_path", "value")

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self._path = path

    def get(self, name: str) -> Any:
        """Return a member's value as it is, or None."""
        return self._members().get(name)

    def member(self, name: str) -> "Member":
        return Member(self._members().get(name), self._path_of(name))

    def first(self, name: str) -> "Member":
        """Return the first item of a list, or an empty one."""
        return next(self.each(name), Member(None, self._path_of(name)))

    def each(self, name: str) -> Iterator["Member"]:
        """Go through the objects of a list; nulls among them are left out."""
        return self.member(name).items()

    def items(self) -> Iterator["Member"]:
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise WrongKind(self._path, "a list")
        for index, item in enumerate(self.value):
            if item is not None:
                yield Member(item, f"{self._path}[{index}]")

    def text(self, *names: str) -> str:
        """Return the text of the first of these members that has any."""
        for name in names:
            value = self._members().get(name)
            if value is None or value == "":
                continue
            if isinstance(value, str):
                return value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            raise WrongKind(self._path_of(name), "text")
        return ""

    def seconds(self, *names: str, unit: float = 1.0) -> float | None:
        """Return the time in the first of these members that has one; `unit` is its seconds."""
        for name in names:
            value = self._members().get(name)
            if value is not None:
                return _seconds(value, unit)
        return None

    def _members(self) -> dict[str, Any]:
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise WrongKind(self._path or "the whole", "an object")
        return self.value

    def _path_of(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _seconds(value: Any, unit: float) -> float | None:
    """Return the seconds of 1.5, "1.5", "1.5s", "00:00:01,500" or {"seconds": 1, "nanos": 5e8}."""
    if isinstance(value, dict):
        whole, nanos = _number(value.get("seconds", 0)), _number(value.get("nanos", 0))
        return known_seconds(whole + nanos / 1e9)
    if isinstance(value, str) and ":" in value:
        return seconds_of_clock(value)
    return known_seconds(_number(value) * unit)


def _number(value: Any) -> float:
    try:
        return float(value.rstrip("s") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return math.nan

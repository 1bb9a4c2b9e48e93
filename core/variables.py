"""The one reader of the environment: each variable by name, as what it must be."""

import math
from collections.abc import Mapping
from urllib.parse import urlsplit

from core.errors import SettingsError
from core.summaries.options import Mode


class Variables:
    """Reads variables by name and remembers which were asked for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.read: set[str] = set()

    def text(self, name: str) -> str:
        """Return a variable that must hold something."""
        value = self.optional(name)
        if not value:
            raise SettingsError(f"{name} is empty; it is required")
        return value

    def optional(self, name: str) -> str:
        """Return a variable that may be empty, but must be declared."""
        self.read.add(name)
        try:
            return self._environment[name].strip()
        except KeyError:
            raise SettingsError(f"{name} is not set; it is required") from None

    def integer(self, name: str, *, least: int, most: int) -> int:
        return int(self._number(name, least, most, whole=True))  # `90.0` is what some tools write

    def number(self, name: str, *, least: float, most: float) -> float:
        return self._number(name, least, most, whole=False)

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in {"true", "false"}:
            raise SettingsError(f"{name} is {value!r}; it must be true or false")
        return value == "true"

    def mode(self, name: str) -> Mode:
        value = self.text(name).lower()
        if value not in set(Mode):
            raise SettingsError(f"{name} is {value!r}; it must be {' or '.join(Mode)}")
        return Mode(value)

    def url(self, name: str) -> str:
        """Return an https URL without a slash at its end; plain http is for this machine only."""
        value = self.text(name).rstrip("/")
        parts = urlsplit(value)
        host = parts.hostname or ""
        is_local = host in {"127.0.0.1", "localhost"} or host.endswith(".localhost")
        if not host or parts.scheme not in ({"http", "https"} if is_local else {"https"}):
            raise SettingsError(f"{name} must be an https URL (http only on this machine)")
        return value

    def _number(self, name: str, least: float, most: float, *, whole: bool) -> float:
        """Read a number; of a whole one a fraction is left off, as CloudFormation can't refuse it."""
        value = self.text(name)
        try:
            number = math.floor(float(value)) if whole else float(value)
        except (ValueError, OverflowError):
            kind = "a whole number" if whole else "a number"
            raise SettingsError(f"{name} is {value!r}; it must be {kind}") from None
        if not least <= number <= most:
            raise SettingsError(f"{name} is {value}; it must be from {least} to {most}")
        return number

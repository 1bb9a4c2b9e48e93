"""Times and ages as a person writes and reads them: 90s, 15m, 2h, 3d."""

import re
from datetime import UTC, datetime, timedelta

import click

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class SpanType(click.ParamType):
    """A time span: a number and s, m, h, d or w."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(str(value).strip())
        if not found:
            self.fail(f"{value!r} is no time span: write 30m, 2h or 3d", param, ctx)
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])


def now() -> datetime:
    return datetime.now(UTC)


def short(span: timedelta) -> str:
    """Return a span with its two largest units: `2h 5m`, `41.3s`."""
    seconds = span.total_seconds()
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f}s"
    whole = round(seconds)
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, whole = divmod(whole, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])

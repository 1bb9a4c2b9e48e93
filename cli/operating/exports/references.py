"""Numbers of turns as a person reads them: `turns 3-7, 12 (00:04:11)`. Pure."""

from cli.operating.exports.parts import Part
from core.summaries.document import clock
from core.summaries.passages import ranges_of

_MOST_RANGES = 6


def reference(part: Part) -> str:
    """Return what a part rests on; "" where that is not known."""
    if not part.turns:
        return ""
    ranges = ranges_of(sorted(set(part.turns)))
    shown = ", ".join(
        f"{first}" if first == last else f"{first}-{last}" for first, last in ranges[:_MOST_RANGES]
    )
    more = ", …" if len(ranges) > _MOST_RANGES else ""
    at = f" ({clock(part.starts_at)})" if part.starts_at is not None else ""
    is_one = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    return f"{'turn' if is_one else 'turns'} {shown}{more}{at}"

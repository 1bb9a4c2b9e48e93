"""Tables without a heading, or with one in words that tables.py doesn't know: judged by what is in them."""

import re
from collections import Counter

from core.transcripts.formats.names import can_be_name
from core.transcripts.turns import seconds_of_clock

_ROWS_TO_LOOK_AT = 200
_FEWEST_ROWS = 4
_MOST_COLUMNS = 20
_FEWEST_ALIKE = 0.9  # of the rows
_FEWEST_WORDS_OF_A_TEXT = 2.5  # on average
_MOST_DIFFERENT = 0.7  # of who speaks; more are no names that come again
_LABEL = re.compile(r"[^:]{1,80}:(?:\s|$)")
_NUMBER = re.compile(r"[\d.,:;\s-]*")


def judged(rows: list[list[str]], *, needs_time: bool) -> tuple[dict[str, int], bool] | None:
    """Return which columns hold what, and whether the first row is a heading; None if it is no table.

    Two parts of a sentence with a comma are no table; `needs_time` asks for a column of times.
    """
    rows = rows[:_ROWS_TO_LOOK_AT]
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    alike = [row for row in rows if len(row) == width]
    if not 1 < width <= _MOST_COLUMNS or len(alike) < max(len(rows) * _FEWEST_ALIKE, _FEWEST_ROWS):
        return None
    columns = [[row[place].strip() for row in alike[1:]] for place in range(width)]
    text = max(range(width), key=lambda place: sum(len(cell.split()) for cell in columns[place]))
    if sum(len(cell.split()) for cell in columns[text]) < len(alike) * _FEWEST_WORDS_OF_A_TEXT:
        return None
    labelled = sum(_LABEL.match(cell) is not None for cell in columns[text])
    if labelled * 2 >= len(alike):  # `From Ann Lee : words` behind a time
        return None
    others = [place for place in range(width) if place != text]
    times = [place for place in others if _are_times(columns[place])]
    speakers = [place for place in others if _are_names(columns[place])]
    if not times and (needs_time or not speakers):
        return None
    found = {"text": text}
    found |= dict(zip(("start", "end"), times, strict=False))
    if speakers:
        found["speaker"] = speakers[0]
    return found, _is_heading(alike, found)


def _are_times(cells: list[str]) -> bool:
    return sum(_at(cell) is not None for cell in cells) >= len(cells) * _FEWEST_ALIKE


def _at(cell: str) -> float | None:
    return seconds_of_clock(cell.strip("[]()"))


def _are_names(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return (
        len(filled) * 2 >= len(cells)
        and 1 < len(set(filled)) <= len(filled) * _MOST_DIFFERENT
        and all(
            can_be_name(cell) and cell[-1] != ":" and not _NUMBER.fullmatch(cell) for cell in filled
        )
    )


def _is_heading(rows: list[list[str]], found: dict[str, int]) -> bool:
    first = rows[0]
    if "start" in found:
        return _at(first[found["start"]].strip()) is None
    names = {row[found["speaker"]] for row in rows[1:]}
    return first[found["speaker"]] not in names and len(first[found["text"]].split()) == 1

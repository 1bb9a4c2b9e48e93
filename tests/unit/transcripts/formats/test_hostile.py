"""No line takes long to read: each reader and each pattern meets lines of 100,000 characters.

A pattern whose work grows with the square of a line's length takes minutes for these; all of them
together take seconds. So the processor time of a process of its own is bounded, generously.
"""

from functools import partial
from pkgutil import iter_modules

import pytest

from core.transcripts import formats
from tests.bounded import run_bounded
from tests.unit.transcripts.formats import hostile
from tests.unit.transcripts.formats.hostile_readers import (
    match_each_pattern,
    read_each_line,
    read_many_lines,
)

MODULES = [
    "core.transcripts.turns",
    "core.words",
    *(f"core.transcripts.formats.{one.name}" for one in iter_modules(formats.__path__)),
]
in_a_minute = partial(run_bounded, cpu_seconds=60)  # for what takes one second or two


@pytest.mark.parametrize("module", MODULES)
def test_no_pattern_takes_long_for_a_line(module: str) -> None:
    in_a_minute(match_each_pattern, module)


@pytest.mark.parametrize("frame", hostile.FRAMES)
def test_no_reader_takes_long_for_a_line(frame: str) -> None:
    in_a_minute(read_each_line, frame)


def test_no_reader_takes_long_for_many_lines() -> None:
    in_a_minute(read_many_lines)

"""No line takes long to read: each reader and each pattern meets lines of 100,000 characters.

A pattern whose work grows with the square of a line's length takes minutes for these; all of them
together take seconds. So the processor time of a process of its own is bounded, generously.
"""

import re
import resource
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from core.errors import BadTranscript
from core.transcripts import formats
from core.transcripts.reader import read_transcript
from tests.unit.transcripts.formats import hostile

ROOT = Path(__file__).parents[4]
LENGTH = 100_000
MOST_SECONDS = 60  # of processor time, for what takes one or two
MODULES = [
    "core.transcripts.turns",
    "core.words",
    *(f"core.transcripts.formats.{one.name}" for one in iter_modules(formats.__path__)),
]
FOR_READERS = (
    "spaces", "names", "digits", "clocks", "labels", "square brackets", "round brackets", "smaller",
    "tags", "comments", "attributes", "greater", "bold", "hashes", "groups", "quotes behind stops", "CJK",
)  # fmt: skip


def in_a_bounded_process(call: str) -> None:
    code = f"from tests.unit.transcripts.formats import test_hostile as t; t.bound(); t.{call}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:] or f"ended by signal {-done.returncode}"


def bound() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def match_each_pattern(module: str) -> None:
    patterns = [one for one in vars(import_module(module)).values() if isinstance(one, re.Pattern)]
    for pattern in patterns:
        for chunk in hostile.PIECES.values():
            for end in hostile.ENDS:
                pattern.match(hostile.line(chunk, LENGTH, end))


def read_each_line(frame: str) -> None:
    for name in FOR_READERS:
        line = hostile.line(hostile.PIECES[name], LENGTH, "x: y")
        _read(hostile.FRAMES[frame].format(line=line))


def read_many_lines() -> None:
    for line in hostile.MANY_LINES.values():
        _read("WEBVTT\n\n" + line * (LENGTH // len(line)))
        _read(line * (LENGTH // len(line)))


def _read(text: str) -> None:
    with suppress(BadTranscript):
        read_transcript(text.encode(), max_bytes=10_000_000)


@pytest.mark.parametrize("module", MODULES)
def test_no_pattern_takes_long_for_a_line(module: str) -> None:
    in_a_bounded_process(f"match_each_pattern({module!r})")


@pytest.mark.parametrize("frame", hostile.FRAMES)
def test_no_reader_takes_long_for_a_line(frame: str) -> None:
    in_a_bounded_process(f"read_each_line({frame!r})")


def test_no_reader_takes_long_for_many_lines() -> None:
    in_a_bounded_process("read_many_lines()")

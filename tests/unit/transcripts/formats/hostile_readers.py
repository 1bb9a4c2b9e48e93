"""What test_hostile.py runs in processes of their own: each pattern and each reader, over hostile lines."""

import re
from contextlib import suppress
from importlib import import_module

from core.errors import BadTranscript
from core.transcripts.reader import read_transcript
from tests.unit.transcripts.formats import hostile

LENGTH = 100_000
FOR_READERS = (
    "spaces", "names", "digits", "clocks", "labels", "square brackets", "round brackets", "smaller",
    "tags", "comments", "attributes", "greater", "bold", "hashes", "groups", "quotes behind stops", "CJK",
)  # fmt: skip


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

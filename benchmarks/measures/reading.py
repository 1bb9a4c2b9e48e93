"""What reading and planning take of the CPU, beside reading the file once.

Reading once is what the simplest reader of a format does in Python: decode the file, parse it
(`json.loads`, or a match for each line), go through it word by word, and keep who said what. It judges
nothing: not whether `Note:` is a name, not which of a file's copies of its words is whole, not what a turn
costs a model.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure
from benchmarks.formats import NAMED, NUMBERED, WORDS, conversation
from benchmarks.long_transcripts import pipeline
from core.transcripts.reader import read_transcript
from tests.fakes.model import a_transcript

_PLANNED_WORDS = 1_000_000
_MOST = 5.0  # times reading it once
_TIMES = 3  # of which the least disturbed counts
_LINE = re.compile(
    r"(?:[\[(]?(?P<at>[\d:.,]{4,12})[\])]?\s*)?(?:(?P<name>[^:]{1,60}):\s+)?(?P<said>.*)"
)


def figures() -> list[Figure]:
    """Return the figures of the plan and of each format."""
    found = [_planning()]
    said = conversation(WORDS)
    for name, write in (NAMED | NUMBERED).items():
        body = write(said).encode()
        found.append(_reading(name, body, is_json=name in NUMBERED))
    return found


def _planning() -> Figure:
    text = a_transcript(_PLANNED_WORDS)
    body = text.encode()
    return _figure(
        f"plan of {_PLANNED_WORDS:,} words, from the upload until its first calls are at RunPod",
        least_seconds(lambda: pipeline(context_tokens=32_768).upload(text)),
        least_seconds(lambda: lines_once(body)),
        note="plain text with names; the store is in memory",
    )


def _reading(name: str, body: bytes, *, is_json: bool) -> Figure:
    return _figure(
        f"reading {WORDS:,} words of {name}",
        least_seconds(lambda: read_transcript(body, max_bytes=len(body))),
        least_seconds(lambda: (json_once if is_json else lines_once)(body)),
        note=f"{len(body) / 1e6:.1f} MB",
    )


def _figure(name: str, seconds: float, floor_seconds: float, *, note: str) -> Figure:
    return Figure(
        group="Reading",
        name=name,
        value=seconds,
        unit="s",
        beside="reading it once",
        beside_value=floor_seconds,
        most=_MOST,
        note=note,
    )


def lines_once(body: bytes) -> list[tuple[str, list[str]]]:
    """Read text line by line: who says it, and the words."""
    turns = []
    for line in body.decode().split("\n"):
        parts = _LINE.match(line)
        if parts:
            turns.append((parts["name"] or "", _words(parts["said"])))
    return turns


def json_once(body: bytes) -> list[list[str]]:
    """Read JSON and go through all that is in it."""
    found: list[list[str]] = []
    _walk(json.loads(body), found)
    return found


def _walk(value: Any, found: list[list[str]]) -> None:
    if isinstance(value, str):
        found.append(_words(value))
    elif isinstance(value, dict):
        for each in value.values():
            _walk(each, found)
    elif isinstance(value, list):
        for each in value:
            _walk(each, found)


def _words(text: str) -> list[str]:
    words = []
    for word in text.split():
        words.append(word)
    return words


def least_seconds(run: Callable[[], object]) -> float:
    """Return the CPU seconds of a run that was least disturbed."""
    taken = []
    for _ in range(_TIMES):
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    return min(taken)

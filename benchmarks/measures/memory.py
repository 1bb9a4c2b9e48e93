"""The peak memory of each function, in a process of its own, beside what it is deployed with.

    python -m benchmarks memory

The job is one of a million words, and beside it one of ten thousand: its upload, the callback of a call of
its first stage, and what the submitter does once that stage is done. AWS and RunPod are stand-ins.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.functions import recording
from benchmarks.functions.artifacts import Built, built, memory_sizes_mb
from benchmarks.functions.processes import read_once, run
from benchmarks.functions.recording import Invocation
from benchmarks.functions.stand_in import standing_in
from tests.fakes.model import a_transcript

WORDS = (10_000, 1_000_000)
_MB = 1 << 20


def figures(words: Sequence[int] = WORDS) -> list[Figure]:
    told = []
    artifacts = built()
    with tempfile.TemporaryDirectory() as name:
        for each in words:
            text = Path(name) / "transcript.txt"
            text.write_text(a_transcript(each))
            once = read_once(artifacts, text).peak_bytes
            note = f"the process that reads the file once takes {once / _MB:.0f} MB"
            told += [
                _figure(artifacts, f"{doing}, {each:,} words", invocation, Path(name), note)
                for doing, invocation in _moments(each).items()
            ]
        told += [
            _figure(artifacts, "at a sweep", recording.sweep(), Path(name), ""),
            _figure(artifacts, "at a notice", recording.webhook(), Path(name), ""),
        ]
    return told


def _moments(words: int) -> dict[str, Invocation]:
    """Return what a job makes the functions do: up to its second stage, or a small one's to its end."""
    job = recording.job(words, rounds=1)
    moments: dict[str, Invocation] = {}
    names = {"submitter": "at an upload", "webhook_receiver": "at a callback"}
    for each in job:
        moments.setdefault(names.get(each.function, each.function), each)
    moments["at the next stage"] = [each for each in job if each.function == "submitter"][-1]
    return moments


def _figure(
    artifacts: Built, doing: str, invocation: Invocation, folder: Path, note: str
) -> Figure:
    with standing_in(invocation.exchanges) as origin:
        peak = run(artifacts, invocation, folder, origin).peak_bytes
    return Figure(group="Functions", name=f"peak memory of {invocation.function} {doing}",
                  value=peak / _MB, unit="MB", beside="its MemorySize",
                  beside_value=memory_sizes_mb()[invocation.function], most=0.5, note=note)  # fmt: skip

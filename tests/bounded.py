"""Functions in a process of their own, which may use only so much processor time.

A regular expression that has begun can't be stopped from within. The processes are forked from a server
that has imported what they need: starting Python and importing anew cost more than most of them do.
"""

import multiprocessing
import os
import resource
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["tests.unit.transcripts.formats.hostile_readers", "tests.unit.hostile_answers"]
)


def run_bounded(function: Callable[..., object], *args: Any, cpu_seconds: int) -> None:
    """Run an importable function; raise AssertionError, with the end of what it printed, if it fails."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        process = _FORKS.Process(target=_run, args=(str(output), cpu_seconds, function, args))
        process.start()
        process.join()
        printed = output.read_text("utf-8") if output.exists() else ""
    assert process.exitcode == 0, f"{printed[-2_000:]}\nended with {process.exitcode}"


def _run(
    output: str, cpu_seconds: int, function: Callable[..., object], args: tuple[Any, ...]
) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    function(*args)

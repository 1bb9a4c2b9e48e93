"""A copy of the tree with one defect in it, the tests run there, and what that says about them."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from defects.plant import DoesNotApply, Plant
from local.stack.processes import Processes

ROOT = Path(__file__).parents[1]
# It says whether the plants apply to this tree, and so fails wherever one of them has been applied.
_NOT_COPIED = Path("tests/unit/test_planted_defects.py")
_NEEDS_A_STACK = {"local", "cloud"}
_FIRST = ("unit", "contract", "functions", "template")
_BUILDS = "test_artifacts.py"  # runs `sam build`, and sees no defect that others don't
_LONGEST_SECONDS = 3600.0  # a defect may make a test wait for ever
_LOOK_SECONDS = 0.1

_FAILED = re.compile(r"^FAILED (\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)
_ALL_PASSED, _SOME_FAILED = 0, 1  # pytest's exit codes; others mean that tests could not be run


class Verdict(StrEnum):
    CAUGHT = "caught"
    SURVIVED = "survived"
    BROKEN = "tests could not be run"  # proves nothing: a defect that ships is one that imports
    HUNG = "tests did not end"
    DOES_NOT_APPLY = "does not apply"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Outcome:
    plant: Plant
    verdict: Verdict
    seconds: float
    caught_by: str = ""  # tests/unit/test_x.py::test_y
    told: str = ""  # the end of pytest's output, where it is needed


@dataclass(frozen=True)
class _Run:
    verdict: Verdict
    failed: str
    log: str


def suites(root: Path) -> list[str]:
    """Return the test files that need no deployed stack: quick ones first, `sam build` last."""

    def order(file: Path) -> tuple[bool, int, Path]:
        folder = file.relative_to(root / "tests").parts[0]
        rank = _FIRST.index(folder) if folder in _FIRST else len(_FIRST)
        return file.name == _BUILDS, rank, file

    files = [
        file
        for file in (root / "tests").rglob("test_*.py")
        if file.relative_to(root / "tests").parts[0] not in _NEEDS_A_STACK
    ]
    return [str(file.relative_to(root)) for file in sorted(files, key=order)]


def try_sound(tests: Sequence[str], *, stop: threading.Event) -> str:
    """Run tests in a copy without a defect. Return what they said if they did not pass, else ""."""
    with Processes() as processes:
        tree = _copy(processes.folder)
        run = _pytest(processes, tree, tests or suites(tree), stop, "-n", "2")
    return "" if run.verdict is Verdict.SURVIVED else f"{run.verdict}\n{run.log}"


def try_plant(plant: Plant, *, stop: threading.Event) -> Outcome:
    """Put one defect into a copy and run the test that should notice, then all if it does not."""
    began = time.monotonic()
    with Processes() as processes:
        tree = _copy(processes.folder)
        try:
            plant.put_into(tree)
        except DoesNotApply as exc:
            return Outcome(plant, Verdict.DOES_NOT_APPLY, 0, told=str(exc))
        run = _pytest(processes, tree, [plant.file], stop, "-x", "-k", plant.test)
        if run.verdict is Verdict.SURVIVED:
            run = _pytest(processes, tree, suites(tree), stop, "-x")
    seconds = time.monotonic() - began
    told = "" if run.verdict is Verdict.CAUGHT else run.log
    return Outcome(plant, run.verdict, seconds, caught_by=run.failed, told=told)


def _copy(folder: Path) -> Path:
    """Copy what git knows, and what it would be told of, into a new tree."""
    tree = folder / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if Path(name) != _NOT_COPIED and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


def _pytest(
    processes: Processes, tree: Path, tests: Sequence[str], stop: threading.Event, *options: str
) -> _Run:
    quiet = ["-q", "-rfE", "--tb=short", "-p", "no:cacheprovider", "-p", "no:randomly"]
    temporary = f"--basetemp={processes.folder / 'tmp'}"
    child = processes.start(
        "pytest",
        [sys.executable, "-m", "pytest", *quiet, temporary, *options, *tests],
        environment=_environment(),
        working_folder=tree,
    )
    ends_at = time.monotonic() + _LONGEST_SECONDS
    while child.popen.poll() is None:
        if stop.wait(_LOOK_SECONDS):
            return _Run(Verdict.STOPPED, "", "")
        if time.monotonic() > ends_at:
            return _Run(Verdict.HUNG, "", child.report("pytest did not end"))
    failed = _FAILED.search(child.log.read_text(encoding="utf-8", errors="replace"))
    log = child.report("pytest ended")
    if child.popen.returncode == _ALL_PASSED:
        return _Run(Verdict.SURVIVED, "", log)
    if child.popen.returncode == _SOME_FAILED and failed:
        return _Run(Verdict.CAUGHT, failed[1], log)
    return _Run(Verdict.BROKEN, "", log)


def _environment() -> dict[str, str]:
    """Return this process's, without what would steer pytest, and without traces in the copies."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return ours | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}

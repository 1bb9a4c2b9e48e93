"""The table of steps, on terminals of every width."""

import io
import re

import pytest
from rich.console import Console

from local.progress import Progress
from local.steps import Step


def shown(width: int, *, failed: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    progress = Progress(console)
    progress.end(Step.EMULATOR, "MiniStack at http://127.0.0.1:4566, permissions enforced" * 2)
    progress.begin(Step.DEPLOY)
    if failed:
        progress.fail()
    with console.capture() as captured:
        console.print(progress)
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_marks_and_seconds_stay_however_narrow_the_terminal_is(width: int) -> None:
    lines = shown(width, failed=True)

    emulator = next(line for line in lines if "AWS emulator" in line)
    deploy = next(line for line in lines if "deployment" in line)
    assert emulator.startswith("✔  AWS emulator")
    assert deploy.startswith("✘  deployment")
    assert re.search(r"\d\.\d s", emulator)
    assert re.search(r"\d\.\d s", deploy)
    assert max(map(len, lines)) <= width


def test_the_parts_of_a_step_stand_beneath_it_as_they_end() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    progress = Progress(console)
    progress.begin(Step.RUNPOD)
    progress.part(Step.RUNPOD, "  round 1", "outline")
    progress.note(Step.RUNPOD, "8 sections and 4 lists: 3 of 12 done")

    with console.capture() as captured:
        console.print(progress)

    lines = captured.get().splitlines()
    at = next(at for at, line in enumerate(lines) if "RunPod at work" in line)
    assert "8 sections and 4 lists: 3 of 12 done" in lines[at]
    assert re.search(r"^ +round 1 +[0-9.]+ s +outline", lines[at + 1])


def test_the_parts_of_a_step_are_lines_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO(), width=80)
    progress = Progress(console)
    progress.begin(Step.RUNPOD)

    progress.part(Step.RUNPOD, "  round 1", "outline")

    assert isinstance(console.file, io.StringIO)
    assert re.fullmatch(r"ok +round 1 +[0-9.]+ s  outline\n", console.file.getvalue())

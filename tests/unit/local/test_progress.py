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
    deploy = next(line for line in lines if "sam deploy" in line)
    assert emulator.startswith("✔  AWS emulator")
    assert deploy.startswith("✘  sam deploy")
    assert re.search(r"\d\.\d s", emulator)
    assert re.search(r"\d\.\d s", deploy)
    assert max(map(len, lines)) <= width

"""docs/architecture.md agrees with the code: the same transitions, and modules that exist."""

import ast
import re
from pathlib import Path

import pytest

from core.jobs.model import CALL_TRANSITIONS

ROOT = Path(__file__).parents[2]


def test_the_page_lists_the_moves_of_the_table() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()

    listed = set(re.findall(r"`(\w+)` → `(\w+)`", page))

    assert listed == {
        (state.value, to.value) for state, moves in CALL_TRANSITIONS.items() for to in moves
    }


ROOMS = sorted(str(each.parent.relative_to(ROOT)) for each in ROOT.glob("core/**/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_the_docstring_of_a_room_names_its_modules(room: str) -> None:
    folder = ROOT / room
    listed = set(re.findall(r"^(\w+)  +", ast.get_docstring(_tree(folder)) or "", re.M))

    modules = {path.stem for path in folder.glob("[a-z]*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert listed == modules | packages


def _tree(folder: Path) -> ast.Module:
    return ast.parse((folder / "__init__.py").read_text())

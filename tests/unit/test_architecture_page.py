"""docs/architecture.md says what the code does: the same arrows, and the modules that exist."""

import re
from pathlib import Path

import core
from core.jobs import CALL_MOVES

ROOT = Path(__file__).parents[2]


def test_the_page_lists_the_moves_of_the_table() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()

    listed = set(re.findall(r"`(\w+)` → `(\w+)`", page))

    assert listed == {
        (state.value, to.value) for state, moves in CALL_MOVES.items() for to in moves
    }


def test_the_map_of_core_names_its_modules() -> None:
    listed = set(re.findall(r"^(\w+) +\*? ", core.__doc__ or "", re.M))

    modules = {path.stem for path in (ROOT / "core").glob("[a-z]*.py")}
    packages = {path.parent.name for path in (ROOT / "core").glob("*/__init__.py")}
    assert listed == modules | packages

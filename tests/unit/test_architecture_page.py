"""docs/architecture.md says what the code does: its words, its transitions, its rooms and modules."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from core.jobs.call import CALL_TRANSITIONS

ROOT = Path(__file__).parents[2]


PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_page_lists_the_transitions_of_the_table() -> None:
    listed = set(re.findall(r"`(\w+)` → `(\w+)`", PAGE))

    assert listed == {
        (state.value, to.value) for state, moves in CALL_TRANSITIONS.items() for to in moves
    }


GLOSSARY = PAGE.split("## Glossary")[1].split("\n## ")[0]
WORDS = re.findall(r"^\| ([\w ]+) \| (?!meaning)", GLOSSARY, re.M)
DEPLOYED = ("core", "submitter", "webhook_receiver", "sweeper", "worker")
CODE = "\n".join(
    path.read_text()
    for path in (ROOT / "template.yaml", *(p for f in DEPLOYED for p in (ROOT / f).rglob("*.py")))
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_glossary_is_one_of_the_code(word: str) -> None:
    """`work order` is `WorkOrder`, `work_order` or "work order" there, also in the plural."""
    assert re.search(rf"(?i){word.replace(' ', '[ _-]?')}(?![a-rt-z])", CODE)


def test_no_word_of_the_glossary_is_explained_twice() -> None:
    assert len(WORDS) == len(set(WORDS)) > 0


def test_the_rooms_on_the_page_are_those_that_lint_holds_apart() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in contracts["contracts"] if "layers" in each]

    drawn = re.findall(r"^ (core\.\w+(?: \| core\.\w+)*)  ", PAGE, re.M)

    assert drawn == layers


ROOMS = sorted(str(each.parent.relative_to(ROOT)) for each in ROOT.glob("core/**/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_the_docstring_of_a_room_names_its_modules(room: str) -> None:
    folder = ROOT / room
    listed = set(re.findall(r"^(\w+)  +", ast.get_docstring(_tree(folder)) or "", re.M))

    modules = {path.stem for path in folder.glob("[a-z]*.py")} - _formats_in_tables(folder)
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert listed == modules | packages


def _formats_in_tables(folder: Path) -> set[str]:
    """Return the modules that a table of readers names: the map of the room leaves them to it."""
    if folder.name != "formats":
        return set()
    tables = [folder / "texts.py", folder / "documents.py", folder.parent / "reader.py"]
    pattern = r"(\w+)\.(?:looks_like\w*|cues)\b"
    return {name for table in tables for name in re.findall(pattern, table.read_text())}


def _tree(folder: Path) -> ast.Module:
    return ast.parse((folder / "__init__.py").read_text())

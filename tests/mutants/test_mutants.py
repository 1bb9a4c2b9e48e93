"""Each mutant still applies, and its place is found whatever the code around it."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant, NoLongerApplies
from tests.mutants.slips import scores

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies_to_the_code_as_it_is(mutant: Mutant) -> None:
    changed = mutant.changed(ROOT)

    compile(changed, mutant.file, "exec")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_must_notice_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    assert all((ROOT / file).is_file() for file in mutant.tests)


def test_no_two_mutants_share_a_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def changed(tmp_path: Path, code: str, *, find: str, put: str, at: str = "a.py") -> str:
    (tmp_path / "a.py").write_text(code)
    return Mutant("m", "", at, find, put, ()).changed(tmp_path)


def test_a_place_is_found_whatever_its_locals_are_called(tmp_path: Path) -> None:
    for code in ("f(x, b=1, a=y)", "f(  # why\n    renamed, a=z, b=1)"):
        assert changed(tmp_path, code, find="f(X, a=Y, b=1)", put="g(Y)").startswith("g(")


def test_an_argument_or_a_statement_can_be_taken_away(tmp_path: Path) -> None:
    assert changed(tmp_path, "f(1, a=2)", find="keyword: a=X", put="") == "f(1)"
    assert changed(tmp_path, "if x:\n  raise E", find="raise A", put="pass") == "if x:\n    pass"


@pytest.mark.parametrize("code", ["", "f(1)\nf(2)", "def g():\n  f(1)\ndef h():\n  f(2)"])
def test_a_place_that_is_not_there_once_is_an_error(tmp_path: Path, code: str) -> None:
    with pytest.raises(NoLongerApplies, match="mutant m no longer applies"):
        changed(tmp_path, code, find="f(X)", put="g()")


def test_a_place_is_searched_for_in_its_function_only(tmp_path: Path) -> None:
    code = "class C:\n    def g(self):\n        f(1)\n\ndef g():\n    f(2)"

    assert "f(2)" in changed(tmp_path, code, find="f(X)", put="h()", at="a.py::C.g")


def test_the_score_of_a_module_counts_what_was_tried_and_names_what_survived(
    tmp_path: Path,
) -> None:
    exit_codes = {
        "core.a.x_f__mutmut_1": 1,
        "core.a.x_f__mutmut_2": 0,
        "core.a.x_f__mutmut_3": None,
    }
    (tmp_path / "a.py.meta").write_text(json.dumps({"exit_code_by_key": exit_codes}))

    assert scores(tmp_path) == [
        "a.py: 1 of 2 noticed (50%)",
        "  survived core.a.x_f__mutmut_2",
    ]


def test_the_modules_that_mutmut_changes_are_there() -> None:
    """It says nothing of a pattern that fits no file."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]

    assert [name for name in settings["only_mutate"] if not (ROOT / name).is_file()] == []


def test_the_tests_that_mutmut_runs_are_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    selected = settings["pytest_add_cli_args_test_selection"]

    assert [name for name in selected if not (ROOT / name).exists()] == []

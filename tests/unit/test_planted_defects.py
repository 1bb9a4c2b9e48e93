"""The planted defects have not rotted: each applies to the code as it is, and is on its page."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from defects.page import PAGE, listed
from defects.plant import SEEN, DoesNotApply, Edit, Kind, Plant
from defects.plants import PLANTS
from defects.trial import ROOT, suites


class Shallow(yaml.CSafeLoader):
    """Reads CloudFormation's short forms without understanding them."""


Shallow.add_multi_constructor("!", lambda loader, tag, node: tag)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_plant_changes_code_that_can_still_be_read(plant: Plant) -> None:
    for file, text in plant.changed(ROOT).items():
        assert text != (ROOT / file).read_text()
        if file.endswith(".py"):
            compile(text, file, "exec")
        else:
            yaml.load(text, Shallow)  # noqa: S506 - derived from the safe loader


def test_no_plant_names_what_does_not_exist(tmp_path: Path) -> None:
    """Any test that gets there would fail, and the table would prove nothing."""
    for plant in PLANTS:
        for file, text in plant.changed(ROOT).items():
            if file.endswith(".py"):
                copy = tmp_path / plant.name / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(text)

    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout == "All checks passed!\n"


def test_lines_that_are_not_there_exactly_once_are_no_place_for_a_plant(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\ny = 2\n")

    def replacing(before: str) -> Plant:
        return Plant("p", Kind.LOST, "", (Edit("a.py", before, "z = 3"),), "", "")

    assert replacing("y = 2").changed(tmp_path) == {"a.py": "x = 1\nx = 1\nz = 3\n"}
    for wrong in ("x = 1", "z = 0"):
        with pytest.raises(DoesNotApply):
            replacing(wrong).changed(tmp_path)


def test_no_two_plants_share_a_name() -> None:
    assert len({plant.name for plant in PLANTS}) == len(PLANTS)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_test_that_should_notice_is_one_that_is_run(plant: Plant) -> None:
    assert plant.file in suites(ROOT)
    assert f"def {plant.test}(" in (ROOT / plant.file).read_text()


def test_every_kind_is_explained_and_planted() -> None:
    assert set(SEEN) == set(Kind) == {plant.kind for plant in PLANTS}


def test_the_page_lists_the_plants_that_there_are() -> None:
    assert listed(PAGE.read_text()) == [plant.name for plant in PLANTS]

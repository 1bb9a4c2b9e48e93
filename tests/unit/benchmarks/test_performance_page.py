"""docs/performance.md is made of what was measured and computed last: this test holds the two together.

pytest tests/unit/benchmarks/test_performance_page.py --write-golden   # after a change of how tables look
"""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import page, results
from benchmarks.costs import kept
from benchmarks.figures import Figure, number

FIGURE = Figure(
    group="GPU",
    name="a summary",
    value=6.938,
    unit="GPU s",
    beside="one answer",
    beside_value=14.11,
    most=0.35,
    note="it reads the transcript twice",
)


def test_the_tables_are_those_of_the_last_run(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--write-golden"):
        page.rewrite()
    text = page.PAGE.read_text(encoding="utf-8")

    assert text == page.rewritten(text)


def test_every_table_that_is_computed_is_on_the_page_once() -> None:
    assert sorted(page.names(page.PAGE.read_text(encoding="utf-8"))) == sorted(
        ["measured", *kept.kept()]
    )


def test_the_pictures_of_the_page_are_there_and_light() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    pictures = [page.PAGE.parent / name for name in re.findall(r"!\[.*?\]\((.*?)\)", text)]

    assert len(pictures) == 3
    assert all(picture.stat().st_size < 40_000 for picture in pictures)


def test_the_readme_has_the_figures_of_the_page() -> None:
    readme = (page.PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    costs = readme.split("## What it costs")[1].split("\n## ")[0]
    tables = kept.kept()
    (in_all,) = (row[-1].strip("*") for row in tables["aws-dollars"][1] if row[0] == "**all**")
    within_8_hours = [(row[5], row[3]) for row in tables["limits"][1]]
    first = next(each for _, each in within_8_hours)
    first_fixed = next(each for whose, each in within_8_hours if whose == "fixed")

    assert set(re.findall(r"\$0\.\d+", costs)) == {in_all}
    assert f"{first} transcripts a day" in costs
    assert f"{first_fixed} before a limit" in costs


def test_every_measure_has_figures_on_the_page_or_is_known_to_have_none_yet() -> None:
    assert set(results.kept()) <= set(command.MEASURES)


def test_a_figure_says_its_value_what_is_beside_it_and_whether_its_goal_is_met() -> None:
    assert FIGURE.value_text == "6.94 GPU s"
    assert FIGURE.beside_text == "one answer: 14.1 GPU s"
    assert FIGURE.ratio_text == "0.492 \N{MULTIPLICATION SIGN}"
    assert FIGURE.goal_text == "≤ 0.35"
    assert FIGURE.is_met is False


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0012, "0.0012"),
        (6.938, "6.94"),
        (103.5, "104"),
        (37_357.9, "37,358"),
        (3.0, "3"),
        (0, "0"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_what_is_kept_takes_the_place_of_the_same_measure_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.keep({"gpu": [FIGURE], "sweep": [FIGURE]}, path)
    results.keep({"gpu": []}, path)

    found = results.kept(path)
    assert found["gpu"] == []
    assert found["sweep"][0].name == FIGURE.name
    assert results.kept(path)["sweep"][0].ratio == pytest.approx(FIGURE.ratio, rel=1e-3)


def test_the_table_says_below_each_figure_what_it_stands_beside() -> None:
    console = Console(width=80, record=True, file=None)
    with console.capture() as shown:
        console.print(command.table([FIGURE]))

    lines = shown.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("a summary" in line and "missed" in line for line in lines)
    assert any("one answer" in line and "14.1 GPU s" in line for line in lines)


def test_why_a_goal_is_missed_is_told_at_the_end() -> None:
    told = command.summed([FIGURE])

    assert told.startswith("0 of 1 goals are met.")
    assert FIGURE.note in told


def test_the_command_writes_the_figures_of_the_measures_that_are_named(tmp_path: Path) -> None:
    file = tmp_path / "out" / "figures.json"

    told = CliRunner().invoke(command.main, ["gpu", "--json", str(file)])

    assert told.exit_code == 0, told.output
    assert {each["group"] for each in json.loads(file.read_text())} == {"GPU"}

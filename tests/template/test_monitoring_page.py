"""docs/monitoring.md says what the template and the functions have, and what that costs."""

import re

import pytest

from core.telemetry import Metric
from tests.template.cloudformation import ROOT
from tests.template.dashboard import alarms, shown_in, widgets

PAGE = (ROOT / "docs" / "monitoring.md").read_text()
ALARMS = alarms()
EACH_SWEEP = {metric for metric in Metric if metric.startswith(("Oldest", "Endpoint"))}


def rows(heading: str) -> list[list[str]]:
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def dollars(text: str) -> float:
    return float(text.removeprefix("$"))


def test_the_page_has_every_alarm_and_its_section() -> None:
    listed = {name.strip("`"): section for name, _, _, section in rows("Alarms")}

    assert listed.keys() == ALARMS.keys()
    for name, section in listed.items():
        assert f'"{section}"' in ALARMS[name]["AlarmDescription"]


@pytest.mark.parametrize("name", [name for name in ALARMS if name.endswith("SlowAlarm")])
def test_the_page_has_the_threshold_of_slow_functions(name: str) -> None:
    (rings,) = [rings for listed, rings, *_ in rows("Alarms") if listed == f"`{name}`"]

    assert f"over {ALARMS[name]['Threshold'] // 1000} s" in rings


@pytest.mark.parametrize(
    ("name", "share"), [("LostCallbackAlarm", 100), ("DiscardedTokensAlarm", 1)]
)
def test_the_page_has_the_threshold_of_a_rate(name: str, share: int) -> None:
    (rings,) = [rings for listed, rings, *_ in rows("Alarms") if listed == f"`{name}`"]

    assert f"over {share * ALARMS[name]['Threshold']:.0f} %" in rings


def test_the_page_has_every_metric_with_its_unit() -> None:
    listed = {name.strip("`"): unit for name, unit, *_ in rows("Metrics")}

    assert listed == {metric.value: metric.unit.value for metric in Metric}


def test_the_page_says_what_that_costs() -> None:
    idle, busy, ringing, shown = rows("What it costs")

    assert [int(row[1]) for row in (idle, busy, ringing, shown)] == [
        len(EACH_SWEEP),
        len(Metric),
        len(ALARMS),
        1,
    ]
    for row in (idle, busy, ringing, shown):
        assert dollars(row[4]) == pytest.approx(int(row[1]) * dollars(row[2]))
    least, most = (sum(dollars(row[4]) for row in (each, ringing, shown)) for each in (idle, busy))
    assert f"between ${least:.2f} and ${most:.2f} a month" in PAGE
    assert f"{len(EACH_SWEEP)} are printed by every sweep" in PAGE
    assert re.search(rf"other {len(Metric) - len(EACH_SWEEP)}\b", PAGE)
    free = [10 * 0.30, 10 * 0.10, 3.00]
    rest_idle = max(dollars(idle[4]) - free[0], 0) + dollars(ringing[4]) - free[1]
    rest_busy = dollars(busy[4]) - free[0] + dollars(ringing[4]) - free[1]
    assert f"between ${rest_idle:.2f} and ${rest_busy:.2f}" in PAGE


def test_a_dashboard_of_so_many_metrics_is_free_for_who_has_no_other() -> None:
    shown = {metric for widget in widgets("metric") for metric in shown_in(widget)}

    assert len(shown) <= 50

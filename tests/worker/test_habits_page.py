"""docs/habits.md says what becomes of each bad habit of a model: this test makes its tables.

pytest tests/worker/test_habits_page.py --write-golden      # writes them anew; review the diff
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from core.failures import FAILURES
from core.summaries.options import SummaryOptions
from tests.builders import a_request
from tests.fakes.model import FakeModel
from tests.unit.summaries.builders import transcript
from tests.worker.both_modes import Outcome, pulled, pushed
from tests.writing_habits import HABITS, INVENTED, LOOP, REFUSAL
from tests.writing_model import always

PAGE = Path(__file__).parents[2] / "docs" / "habits.md"
_TABLES = {"table", "reasons"}
_WAYS = {"by an outline": 1_500, "in one answer": 500}
_TRIES = {"at first": 1, "always": 99}
_MODES: dict[str, Callable[[str, FakeModel, SummaryOptions], Outcome]] = {
    "push": pushed,
    "pull": pulled,
}
_NEVER_PUBLISHED = (
    *(REFUSAL, LOOP, f"“{INVENTED}", "Im Hafen", "<think>", "```", "Let me know"),
    *("Zusammenfassung", "[99999]", "Do not pad"),
)
_CELLS = [(how_long, way) for how_long in _TRIES for way in _WAYS]


@cache
def spoken() -> str:
    return "\n".join(f"{each.speaker}: {each.text}" for each in transcript().all)


@cache
def outcome(habit: str, how_long: str, way: str, mode: str) -> Outcome:
    model = FakeModel(habit=always(HABITS[habit], tries=_TRIES[how_long]))
    return _MODES[mode](spoken(), model, a_request(words=_WAYS[way]))


def in_words(came: Outcome) -> str:
    if came.code:
        return f"failed: `{came.code}` after {came.calls} calls"
    writing = came.writing
    told = [f"published, {writing['words']:,} of {writing['target_words']:,} words"]
    told += [
        f"`{code}` {what}" + (f" ({count})" if count else "")
        for code, (what, count) in came.checks.items()
    ]
    if dropped := writing["quotes_dropped"]:
        told.append(f"{dropped} quotes dropped" if dropped > 1 else "1 quote dropped")
    return "; ".join(told)


def cell(habit: str, how_long: str, way: str) -> str:
    by_mode = {mode: in_words(outcome(habit, how_long, way, mode)) for mode in _MODES}
    if len(set(by_mode.values())) == 1:
        return by_mode["push"]
    return "<br>".join(f"{mode}: {told}" for mode, told in by_mode.items())


def table() -> str:
    header = ["A model that", *(f"{how_long}, {way}" for how_long, way in _CELLS)]
    rows = [[habit, *(cell(habit, *each) for each in _CELLS)] for habit in HABITS]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def reasons() -> str:
    """Return what a job's record says, for each way to fail that is in the table."""
    told: dict[str, set[str]] = {}
    for habit in HABITS:
        for each in _CELLS:
            for mode in _MODES:
                came = outcome(habit, *each, mode)
                if came.code:
                    told.setdefault(came.code, set()).add(f"{mode}: {came.reason}")
    return "\n".join(
        f"- `{code}`\n" + "\n".join(f"  - {reason}" for reason in sorted(told[code]))
        for code in sorted(told)
    )


def test_the_page_says_what_becomes_of_each_habit(request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, made in (("table", table()), ("reasons", reasons())):
        begin, end = f"<!-- {name}: made by a test, from here -->", "<!-- to here -->"
        before, found, rest = page.partition(begin)
        assert found
        page = f"{before}{begin}\n{made}\n{end}{rest.partition(end)[2]}"

    if request.config.getoption("--write-golden"):
        PAGE.write_text(page, encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == page


@pytest.mark.parametrize(("how_long", "way"), _CELLS)
@pytest.mark.parametrize("habit", HABITS)
def test_push_and_pull_publish_the_same_text_with_the_same_checks_or_fail_alike(
    habit: str, how_long: str, way: str
) -> None:
    push, pull = (outcome(habit, how_long, way, mode) for mode in _MODES)

    assert (push.text, push.checks, push.code) == (pull.text, pull.checks, pull.code)


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize(("how_long", "way"), _CELLS)
@pytest.mark.parametrize("habit", HABITS)
def test_nothing_that_a_bad_habit_wrote_is_published(
    habit: str, how_long: str, way: str, mode: str
) -> None:
    text = outcome(habit, how_long, way, mode).text

    assert [words for words in _NEVER_PUBLISHED if words in text] == []


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize(("how_long", "way"), _CELLS)
@pytest.mark.parametrize("habit", HABITS)
def test_a_job_that_fails_says_why_and_what_to_do(
    habit: str, how_long: str, way: str, mode: str
) -> None:
    came = outcome(habit, how_long, way, mode)

    if came.code:
        assert came.code in FAILURES
        assert re.search(r"[;,] \w+ ", came.reason)

"""docs/habits.md says what becomes of each bad habit of a model: this test makes its table.

pytest tests/unit/summaries/test_habits_page.py --write-golden      # writes it anew; review the diff
"""

from functools import cache
from pathlib import Path

import pytest

from core.summaries.facts import Facts, Outcome
from core.summaries.rounds import Finished
from tests.unit.summaries.builders import a_goal, drive
from tests.writing_habits import HABITS, INVENTED, LOOP, REFUSAL
from tests.writing_model import Drive, WritingModel, always

PAGE = Path(__file__).parents[3] / "docs" / "habits.md"
_BEGIN, _END = "<!-- made by a test, from here -->", "<!-- to here -->"
_WAYS = {"by an outline": 1_500, "in one answer": 500}
_NEVER_PUBLISHED = (
    *(
        REFUSAL,
        LOOP,
        f"“{INVENTED}",
        "Im Hafen",
        "<think>",
        "```",
        "Let me know",
        "Zusammenfassung",
    ),
    *("[99999]", "Do not pad"),
)


@cache
def driven_with(habit: str, way: str, tries: int) -> Drive:
    model = WritingModel(habit=always(HABITS[habit], tries=tries))
    return drive(model, goal=a_goal(_WAYS[way]))


def outcome(done: Drive) -> str:
    if not isinstance(done.end, Finished):
        return f"failed: `{done.end.code}` after {done.end.facts.cost.calls} calls"
    facts = done.end.facts
    told = [f"published, {facts.words:,} of {facts.target_words:,} words", *_checks(facts)]
    if facts.quotes_dropped:
        told.append(f"{facts.quotes_dropped} quotes dropped")
    return "; ".join(told)


def _checks(facts: Facts) -> list[str]:
    return [
        f"`{check.code}` {check.outcome}" + (f" ({check.count})" if check.count else "")
        for check in facts.checks
        if check.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    ]


def table() -> str:
    header = [
        "A model that",
        *(f"at first, {way}" for way in _WAYS),
        *(f"always, {way}" for way in _WAYS),
    ]
    rows = [
        [habit, *(outcome(driven_with(habit, way, tries)) for tries in (1, 99) for way in _WAYS)]
        for habit in HABITS
    ]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def test_the_page_says_what_becomes_of_each_habit(request: pytest.FixtureRequest) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page = f"{before}{_BEGIN}\n{table()}\n{_END}{after}"

    if request.config.getoption("--write-golden"):
        PAGE.write_text(page, encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == page


@pytest.mark.parametrize("tries", [1, 99], ids=["at first", "always"])
@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("habit", HABITS)
def test_nothing_that_a_bad_habit_wrote_is_published(habit: str, way: str, tries: int) -> None:
    done = driven_with(habit, way, tries)

    if isinstance(done.end, Finished):
        assert [words for words in _NEVER_PUBLISHED if words in done.end.text] == []

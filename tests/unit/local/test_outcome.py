"""How the checks of a summary ended, for a person."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.summaries.facts import Outcome
from local.outcome import outcome_lines
from tests.unit.summaries.builders import a_goal, drive, transcript


def check(code: str, outcome: Outcome, count: int = 0) -> Mapping[str, Any]:
    return {"code": code, "outcome": str(outcome), "count": count, "detail": ""}


def lines_of(*checks: Mapping[str, Any], **facts: Any) -> tuple[str, str]:
    return outcome_lines({"words": 500, "checks": list(checks), **facts})


def test_what_was_found_is_sorted_by_how_it_ended() -> None:
    _, found = lines_of(
        check("refusal", Outcome.MENDED, 2),
        check("number", Outcome.NOTED, 1),
        check("length", Outcome.DOUBT),
        check("loop", Outcome.PASSED),
        check("other-language", Outcome.NOT_APPLICABLE),
    )

    assert found == (
        "In doubt: a length far from what was asked for. Mended: 2 refused answers."
        " Worth a look: 1 figure not said in their turns."
    )


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.PASSED, "every turn covered"),
        (Outcome.NOT_APPLICABLE, "written in one answer"),
    ],
)
def test_only_what_was_checked_is_said_to_be_covered(outcome: Outcome, told: str) -> None:
    first, _ = lines_of(check("missing-topic", outcome), quotes_verified=1)

    assert first == f"1 quote verified, 0 dropped; {told}; 500 words"


def test_what_was_asked_for_again_is_counted() -> None:
    assert lines_of(tries={"outline": 2, "section-1.1": 3})[1] == "Asked again: 3 answers."


def test_quotes_that_nobody_said_are_in_doubt_where_they_are_most_of_them() -> None:
    _, found = lines_of(check("quote", Outcome.DOUBT, 20), quotes_dropped=20)

    assert found == "In doubt: most of its quotes, which nobody said."
    assert lines_of(check("quote", Outcome.MENDED, 1))[1] == "Nothing to mend, nothing in doubt."


@pytest.mark.parametrize("words", [500, 4_000], ids=["one answer", "an outline"])
def test_every_check_of_a_summary_has_words_for_a_person(words: int) -> None:
    checks = drive(passages=transcript(300), goal=a_goal(words)).finished.facts.checks

    told = [lines_of(check(each.code, Outcome.DOUBT, 2))[1] for each in checks]

    assert [
        each.code
        for each, line in zip(checks, told, strict=True)
        if each.code != "missing-topic" and line == f"In doubt: {each.code}."
    ] == []


def test_a_check_that_nobody_put_into_words_is_named_by_its_code() -> None:
    assert lines_of(check("a-new-one", Outcome.DOUBT, 3))[1] == "In doubt: a-new-one."


def test_facts_without_checks_are_no_reason_to_fail() -> None:
    assert outcome_lines({}) == (
        "0 quotes verified, 0 dropped; written in one answer; 0 words",
        "Nothing to mend, nothing in doubt.",
    )

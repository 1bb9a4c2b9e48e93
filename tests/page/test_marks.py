"""Where a check's finding stands, found again in summary and transcript: it is what the check counted."""

from dataclasses import replace

from cli.operating.exports.about import about
from cli.operating.exports.linked import linked_parts
from cli.page.marks import check_fields, unsaid_figures, untold_stretches
from core.summaries.facts import Check, Outcome
from core.summaries.passages import Passages, numbered
from core.summaries.reporting import coverage_check, number_check
from core.summaries.sections import Paragraph
from core.transcripts.turns import Turn
from tests.builders import a_job, a_summary

SAID = numbered(
    (
        Turn("Ann", "The wall costs 19,000 euros."),
        Turn("Bo", "Nine pumps hold until 2030."),
        Turn("Ann", "Then we buy two."),
    )
)
TEXTS = {
    "It costs 19 000 and holds until 2031.": (1, 2),
    "Nine pumps, or 9, were seen in 40 places. [00:00:09]": (2,),
    "Two are bought.": (3,),
}


def facts_of(outcome: Outcome) -> list[dict[str, object]]:
    return [{"code": "number", "outcome": str(outcome), "count": 2}]


def unsaid(
    checks: list[dict[str, object]], passages: Passages | None = SAID
) -> dict[int, list[str]]:
    sources = [
        {"kind": "paragraph", "section": "1", "turns": list(turns), "starts_at": None}
        for turns in TEXTS.values()
    ]
    job = replace(a_job(), summary=a_summary())
    told = about(job, "\n\n".join(TEXTS), {"writing": {"sources": sources, "checks": checks}})
    return unsaid_figures(list(linked_parts(told, last=3)), passages, checks)


def test_figures_that_no_turn_holds_are_marked_at_their_paragraph() -> None:
    assert unsaid(facts_of(Outcome.NOTED)) == {1: ["2031"], 2: ["40"]}


def test_as_many_are_marked_as_the_check_has_counted() -> None:
    paragraphs = [
        Paragraph(text=text.split(" [")[0], passages=turns, words=9)
        for text, turns in TEXTS.items()
    ]

    counted = number_check(paragraphs, SAID).count

    assert counted == sum(len(each) for each in unsaid(facts_of(Outcome.NOTED)).values())


def test_nothing_is_marked_where_the_check_passed_or_no_transcript_is_there() -> None:
    assert unsaid(facts_of(Outcome.PASSED)) == {}
    assert unsaid(facts_of(Outcome.NOTED), None) == {}


def test_the_stretches_are_those_that_the_check_of_coverage_names() -> None:
    turns = tuple(Turn("Ann", f"Word{number} " * 140) for number in range(20))
    check = coverage_check([(range(1, 21), {1, 20})], numbered(turns))

    (stretch,) = untold_stretches([{**vars(check), "outcome": str(check.outcome)}])

    assert stretch == (2, 19)
    assert untold_stretches([{"code": "coverage", "outcome": "passed", "detail": ""}]) == []


def test_checks_come_the_worst_first_and_in_words() -> None:
    checks = [
        Check(code="number", outcome=Outcome.NOTED, count=1),
        Check(code="loop", outcome=Outcome.PASSED),
        Check(code="length", outcome=Outcome.DOUBT, detail="9 words; 99 were asked for"),
        Check(code="quote", outcome=Outcome.MENDED, count=1, detail="3 verified, 1 dropped"),
    ]

    told = check_fields([{**vars(check), "outcome": str(check.outcome)} for check in checks])

    assert [each["code"] for each in told] == ["length", "number", "quote", "loop"]
    assert told[0]["words"] == "a length far from what was asked for; 9 words; 99 were asked for"
    assert told[1]["words"] == "1 figure not said in their turns"
    assert told[2]["words"] == "3 verified, 1 dropped"


def test_checks_that_are_no_checks_are_left_out() -> None:
    assert check_fields([{"code": "x", "outcome": "new"}, {"outcome": "doubt"}]) == []

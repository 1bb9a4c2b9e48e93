"""What becomes of a summary when its model has a bad habit: it is mended, or given up with a reason."""

import json
import re

import pytest

from core.summaries.asks import Answer, Ask, AskKind
from core.summaries.engine import next_round
from core.summaries.facts import Check, Facts, Outcome
from core.summaries.finishing import missing_topics
from core.summaries.options import Strategy
from core.summaries.rounds import PastRound, Round
from tests.unit.summaries.builders import a_goal, drive, some_limits, transcript
from tests.writing_habits import (
    GERMAN,
    REFUSAL,
    Habit,
    headings_only,
    looping,
    refusing,
    repeating_the_prompt,
    silent,
    skipping_half,
    speaking_german,
    thinking_only,
)
from tests.writing_model import WritingModel, always, obedient, proportional

HARD: dict[str, Habit] = {
    "refusal": refusing,
    "loop": looping,
    "prompt-repeated": repeating_the_prompt,
    "other-language": speaking_german,
    "empty-structure": headings_only,
}
habits = pytest.mark.parametrize("code", HARD)


@habits
def test_a_section_with_a_bad_answer_is_asked_for_again_and_told_why(code: str) -> None:
    habit = always(HARD[code], slots="section-2.1", tries=1)

    done = drive(WritingModel(habit=habit))

    again = next(ask for ask in done.asks if ask.name == "section-2.1-try2")
    assert "An earlier answer to this" in again.instructions
    assert again.seed != 1
    outcome = {check.code: check for check in done.finished.facts.checks}[code]
    assert (outcome.outcome, outcome.count) == (Outcome.MENDED, 1)


@habits
def test_nothing_of_a_bad_answer_is_published(code: str) -> None:
    habit = always(HARD[code], slots="section-2.1|overview", tries=1)

    text = drive(WritingModel(habit=habit)).finished.text

    for words in (REFUSAL, "nobody knows why", "Do not pad", "Hafen"):
        assert words not in text


@habits
def test_a_summary_one_of_whose_sections_stays_bad_fails_and_says_why(code: str) -> None:
    habit = always(HARD[code], slots="section-2.1")

    given_up = drive(WritingModel(habit=habit), limits=some_limits(token_budget=4)).given_up

    assert given_up.code == "model-unusable"
    assert "1 of" in given_up.message
    assert code.replace("empty-structure", "empty") in given_up.message


@habits
def test_one_answer_that_stays_bad_fails(code: str) -> None:
    done = drive(WritingModel(habit=always(HARD[code])), goal=a_goal(500))

    assert done.given_up.code in ("model-unusable", "model-declined")


@pytest.mark.parametrize("habit", [refusing, looping, silent, thinking_only])
@pytest.mark.parametrize("context_tokens", [8_192, 131_072])
def test_a_hopeless_model_is_given_up_after_a_few_calls(habit: Habit, context_tokens: int) -> None:
    done = drive(
        WritingModel(habit=always(habit)),
        passages=transcript(1_000),
        goal=a_goal(4_000),
        limits=some_limits(context_tokens),
    )

    assert done.given_up.code in ("model-declined", "model-unusable")
    assert len(done.asks) <= 40


def test_where_the_outline_is_declined_three_sections_are_tried_before_the_rest() -> None:
    habit = always(refusing, AskKind.OUTLINE)

    done = drive(WritingModel(habit=habit), goal=a_goal(4_000), passages=transcript(300))

    assert [len(past.round.asks) for past in done.history[:3]] == [1, 1, 3]
    assert done.finished.facts.outline_by == "code"


def test_a_model_that_declines_everything_costs_five_calls() -> None:
    done = drive(WritingModel(habit=always(refusing)), goal=a_goal(4_000), passages=transcript(300))

    assert done.given_up.code == "model-declined"
    assert len(done.asks) == 5
    assert "another model" in done.given_up.message


@pytest.mark.parametrize(
    "wrap",
    [
        "```json\n%s\n```",
        "Here is the outline you asked for:\n\n%s\n\nLet me know!",
        "<think>Hm {</think>%s",
    ],
)
def test_an_outline_is_understood_whatever_stands_around_it(wrap: str) -> None:
    habit = always(lambda ask, text: wrap % text, AskKind.OUTLINE, AskKind.LEDGER)

    done = drive(WritingModel(habit=habit))

    assert done.finished.facts.outline_by == "model"
    assert len([ask for ask in done.asks if ask.kind is AskKind.OUTLINE]) == 1


def test_an_outline_that_stays_malformed_is_made_by_code() -> None:
    done = drive(WritingModel(habit=always(lambda ask, text: '{"title": ', AskKind.OUTLINE)))

    assert len([ask for ask in done.asks if ask.kind is AskKind.OUTLINE]) == 2
    assert done.finished.facts.outline_by == "code"


def test_a_ledger_that_stays_malformed_is_left_out_and_stands_as_a_doubt() -> None:
    habit = always(lambda ask, text: "No decisions.", slots="ledger-1-decisions")

    facts = drive(WritingModel(habit=habit)).finished.facts

    assert {check.code: check.outcome for check in facts.checks}["ledger"] is Outcome.DOUBT
    assert facts.doubts == 1


def test_an_overview_that_never_comes_is_made_of_the_sections() -> None:
    done = drive(WritingModel(habit=always(refusing, AskKind.OVERVIEW)))

    overview = done.finished.text.split("## Overview")[1].split("##")[0]
    assert len(overview.split()) > 20
    assert {check.code: check.outcome for check in done.finished.facts.checks}[
        "overview"
    ] is Outcome.DOUBT


def test_a_section_that_is_too_short_is_gone_on_with_and_nothing_is_thrown_away() -> None:
    habit = always(
        lambda ask, text: " ".join(text.split()[:40]) + ". [1]", slots="section-2.1", tries=1
    )
    done = drive(WritingModel(habit=habit))

    again = next(ask for ask in done.asks if ask.name == "section-2.1-try2")
    assert again.adds_to
    assert done.finished.facts.cost.discarded_tokens == 0
    assert done.finished.facts.chosen["section-2.1"] == (1, 2)


def test_a_cut_off_section_ends_with_a_whole_sentence() -> None:
    def rambling(ask: Ask, text: str) -> str:
        points = (f"Then {n} came up and Ann counted {n * 7} of {n * 13} boats." for n in range(99))
        return f"{text} {' '.join(points)}"

    habit = always(rambling, slots="section-2.1")

    text = drive(WritingModel(habit=habit)).finished.text

    for block in text.split("\n\n"):
        if not block.startswith(("#", "-", ">")):
            assert block.rstrip().endswith((".", "?", "!")), block[-60:]


def test_sections_that_all_ran_into_max_tokens_end_with_whole_sentences() -> None:
    done = drive(WritingModel(tokens_per_word=3.5))

    cut = [name for past in done.history for name, each in past.answers.items() if each.was_cut]
    assert len([name for name in cut if name.startswith("section")]) > 3
    for block in done.finished.text.split("\n\n"):
        if not block.startswith(("#", "-", ">")):
            assert block.rstrip().endswith((".", "?", "!")), block[-60:]


def test_invented_quotes_are_dropped_and_counted() -> None:
    def inventing(ask: Ask, text: str) -> str:
        fields = json.loads(text)
        for quote in fields.get("quotes", []):
            quote["words"] = "We shall never surrender this harbour to the bankers"
        return json.dumps(fields)

    facts = drive(WritingModel(habit=always(inventing, AskKind.LEDGER))).finished

    assert "surrender" not in facts.text
    assert facts.facts.quotes_verified == 0
    assert facts.facts.quotes_dropped > 0
    assert (
        check_of(facts.facts, "quote").outcome is Outcome.DOUBT
    )  # none of its quotes holds: what else does not?


def test_an_invented_quotation_in_a_section_loses_its_marks() -> None:
    said = "Ann said “we shall never surrender this harbour to the bankers” and sat down. [1]"
    habit = always(lambda ask, text: f"{text}\n\n{said}", slots="section-1.1", tries=1)

    finished = drive(WritingModel(habit=habit)).finished

    assert "Ann said we shall never surrender" in finished.text
    assert finished.facts.quotes_dropped == 1


def test_numbers_of_turns_that_were_not_shown_are_left_out_and_counted() -> None:
    habit = always(lambda ask, text: re.sub(r"\[\d+\]", "[99999]", text), slots="section-1.1")

    facts = drive(WritingModel(habit=habit)).finished.facts

    check = {check.code: check for check in facts.checks}["turn-number"]
    assert check.outcome is Outcome.MENDED
    assert all(number < 1_000 for source in facts.sources for number in source.turns)


def test_figures_that_nobody_said_are_noted() -> None:
    habit = always(lambda ask, text: text.replace("said", "said 4711"), slots="section-1.1")

    facts = drive(WritingModel(habit=habit)).finished.facts

    assert {check.code: check.outcome for check in facts.checks}["number"] is Outcome.NOTED


def test_a_model_that_never_cites_still_leads_to_sources() -> None:
    habit = always(lambda ask, text: re.sub(r" \[\d+\]", "", text), AskKind.SECTION)

    facts = drive(WritingModel(habit=habit)).finished.facts

    cited = [source for source in facts.sources if source.kind == "paragraph" and source.turns]
    assert len(cited) > 0.8 * len([s for s in facts.sources if s.kind == "paragraph"])


def test_a_call_that_failed_is_made_again() -> None:
    passages, goal, limits = transcript(), a_goal(), some_limits()
    done = drive()
    failed = dict(done.history[1].answers) | {"section-1.1": Answer(failure="model-failed")}

    history = [done.history[0], PastRound(round=done.history[1].round, answers=failed)]
    step = next_round(passages, goal, limits, history)

    assert isinstance(step, Round)
    assert [ask.name for ask in step.asks] == ["section-1.1-try2"]


def test_an_endpoint_that_refuses_a_schema_is_asked_without_one() -> None:
    passages, goal, limits = transcript(), a_goal(), some_limits()
    first = drive().history[0].round
    failed = PastRound(round=first, answers={"outline": Answer(failure="model-refused")})

    step = next_round(passages, goal, limits, [failed])

    assert isinstance(step, Round)
    assert [(ask.name, ask.response_format) for ask in step.asks] == [("outline-try2", "")]


def test_a_better_first_answer_stands_though_others_followed() -> None:
    def worse(ask: Ask, text: str) -> str | None:
        return None if ask.seed == 1 else " ".join(text.split()[:30]) + "."

    goal = a_goal(2_000, strategy=Strategy.SINGLE)
    done = drive(
        WritingModel(length=proportional(0.5), habit=worse),
        goal=goal,
        limits=some_limits(token_budget=9),
    )

    assert done.finished.facts.words > 900
    assert done.finished.facts.chosen == {"single": (1,)}


def test_a_fence_a_preface_and_a_closing_remark_are_not_published() -> None:
    def chatty(ask: Ask, text: str) -> str:
        return f"Sure! Here is the section:\n\n```markdown\n{text}\n```\n\nLet me know if you need more!"

    text = drive(WritingModel(habit=always(chatty))).finished.text

    for remark in ("Sure", "```", "Let me know"):
        assert remark not in text


def test_headings_that_a_section_brings_along_are_left_out() -> None:
    def titled(ask: Ask, text: str) -> str:
        return f"## My section\n\n**Introduction**\n\n{text}"

    text = drive(WritingModel(habit=always(titled, AskKind.SECTION))).finished.text

    assert "My section" not in text
    assert "Introduction" not in text


MIXED: Habit = lambda ask, text: HARD[sorted(HARD)[len(ask.name) % 5]](ask, text)  # noqa: E731


def test_whatever_a_model_does_a_summary_ends() -> None:
    for tries in (0, 1, 2, 3):
        done = drive(WritingModel(length=obedient, habit=always(MIXED, tries=tries)))

        assert len(done.history) <= 30


def test_a_ledger_in_another_language_is_asked_for_again() -> None:
    def german(ask: Ask, text: str) -> str:
        fields = {"decisions": [{"what": GERMAN, "who": "", "why": "", "turn": 1}]}
        return json.dumps(fields)

    done = drive(WritingModel(habit=always(german, slots="ledger-1-decisions", tries=1)))

    assert "ledger-1-decisions-try2" in [ask.name for ask in done.asks]
    assert "Hafen" not in done.finished.text


def test_a_model_that_writes_too_much_does_not_fail_for_one_bad_answer() -> None:
    habit = always(refusing, slots="section-2.1", tries=1)

    done = drive(
        WritingModel(length=proportional(1.8), habit=habit),
        goal=a_goal(4_000),
        passages=transcript(300),
    )

    assert done.finished.facts.words == pytest.approx(4_000, rel=0.1)


def test_a_part_that_could_not_be_noted_is_noted_by_code() -> None:
    habit = always(looping, slots="notes-1-2")

    done = drive(
        WritingModel(habit=habit), passages=transcript(300), goal=a_goal(4_000),
        limits=some_limits(8_192),
    )  # fmt: skip

    outline = next(ask for ask in done.asks if ask.kind is AskKind.OUTLINE)
    second = next(ask for ask in done.asks if ask.slot == "notes-1-2")
    first_of_it = second.passages[0][0]
    assert f"[{first_of_it}] " in outline.blocks[0].text
    assert done.finished.facts.words == pytest.approx(4_000, rel=0.1)


def test_one_answer_that_is_too_long_loses_last_sentences() -> None:
    done = drive(WritingModel(length=proportional(1.4)), goal=a_goal(600))

    assert done.finished.facts.words <= 660
    assert done.finished.facts.cost.calls == 1


def test_a_document_that_left_out_a_topic_would_be_seen() -> None:
    done = drive()
    outline = done.history[-1].round.plan.outline
    assert outline is not None
    text = done.finished.text
    second = text.index(f"### {outline.topics[1].title}")
    third = text.index(f"### {outline.topics[2].title}")
    heading_alone = f"### {outline.topics[1].title}\n\n"

    assert missing_topics(text, outline) == 0
    assert missing_topics(text[:second] + text[third:], outline) == 1
    assert missing_topics(text[:second] + heading_alone + text[third:], outline) == 1


def test_a_stretch_that_nothing_rests_on_is_noted_with_its_turns() -> None:
    honest = drive().finished.facts
    skipping = drive(WritingModel(habit=always(skipping_half, AskKind.SECTION))).finished.facts

    assert check_of(honest, "coverage").outcome is Outcome.PASSED
    found = check_of(skipping, "coverage")
    assert found.outcome is Outcome.NOTED
    assert re.fullmatch(r"no paragraph rests on turns \d+-\d+(, \d+-\d+)*", found.detail)


def check_of(facts: Facts, code: str) -> Check:
    (check,) = (check for check in facts.checks if check.code == code)
    return check

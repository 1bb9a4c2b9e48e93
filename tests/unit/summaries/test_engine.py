import json
import re
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.summaries.asks import AskKind
from core.summaries.document import clock
from core.summaries.engine import next_round
from core.summaries.facts import Outcome
from core.summaries.messages import prompt_tokens
from core.summaries.options import Strategy, SummaryOptions
from core.summaries.passages import numbers_of
from core.summaries.rounds import PastRound, past_round_in, round_in
from core.words import count_words
from tests.unit.summaries.builders import a_goal, drive, some_limits, transcript
from tests.writing_model import Drive, WritingModel, obedient, proportional, saturating

MODELS = {
    "obedient": obedient,
    "saturating at 1,000": saturating(1_000),
    "writing 0.4": proportional(0.4),
    "writing 0.6": proportional(0.6),
    "writing 1.6": proportional(1.6),
}
OPTIONS = SummaryOptions(words=4_000, model="m", max_tokens=6_000, temperature=0.2, top_p=0.9)
CONTEXTS = (8_192, 32_768, 131_072)


def read_by(drive: Drive, *kinds: AskKind) -> list[int]:
    return [n for ask in drive.asks if ask.kind in kinds for n in numbers_of(ask.passages)]


def test_outline_then_sections_and_ledger_at_once_then_the_overview() -> None:
    kinds = [{ask.kind for ask in past.round.asks} for past in drive().history]

    assert kinds == [{AskKind.OUTLINE}, {AskKind.SECTION, AskKind.LEDGER}, {AskKind.OVERVIEW}]


@pytest.mark.parametrize("context_tokens", CONTEXTS)
@pytest.mark.parametrize("length", MODELS.values(), ids=MODELS)
def test_a_summary_has_its_length_whatever_the_model_makes_of_an_ask(
    length: object, context_tokens: int
) -> None:
    done = drive(
        WritingModel(length=length),  # type: ignore[arg-type]
        passages=transcript(300),
        goal=a_goal(4_000),
        limits=some_limits(context_tokens),
    )

    assert done.finished.facts.words == count_words(done.finished.text)
    assert 3_600 <= done.finished.facts.words <= 4_400


@settings(max_examples=25, deadline=None)
@given(
    turns=st.integers(2, 150),
    words=st.integers(120, 4_000),
    context_tokens=st.sampled_from((6_000, *CONTEXTS)),
    topics=st.integers(1, 12),
)
def test_every_turn_is_in_the_material_of_one_section(
    turns: int, words: int, context_tokens: int, topics: int
) -> None:
    passages = transcript(turns)
    goal = a_goal(min(words, passages.words // 3), strategy=Strategy.OUTLINE)

    done = drive(
        WritingModel(topics=topics),
        passages=passages,
        goal=goal,
        limits=some_limits(context_tokens),
    )

    first = [ask for ask in done.asks if ask.kind is AskKind.SECTION and ask.seed == 1]
    assert sorted(n for ask in first for n in numbers_of(ask.about)) == [*range(1, turns + 1)]
    noted = read_by(done, AskKind.NOTES)
    for ask in first:
        assert ask.passages == ask.about or set(numbers_of(ask.about)) <= set(noted)


@pytest.mark.parametrize("strategy", [Strategy.AUTO, Strategy.SINGLE])
@pytest.mark.parametrize("context_tokens", [8_192, 20_000, 22_000, 24_000, 32_768, 131_072])
def test_no_request_is_longer_than_the_context(context_tokens: int, strategy: Strategy) -> None:
    """Also where its prompt alone would just fit."""
    passages = transcript(300)
    goal = a_goal(4_000, strategy=strategy)

    done = drive(passages=passages, goal=goal, limits=some_limits(context_tokens))

    assert all(prompt_tokens(a, passages) + a.max_tokens <= context_tokens for a in done.asks)


def test_the_same_history_gives_the_same_step() -> None:
    passages, goal, limits = transcript(), a_goal(), some_limits()
    done = drive(WritingModel(length=proportional(0.4)), passages=passages)

    for at, past in enumerate(done.history):
        assert next_round(passages, goal, limits, done.history[:at]) == past.round


def test_a_job_goes_on_from_what_was_stored() -> None:
    passages, goal, limits = transcript(), a_goal(), some_limits()
    done = drive(WritingModel(length=proportional(0.4)), passages=passages)

    stored = [past_round_in(json.loads(json.dumps(past.as_fields()))) for past in done.history]

    assert stored == done.history
    assert next_round(passages, goal, limits, stored) == done.end


def test_a_round_comes_back_from_its_document_as_it_was() -> None:
    for past in drive(limits=some_limits(8_192), passages=transcript(300)).history:
        assert round_in(json.loads(json.dumps(past.round.as_fields()))) == past.round


def test_no_two_asks_of_a_job_have_the_same_name() -> None:
    names = [ask.name for ask in drive(WritingModel(length=proportional(0.4))).asks]

    assert len(names) == len(set(names))


def test_a_short_summary_is_one_call() -> None:
    done = drive(goal=a_goal(500))

    assert [ask.kind for ask in done.asks] == [AskKind.SINGLE]
    assert done.finished.facts.way == "single"
    assert done.finished.facts.words == pytest.approx(500, rel=0.15)


@pytest.mark.parametrize("language", ["", "English"])
def test_one_answer_for_a_long_summary_is_made_where_it_is_asked_for(language: str) -> None:
    goal = a_goal(4_000, strategy=Strategy.SINGLE, language=language)

    done = drive(passages=transcript(300), goal=goal)

    assert [(ask.kind, ask.words, ask.max_tokens) for ask in done.asks] == [
        (AskKind.SINGLE, 4_000, 6_000)
    ]


def test_one_answer_too_large_for_the_context_becomes_an_outline_and_says_so() -> None:
    goal = a_goal(4_000, strategy=Strategy.SINGLE)

    done = drive(passages=transcript(300), goal=goal, limits=some_limits(8_192))

    assert done.finished.facts.way == "outline"
    assert done.finished.facts.remarks == ("single-does-not-fit",)


def test_a_transcript_too_long_for_the_context_is_noted_first_and_sections_read_its_turns() -> None:
    done = drive(passages=transcript(300), goal=a_goal(4_000), limits=some_limits(8_192))

    assert done.asks[0].kind is AskKind.NOTES
    assert sorted(set(read_by(done, AskKind.SECTION))) == list(range(1, 301))
    assert sorted(read_by(done, AskKind.NOTES)) == list(range(1, 301))


def test_an_endpoint_that_serves_less_than_it_says_is_asked_less() -> None:
    passages = transcript(300)
    model = WritingModel(context_tokens=12_000)

    done = drive(model, passages=passages, goal=a_goal(4_000), limits=some_limits(32_768))

    assert done.finished.facts.words == pytest.approx(4_000, rel=0.1)


def test_an_endpoint_that_serves_next_to_nothing_fails_with_what_to_set() -> None:
    done = drive(WritingModel(context_tokens=500))

    assert done.given_up.code == "context-length"
    assert "MaxModelLenTokens" in done.given_up.message
    assert len(done.history) < 30


def test_a_document_has_each_part_once_and_in_order() -> None:
    headings = [line for line in drive().finished.text.splitlines() if line.startswith("#")]

    assert headings[0].startswith("# ")
    assert [h for h in headings if h.startswith("## ")] == [
        "## Overview", "## Topics", "## Decisions", "## Action items", "## Open questions",
        "## Notable quotes",
    ]  # fmt: skip
    topics = drive().finished.facts.topics
    assert len([h for h in headings if h.startswith("### ")]) == topics > 1


def test_minutes_have_their_own_headings_and_no_quotes() -> None:
    done = drive(goal=a_goal(prompts="minutes"))

    assert "## Resolutions" in done.finished.text
    assert "## Notable quotes" not in done.finished.text
    assert not any("quotes" in ask.response_format for ask in done.asks)


def test_no_number_of_a_turn_is_left_in_the_text() -> None:
    assert "[" not in drive().finished.text


def test_times_come_from_the_turns_where_they_are_asked_for() -> None:
    passages = transcript(with_times=True)

    done = drive(passages=passages, goal=a_goal(with_times=True))

    sources = done.finished.facts.sources
    told = [each for each in sources if each.kind != "paragraph" or each.section != "overview"]
    stamps = [f"[{clock(each.starts_at or 0.0)}]" for each in told]
    assert len(stamps) > 20
    assert re.findall(r"\[\d\d:\d\d:\d\d\]$", done.finished.text, re.M) == stamps


def test_every_part_of_the_summary_names_the_turns_it_rests_on() -> None:
    facts = drive(passages=transcript(with_times=True)).finished.facts

    assert {source.kind for source in facts.sources} == {
        "paragraph", "decision", "action", "question", "quote"
    }  # fmt: skip
    assert all(source.turns and source.starts_at is not None for source in facts.sources)


def test_the_facts_sum_up_what_all_calls_cost() -> None:
    done = drive(WritingModel(length=proportional(0.6)))
    answers = [answer for past in done.history for answer in past.answers.values()]

    cost = done.finished.facts.cost

    assert (cost.rounds, cost.calls) == (len(done.history), len(answers))
    assert cost.generated_tokens == sum(each.completion_tokens for each in answers)
    assert cost.prompt_tokens == sum(each.prompt_tokens for each in answers)
    assert cost.discarded_tokens == 0


def test_an_obedient_model_passes_every_check() -> None:
    checks = {check.code: check.outcome for check in drive().finished.facts.checks}

    assert set(checks.values()) <= {Outcome.PASSED, Outcome.NOTED}
    assert drive().finished.facts.doubts == 0


def test_facts_are_json() -> None:
    fields = json.loads(json.dumps(drive().finished.facts.as_fields()))

    assert fields["cost"]["calls"] > 3
    assert fields["doubts"] == 0


def test_generated_tokens_stay_near_what_is_needed() -> None:
    done = drive(passages=transcript(300), goal=a_goal(4_000))

    assert done.finished.facts.cost.generated_tokens <= 1.35 * 4_000 * 1.3


def test_a_million_words_at_a_small_context_stay_bounded() -> None:
    passages = transcript(6_700, 150)
    model = WritingModel()

    done = drive(model, passages=passages, goal=a_goal(4_000), limits=some_limits(8_192))

    assert done.finished.facts.words == pytest.approx(4_000, rel=0.1)
    assert done.finished.facts.cost.calls < 700
    assert done.finished.facts.cost.rounds <= 12


def test_no_more_calls_are_made_than_are_allowed() -> None:
    done = drive(limits=some_limits(most_calls=5))

    assert done.given_up.code == "too-many-calls"
    assert len(done.asks) <= 5


def test_history_grows_by_one_round_at_a_time() -> None:
    rounds = [len(past.round.asks) for past in drive().history]

    assert list(accumulate(rounds))[-1] == drive().finished.facts.cost.calls
    assert all(isinstance(past, PastRound) for past in drive().history)


@pytest.mark.parametrize("words", [1, 2, 5, 20])
@pytest.mark.parametrize("strategy", Strategy)
def test_a_summary_of_hardly_a_word_is_made_too(words: int, strategy: Strategy) -> None:
    model = WritingModel(length=proportional(3))

    done = drive(model, passages=transcript(2, 5), goal=a_goal(words, strategy=strategy))

    assert done.finished.text

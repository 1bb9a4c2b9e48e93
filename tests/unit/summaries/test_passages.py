import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.summaries.passages import (
    LONGEST_PASSAGE_WORDS,
    numbered,
    numbers_of,
    passages_in,
    ranges_of,
)
from core.summaries.tokens import estimate_tokens
from core.transcripts.turns import Turn
from core.words import count_words

TURNS = st.lists(
    st.builds(
        Turn,
        speaker=st.sampled_from(["", "Ann", "Bo", "Çelik"]),
        text=st.text(st.sampled_from("ab .?!。字\u0e01'"), min_size=1, max_size=2_000),
        starts_at=st.none() | st.timedeltas(timedelta(0), timedelta(hours=9)),
    ),
    max_size=8,
)


@given(TURNS)
def test_every_letter_of_every_turn_is_in_one_passage_in_order(turns: list[Turn]) -> None:
    told = "".join("".join(turn.text.split()) for turn in turns)

    assert "".join("".join(each.text.split()) for each in numbered(turns).all) == told


@given(TURNS)
def test_no_passage_is_longer_than_a_model_can_cite(turns: list[Turn]) -> None:
    assert all(each.words <= LONGEST_PASSAGE_WORDS for each in numbered(turns).all)


@given(TURNS)
def test_passages_come_back_from_their_document_as_they_were(turns: list[Turn]) -> None:
    passages = numbered(turns)

    assert passages_in(json.loads(json.dumps(passages.as_fields()))) == passages


def test_a_long_turn_is_cut_where_a_sentence_ends() -> None:
    sentence = "We lose two crossings a week and nobody tells the harbour. "

    passages = numbered([Turn("Ann", sentence * 40)])

    assert passages.last > 1
    assert all(each.text.endswith("harbour.") for each in passages.all)


def test_a_turn_without_a_full_stop_is_cut_all_the_same() -> None:
    passages = numbered([Turn("Ann", "so " * 400)])

    assert [each.words for each in passages.all] == [150, 150, 100]


def test_a_passage_shows_its_number_and_who_speaks() -> None:
    passages = numbered([Turn("Ann", "Two crossings."), Turn("", "Noted.")])

    assert [each.line for each in passages.all] == ["[1] Ann: Two crossings.", "[2] Noted."]


def test_a_passage_begins_with_its_turn_and_ends_where_the_next_one_begins() -> None:
    first, second = timedelta(seconds=3), timedelta(seconds=65)

    passages = numbered([Turn("Ann", "Yes.", first), Turn("Bo", "No.", second)])

    assert [(each.starts_at, each.ends_at) for each in passages.all] == [(3, 65), (65, None)]


def test_a_transcript_without_times_has_passages_without_times() -> None:
    assert numbered([Turn("Ann", "Yes.")])[1].starts_at is None


def test_what_a_passage_costs_is_what_its_line_costs() -> None:
    passage = numbered([Turn("Ann", "We lose two crossings.")])[1]

    assert passage.tokens >= estimate_tokens(passage.line)


def test_who_says_most_is_named_first() -> None:
    turns = [Turn("Ann", "Yes."), Turn("Bo", "No, not at all."), Turn("", "Somebody coughs aloud.")]

    assert numbered(turns).speakers == ("Bo", "Ann")


def test_there_is_no_passage_before_the_first() -> None:
    with pytest.raises(IndexError):
        numbered([Turn("Ann", "Yes.")])[0]


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_the_numbers_they_were_made_of(numbers: set[int]) -> None:
    assert numbers_of(ranges_of(sorted(numbers))) == sorted(numbers)


def test_neighbouring_numbers_are_one_range() -> None:
    assert ranges_of([1, 2, 3, 7, 9, 10]) == ((1, 3), (7, 7), (9, 10))


def test_a_sentence_of_han_characters_is_cut_too() -> None:
    passages = numbered([Turn("", "字" * 500)])

    assert sum(count_words(each.text) for each in passages.all) == 500

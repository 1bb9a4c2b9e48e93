from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.transcripts.turns import (
    Segment,
    Turn,
    fullest,
    known_seconds,
    merged,
    seconds_of_clock,
    segments_of_words,
    speaker_name,
    verbatim,
)


def test_what_one_speaker_says_becomes_one_turn() -> None:
    turns = merged(
        [Segment("Ann", "a", 1.0, 2.0), Segment("Ann", "b", 2.0, 3.0), Segment("Bo", "c")]
    )

    assert turns == (Turn("Ann", "a b", timedelta(seconds=1)), Turn("Bo", "c"))


def test_a_long_speech_is_cut_behind_sentences() -> None:
    turns = merged([Segment("Ann", f"This is the sentence number {n}.") for n in range(2_000)])

    assert all(turn.text.endswith(".") for turn in turns)
    assert all(150 < len(turn.text.split()) < 250 for turn in turns[:-1])
    assert {turn.speaker for turn in turns} == {"Ann"}


def test_speech_without_sentences_is_cut_all_the_same() -> None:
    turns = merged(Segment("", "and so on") for _ in range(5_000))

    assert max(len(turn.text) for turn in turns) <= 1_800


def test_one_endless_remark_is_cut_behind_sentences() -> None:
    turns = merged([Segment("", "The pump holds water well. " * 5_000)])

    assert all(turn.text.endswith("well.") for turn in turns)
    assert max(len(turn.text) for turn in turns) <= 1_800


@pytest.mark.parametrize("text", ["字" * 10_000, "这是一句话。" * 3_000, "word " * 10_000])
def test_cutting_loses_nothing(text: str) -> None:
    turns = merged([Segment("", text)])

    assert "".join("".join(turn.text for turn in turns).split()) == "".join(text.split())
    assert max(len(turn.text) for turn in turns) <= 1_800


def test_a_long_pause_ends_a_turn_of_some_length() -> None:
    speech = "The pump holds water, and that is what we wanted to hear. " * 6
    turns = merged([Segment("", speech, 0.0, 10.0), Segment("", "Next.", 15.0, 16.0)])

    assert [turn.starts_at for turn in turns] == [timedelta(0), timedelta(seconds=15)]


def test_words_are_joined_as_their_script_is_written() -> None:
    def joined(*words: str) -> list[str]:
        return [segment.text for segment in segments_of_words(Segment("", word) for word in words)]

    assert joined("the", "pump", "holds.") == ["the pump holds."]
    assert joined("泵", "还", "在", "转", "，", "OK", "吗", "？") == ["泵还在转， OK 吗？"]
    assert joined("펌프가", "돌아요.") == ["펌프가 돌아요."]
    assert joined("ปั๊ม", "ยัง", "ทำงาน") == ["ปั๊มยังทำงาน"]


def test_what_no_prompt_can_hold_is_left_out() -> None:
    turns = merged([Segment("A\nnn\x00", "half \ud83d a\x07 b\u00a0c\r\nd")])

    assert turns == (Turn("A nn", "half \ufffd a b c d"),)


def test_a_speakers_name_of_any_length_is_shown_by_its_beginning() -> None:
    """It stands before each of the speaker's turns: a long one would be most of what the model reads."""
    turns = merged(Segment("Ann " * 50_000, "The pump holds.", starts_at=at) for at in (0, 1_000))

    assert {turn.speaker[:7] for turn in turns} == {"Ann Ann"}
    assert {len(turn.speaker) for turn in turns} == {100}


def test_lines_stay_as_they_are() -> None:
    turns = verbatim(["# Title", "", "  - nested  item  ", "\x07", "| a |  b |"])

    assert [turn.text for turn in turns] == ["# Title", "  - nested  item", "| a |  b |"]


def test_the_fuller_version_is_read_when_the_better_one_lacks_words() -> None:
    with_speakers = [Segment("Ann", "half of")]
    plain = [Segment("", "half of it is missing")]

    assert fullest([with_speakers, plain]) == plain
    assert fullest([[Segment("Ann", "half, of; it is missing")], plain])[0].speaker == "Ann"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (0, "Speaker 1"),
        (1.0, "Speaker 2"),
        ("0", "Speaker 1"),
        ("spk_0", "Speaker 1"),
        ("SPEAKER_00", "Speaker 1"),
        ("speaker_11", "Speaker 12"),
        ("A", "Speaker A"),
        ("Speaker 3", "Speaker 3"),
        (" Ann  Lee ", "Ann Lee"),
        ("Å", "Å"),
        ("", ""),
        (None, ""),
        (True, ""),
        (-1, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        ([1], ""),
    ],
)
def test_a_speaker_gets_a_name_to_read(label: object, name: str) -> None:
    assert speaker_name(label) == name


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("1:02:03.5", 3723.5), ("02:03", 123.0), ("00:00:01,250", 1.25), ("1:2", 62.0), ("x", None)],
)
def test_clocks_are_read(clock: str, seconds: float | None) -> None:
    assert seconds_of_clock(clock) == seconds


@given(st.lists(st.tuples(st.sampled_from(["", "Ann", "Bo"]), st.text(max_size=30))))
def test_no_word_is_lost_in_merging(spoken: list[tuple[str, str]]) -> None:
    segments = [Segment(speaker, text) for speaker, text in spoken]

    def words(texts: list[str]) -> list[str]:
        kept = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in " ".join(texts))
        return "".join(c for c in kept if c.isprintable() or c.isspace()).split()

    read = words([turn.text for turn in merged(segments)])

    assert read == words([segment.text for segment in segments])


def test_a_sentence_without_an_end_is_cut_between_words_as_late_as_possible() -> None:
    sentence = "committee " * 400

    turns = merged([Segment("Ann", sentence)])

    assert " ".join(turn.text for turn in turns).split() == sentence.split()
    assert [len(turn.text) > 1_700 for turn in turns[:-1]] == [True] * (len(turns) - 1)


def test_a_recording_begins_at_zero_seconds() -> None:
    assert known_seconds(0) == 0


def test_a_clock_may_end_in_thousandths_or_frames() -> None:
    assert seconds_of_clock("01:02:03:500") == 3723.5

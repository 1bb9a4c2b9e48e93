from pathlib import Path

import pytest

from core.summaries.checks import Fault, grams_of, numbers_in, text_faults
from core.summaries.languages import profile_of
from core.summaries.passages import numbered
from core.transcripts.turns import Turn
from tests.unit.summaries.builders import transcript

TEXTS = Path(__file__).parent / "texts"
ENGLISH = profile_of(transcript(300))
PROSE = (
    "Ann explained that the ferry loses two crossings a week because the crew is short. Bo doubted the"
    " figure and asked for the log of the winter. They agreed to look at the harbour's own count, which"
    " the board had not seen, before anybody is told that the timetable will change for good. [12]"
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        ("  \n", Fault.EMPTY),
        ("# Title\n\n## Overview\n\n## Topics\n", Fault.EMPTY),
        ("I'm sorry, but I can't help with that.", Fault.REFUSED),
        ("Unfortunately, I cannot summarise this.", Fault.REFUSED),
        ("Es tut mir leid, aber dabei kann ich nicht helfen.", Fault.REFUSED),
        ("Je suis désolé, je ne peux pas résumer ce texte.", Fault.REFUSED),
        ("As an AI language model, I must be careful here.", Fault.REFUSED),
        ("The ferry is late again today. " * 40, Fault.LOOPED),
        (PROSE + " and so on and on and on" * 60, Fault.LOOPED),
    ],
)
def test_what_is_wrong_with_a_text_has_a_name(text: str, fault: Fault) -> None:
    assert text_faults(text) == [fault]


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "Bo said he was sorry and could not help with the ramp. [4]",
        "The council: I can't accept that, said Ann. [7]",
        PROSE + "\n\n- a list\n- of things",
    ],
)
def test_sound_prose_has_no_fault(text: str) -> None:
    assert text_faults(text, language=ENGLISH) == []


def test_our_own_prompt_given_back_is_seen() -> None:
    assert text_faults(PROSE, prompt=grams_of([PROSE])) == [Fault.PROMPT]


def test_the_transcript_given_back_is_seen() -> None:
    told = " ".join(passage.text for passage in transcript(5).all)

    assert text_faults(told, material=grams_of([told])) == [Fault.COPIED]


def test_a_few_remarks_may_be_told_in_their_own_words() -> None:
    assert text_faults(PROSE, material=grams_of([PROSE])) == []


@pytest.mark.parametrize(
    "language",
    [file.stem for file in sorted(TEXTS.glob("*.txt")) if file.stem != "english"],
)
def test_a_text_in_another_language_is_seen(language: str) -> None:
    text = (TEXTS / f"{language}.txt").read_text(encoding="utf-8") * 6

    assert not ENGLISH.is_of(text)


def test_a_text_in_the_transcripts_language_is_taken_for_it() -> None:
    english = (TEXTS / "english.txt").read_text(encoding="utf-8")

    assert ENGLISH.is_of(english)


@pytest.mark.parametrize(
    "language", ["finnish", "turkish", "hungarian", "chinese", "german", "thai"]
)
def test_languages_that_build_long_words_are_not_taken_for_others(language: str) -> None:
    text = (TEXTS / f"{language}.txt").read_text(encoding="utf-8")

    assert profile_of(numbered([Turn("", text * 3)])).is_of(text)


def test_a_few_words_say_nothing_about_a_language() -> None:
    assert ENGLISH.is_of("Kein Problem.")


def test_figures_are_compared_by_value() -> None:
    assert numbers_in("9,000 or 9 000 or 9.000, 0.50 and 3.5 in 2024.") == {
        "9000",
        "0.5",
        "3.5",
        "2024",
    }

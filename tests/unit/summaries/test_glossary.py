import json

import pytest

from core.summaries.glossary import Glossary, glossary_in, parse_glossary
from core.transcripts.turns import Turn
from tests.unit.summaries.builders import a_goal, drive, transcript
from tests.writing_model import WritingModel, always

GLOSSARY = parse_glossary(
    """\ufeff# names
    Solhaug: soul hog, Sol Haug
    Ingrid Solhaug: Ingrid Soul-Hog
    Kubernetes: cooper netties
    SPEAKER_00 = Ingrid Solhaug
    Tromsø
    """
)


@pytest.mark.parametrize(
    ("heard", "right"),
    [
        ("We asked soul hog about it.", "We asked Solhaug about it."),
        ("SOUL  HOG, sol haug!", "Solhaug, Solhaug!"),
        ("the soul hogs of souls", "the soul hogs of souls"),
        ("Ingrid Solhaug runs cooper netties", "Ingrid Solhaug runs Kubernetes"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_whole_words_are_put_right_whatever_their_case(heard: str, right: str) -> None:
    assert GLOSSARY.applied_to(heard) == right
    assert GLOSSARY.applied_to(right) == right


def test_a_name_that_holds_a_variant_of_itself_is_right_as_it_is() -> None:
    glossary = parse_glossary("Ingrid Solhaug: Solhaug")

    assert glossary.applied_to("Solhaug and Ingrid Solhaug") == "Ingrid Solhaug and Ingrid Solhaug"


@pytest.mark.parametrize("label", ["SPEAKER_00", "Speaker 1", "spk_0"])
def test_a_speaker_gets_a_name_however_the_label_is_written(label: str) -> None:
    (turn,) = GLOSSARY.applied_to_turns([Turn(label, "soul hog here.")])

    assert (turn.speaker, turn.text) == ("Ingrid Solhaug", "Solhaug here.")


def test_a_speaker_without_a_name_keeps_the_label() -> None:
    assert GLOSSARY.speaker("Speaker 2") == "Speaker 2"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (": soul hog", "line 1"),
        ("SPEAKER_00 =", "line 1"),
        ("x" * 81, "80 characters"),
        ("Name: " + ",".join(f"v{n}" for n in range(21)), "20 ways"),
        ("--: ++", "letters or digits"),
    ],
)
def test_a_line_that_can_not_be_understood_is_a_note_and_no_end(line: str, complaint: str) -> None:
    glossary = parse_glossary(f"{line}\nTromsø\n", source="_glossary.txt")

    assert glossary.names == ("Tromsø",)
    assert complaint in glossary.notes[0]
    assert "_glossary.txt" in glossary.notes[0]


def test_a_glossary_of_a_folder_goes_before_that_of_the_deployment() -> None:
    both = parse_glossary("Solhaug: sol\nA = Ann").joined_with(
        parse_glossary("Sohlhaug: sol\nA = Bo")
    )

    assert both.applied_to("sol") == "Sohlhaug"
    assert both.speaker("A") == "Bo"


def test_a_glossary_comes_back_from_its_fields_as_it_was() -> None:
    assert glossary_in(json.loads(json.dumps(GLOSSARY.as_fields()))) == GLOSSARY


def test_an_empty_glossary_changes_nothing() -> None:
    turns = (Turn("A", "soul hog"),)

    assert Glossary().applied_to_turns(turns) == turns


def test_the_model_is_told_the_names_and_the_text_is_held_to_them() -> None:
    habit = always(lambda ask, text: text.replace("ferry", "soul hog"))

    done = drive(WritingModel(habit=habit), passages=transcript(), goal=a_goal(glossary=GLOSSARY))

    assert all("Kubernetes" in ask.blocks[0].text for ask in done.asks)
    assert "soul hog" not in done.finished.text
    assert "Solhaug" in done.finished.text

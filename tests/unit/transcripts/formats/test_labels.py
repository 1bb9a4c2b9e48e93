"""Which beginnings of a line count as a speaker's name, and whose a line is if none does."""

import pytest

from core.transcripts.formats.labels import holds
from core.transcripts.reader import Transcript, read_transcript

DIALOGUE = (
    "Ann Lee: one.\nBo Ray: two.\nAnn Lee: three.\n{line}\nfour.\nBo Ray: five.\nAnn Lee: six."
)


def read(text: str) -> Transcript:
    return read_transcript(text.encode(), max_bytes=1_000_000)


def speakers(text: str) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in read(text).turns]


@pytest.mark.parametrize(
    "line",
    [
        "Thanks: see you.",
        "Note: bring a coat.",
        "10:30: we sail.",
        "Re: the pump.",
        "https://example.org: a page.",
        "John 3:16 is short.",
        "Mixed 3:1 it holds.",
        "One thing that we all know by now: it leaks.",
        "2026-05-01: the fair.",
    ],
)
def test_a_beginning_that_names_nobody_belongs_to_who_spoke_before(line: str) -> None:
    assert ("Ann Lee", f"three. {line} four.") in speakers(DIALOGUE.format(line=line))


@pytest.mark.parametrize(
    "line",
    ["My view: it leaks.", "Quick question: does it leak?", "Some hon. members: Oh, oh!"],
)
def test_a_line_that_may_be_somebody_elses_is_nobodys(line: str) -> None:
    turns = speakers(DIALOGUE.format(line=line))

    assert ("Ann Lee", "three.") in turns
    assert ("", f"{line} four.") in turns


def test_two_lines_that_may_be_somebodys_are_not_run_together() -> None:
    turns = speakers(DIALOGUE.format(line="My view: it leaks.\nQuick answer: it does not."))

    assert ("", "My view: it leaks.") in turns


def test_what_is_said_at_another_time_is_not_joined_to_a_doubtful_line() -> None:
    text = "[0:00] One.\n[0:05] bo: two.\n[0:09] Three.\n[0:12] cy: four.\n[0:20] Five.\n"

    assert read(text).text.split("\n") == ["One.", "bo: two.", "Three.", "cy: four.", "Five."]


def test_line_numbers_of_a_court_are_not_spoken() -> None:
    text = "1   Q.   Where was it?\n2   A.   At sea.\n3   Q.   Alone?\n4   A.   Yes,\n5        alone.\n"

    assert read(text).text == "Q: Where was it?\nA: At sea.\nQ: Alone?\nA: Yes, alone."


def test_a_known_label_is_taken_off_behind_a_doubtful_line() -> None:
    turns = speakers(DIALOGUE.format(line="My view: it leaks."))

    assert ("Bo Ray", "five.") in turns


@pytest.mark.parametrize(
    "text",
    [
        "Thanks: see you\nRe: the pump\nhttps://example.org\nNote: it leaks\n10:30: tea",
        "Step 1: open it\nStep 2: look in\nStep 3: close it",
        "In the beginning: nothing.\nThen there was a boat.\nIt sank.\nIt had one rule: float.",
        "[Music]\nWelcome.\n[Applause]\nThank you.\n[Music]\nGood night.\n[Applause]",
    ],
)
def test_what_is_no_dialogue_stays_as_it_is(text: str) -> None:
    assert read(text).text == text


def test_hard_wrapped_speeches_have_their_speakers() -> None:
    speech = (
        "and so the harbour was dredged once more\nbefore the winter storms came in\n" * 6
        + "at last.\n"
    )
    text = "".join(
        f"{name}: I say, {speech}" for name in ("MS. LEE", "THE COURT", "MS. LEE", "MR. RAY") * 3
    )

    assert [turn.speaker for turn in read(text).turns][:3] == ["MS. LEE", "THE COURT", "MS. LEE"]


def test_numbered_speakers_are_believed_however_rare_their_labels() -> None:
    text = "Sprecher 1: " + "Ja.\n" * 40 + "Sprecher 2: " + "Nein.\n" * 40

    assert [turn.speaker for turn in read(text).turns] == ["Sprecher 1", "Sprecher 2"]


@pytest.mark.parametrize(
    ("named", "is_held"),
    [
        (["A", "", "", "B", "", "A"], True),
        (["A", "A", "", "B", "", "A"], False),  # then the empty one is not A's for sure
        (["", "A", "", "B", "", "A"], False),
        (["A", "B", "A", "B", "", "A", "B", "A"], False),
        (["A", "", ""], False),
    ],
)
def test_a_label_given_only_at_changes_holds_until_the_next(
    named: list[str], *, is_held: bool
) -> None:
    assert holds(named) is is_held

import pytest

from core.transcripts.reader import Transcript, read_transcript


def read(text: str) -> Transcript:
    return read_transcript(text.encode(), max_bytes=10_000_000)


def test_prose_with_colons_has_no_speakers() -> None:
    text = (
        "Note: bring a coat.\nWe meet at 10:30: be there.\nhttps://example.org: a page.\n"
        "He said: nothing.\ne.g.: this\nSummary: all is well.\nThe end"
    )

    assert {turn.speaker for turn in read(text).turns} == {""}
    assert read(text).text == text


@pytest.mark.parametrize(
    "name",
    [
        "Ann",
        "Ann Lee",
        "ANN",
        "Ann de la Cruz",
        "Dr. Lee Jr.",
        "Lee, Ann (Host)",
        "李",
        "Speaker 1",
        "Q",
    ],
)
def test_names_of_many_kinds_are_speakers(name: str) -> None:
    transcript = read(f"{name}: one\nBo: two\n{name}: three\n")

    assert [turn.speaker for turn in transcript.turns] == [name, "Bo", name]


def test_a_label_in_brackets_is_a_speaker() -> None:
    assert read("[SPEAKER_00]: one\n[SPEAKER_01]: two\n").text == "Speaker 1: one\nSpeaker 2: two"


def test_lines_without_a_label_belong_to_who_spoke_before() -> None:
    assert read("Ann: one\ntwo\n\nthree\nBo: four").text == "Ann: one two three\nBo: four"


def test_a_title_belongs_to_nobody() -> None:
    assert read("Ann: one\n# Part two\nBo: three").turns[1].speaker == ""


@pytest.mark.parametrize("to", ["->", "-->", "-", "–"])
def test_a_programme_of_times_stays_as_it_is(to: str) -> None:
    text = f"12:30 {to} 13:00 lunch\n13:00 {to} 14:00 talks\nBring a pen"

    assert read(text).text == text


@pytest.mark.parametrize(
    "heading", ["Ann Lee  0:03", "Ann Lee\t00:00:03", "[Ann Lee] 0:03", "Ann Lee (0:03):"]
)
def test_a_heading_names_the_speaker_of_the_lines_below(heading: str) -> None:
    transcript = read(f"{heading}\none\ntwo\n\nBo  0:09\nthree\n")

    assert transcript.text_with_times == "[00:00:03] Ann Lee: one two\n[00:00:09] Bo: three"


def test_headings_whose_times_fall_are_none() -> None:
    text = "Ann Lee  0:30\none\nBo  0:09\ntwo"

    assert read(text).text == text


def test_times_before_some_lines_of_prose_stay() -> None:
    text = "We sail soon\n10:30 is the time\nand then\nhome\nagain"

    assert read(text).text == text


@pytest.mark.parametrize(
    "line",
    [
        "10:00 From a" + " " * 500_000,
        "10:00 From " + "to to " * 200_000,
        "a" * 2_000_000,
        "(" * 500_000,
        ":" * 500_000,
        "[" * 500_000,
        " " * 500_000 + "x: y",
        "." * 500_000 + '"' * 500_000,
        "A " * 500_000,
    ],
    ids=["chat", "to", "letters", "brackets", "colons", "squares", "blank", "quotes", "words"],
)
def test_no_line_takes_long_to_read(line: str) -> None:
    assert read(f"begin\n{line}\nend").text.endswith("end")

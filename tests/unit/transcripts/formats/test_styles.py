"""Every sentence is attributed to its speaker, in every style and with every kind of name."""

from itertools import groupby

import pytest

from core.transcripts.reader import Transcript, read_transcript
from core.transcripts.turns import readable_label
from tests.unit.transcripts.formats.styles import STYLES, Line

SENTENCES = (
    "The kiln goes on at seven.",
    "Nobody has glazed the tall vases.",
    "Who takes the clay to the school?",
    "I can drive there on Tuesday.",
    "The second shelf is cracked: do not load it.",
    "Then we fire in two batches.",
    "That makes the gas bill 90 higher.",
    "Ask the baker, he shared it once at 10:30.",
)
ALTERNATING = (0, 1, 0, 1, 0, 1, 0, 1)
AS_IT_COMES = (0, 0, 1, 0, 2, 1, 1, 2)
NAMES = (
    "Ann Lee",
    "Ann Lee (she/her)",
    "iPhone",
    "ann",
    "ann lee",
    "ann.lee@example.org",
    "+1 555-010-2030",
    "d'Angelo",
    "ter Horst",
    "das Neves",
    "van der Berg, Ann (ext)",
    "LAH (voice-over)",
    "Спикер №1",
    "SPEAKER_00",
    "李雷",
    "山田 太郎",
    "عمر",
    "Ministerialdirigentin Dr. Annegret Müller-Lüdenscheidt, Bundesministerium für Umwelt (BMU)",
    "Conference Room 3",
    "MR. SMITH",
    "Dr. Lee Jr.",
    "ann_lee92",
    "Ann Lee | Acme",
    "Participant #2",
    "the chair",
    "Ann Lee [Acme]",
)


def read(text: str) -> Transcript:
    return read_transcript(text.encode(), max_bytes=1_000_000)


def heard(transcript: Transcript) -> list[tuple[str, str]]:
    turns = [turn for turn in transcript.turns if turn.speaker or not turn.text.startswith("#")]
    return [
        (speaker, " ".join(turn.text for turn in group))
        for speaker, group in groupby(turns, key=lambda turn: turn.speaker)
    ]


def said(names: tuple[str, ...], order: tuple[int, ...]) -> list[Line]:
    return [
        Line(names[speaker], text, index * 7)
        for index, (speaker, text) in enumerate(zip(order, SENTENCES, strict=True))
    ]


def expected(lines: list[Line]) -> list[tuple[str, str]]:
    return [
        (readable_label(name), " ".join(line.text for line in group))
        for name, group in groupby(lines, key=lambda line: line.name)
    ]


@pytest.mark.parametrize("style", STYLES)
def test_two_alternating_speakers_are_distinguished(style: str) -> None:
    for name in NAMES:
        lines = said((name.replace(",", "") if style == "ASS" else name, "Bo Ray"), ALTERNATING)

        assert heard(read(STYLES[style](lines))) == expected(lines)


@pytest.mark.parametrize("style", STYLES)
def test_three_speakers_in_any_order_are_distinguished(style: str) -> None:
    for name in NAMES:
        lines = said(
            (name.replace(",", "") if style == "ASS" else name, "Bo Ray", "cy"), AS_IT_COMES
        )

        assert heard(read(STYLES[style](lines))) == expected(lines)


@pytest.mark.parametrize("style", STYLES)
def test_windows_line_ends_change_nothing(style: str) -> None:
    text = STYLES[style](said(("Ann Lee", "Bo Ray"), ALTERNATING))

    if "\r" not in text:
        assert read(text.replace("\n", "\r\n")) == read(text)

"""Each service's JSON is read: every sentence with its speaker."""

import json
from datetime import timedelta
from typing import Any

import pytest

from core.errors import BadTranscript
from core.transcripts.reader import Transcript, read_transcript
from tests.unit.transcripts.formats.services import NAMED, NAMES, NUMBERED, SAID, UNNAMED

MAX_BYTES = 1_000_000


def read(document: Any) -> Transcript:
    return read_transcript(json.dumps(document).encode(), max_bytes=MAX_BYTES)


def heard(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in transcript.turns]


@pytest.mark.parametrize("document", NAMED.values(), ids=NAMED)
def test_each_sentence_has_its_speakers_name(document: Any) -> None:
    assert heard(read(document)) == [
        (NAMES[index % 2], text) for index, (text, _) in enumerate(SAID)
    ]


@pytest.mark.parametrize("document", NUMBERED.values(), ids=NUMBERED)
def test_each_sentence_has_its_numbered_speaker(document: Any) -> None:
    transcript = read(document)

    first, second = transcript.turns[0].speaker, transcript.turns[1].speaker
    assert {first, second} in ({"Speaker 1", "Speaker 2"}, {"S1", "S2"})
    assert heard(transcript) == [
        ((first, second)[index % 2], text) for index, (text, _) in enumerate(SAID)
    ]


@pytest.mark.parametrize("document", UNNAMED.values(), ids=UNNAMED)
def test_words_without_speakers_are_read_once(document: Any) -> None:
    assert read(document).text.split() == " ".join(text for text, _ in SAID).split()


@pytest.mark.parametrize(
    "document",
    [document for name, document in (NAMED | NUMBERED).items() if name not in {"plain list", "Symbl"}],
    ids=[name for name in NAMED | NUMBERED if name not in {"plain list", "Symbl"}],
)  # fmt: skip
def test_times_are_seconds_whatever_their_unit(document: Any) -> None:
    starts = [turn.starts_at for turn in read(document).turns]

    assert starts == [timedelta(seconds=at) for _, at in SAID]


def test_json_lines_are_read() -> None:
    lines = "\n".join(json.dumps(item) for item in NAMED["plain list"])

    transcript = read_transcript(lines.encode(), max_bytes=MAX_BYTES)

    assert [turn.speaker for turn in transcript.turns] == [*NAMES, *NAMES]


def test_json_lines_that_break_off_name_the_line() -> None:
    with pytest.raises(BadTranscript, match="line 2") as refused:
        read_transcript(b'{"text": "one two"}\n{"text": "three', max_bytes=MAX_BYTES)

    assert refused.value.code == "damaged"


def test_names_in_a_text_inside_json_are_read_like_those_of_a_text() -> None:
    text = "\n".join(f"{NAMES[index % 2]}: {said}" for index, (said, _) in enumerate(SAID))

    assert [turn.speaker for turn in read({"transcript": text}).turns] == [*NAMES, *NAMES]


def test_agents_and_customers_of_contact_lens_are_distinguished() -> None:
    document = {
        "Version": "1.1.0",
        "Participants": [
            {"ParticipantId": "AGENT", "ParticipantRole": "AGENT"},
            {"ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER"},
        ],
        "Transcript": [
            {
                "Id": "x",
                "ParticipantId": ("AGENT", "CUSTOMER")[index % 2],
                "Content": text,
                "BeginOffsetMillis": int(at * 1000),
            }
            for index, (text, at) in enumerate(SAID)
        ],
    }

    speakers = [turn.speaker.casefold() for turn in read(document).turns]

    assert speakers == ["agent", "customer", "agent", "customer"]


@pytest.mark.parametrize(
    "document",
    [
        {"segments": [{"startzeit": 1, "gesagtes": "secret words"}]},
        {"utterances": [{"was": "secret words here"}]},
        {"results": {"channels": [{"phrases": ["secret words"]}]}},
        {"timeline": [{"ts": "00:00:01", "users": [{"username": "secret name"}]}]},
    ],
    ids=["Whisper", "AssemblyAI", "Deepgram", "Zoom's timeline"],
)
def test_a_known_shape_with_foreign_words_is_unknown_and_says_what_was_found(document: Any) -> None:
    with pytest.raises(BadTranscript) as refused:
        read(document)

    assert refused.value.code == "unknown-format"
    assert next(iter(document)) in str(refused.value)
    assert "secret" not in str(refused.value)

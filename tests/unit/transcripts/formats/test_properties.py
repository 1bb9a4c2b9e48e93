"""Whatever is written in a format is read back: every word, in order, with its speaker."""

import json
import re
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadTranscript
from core.transcripts.reader import Transcript, read_transcript
from tests.unit.transcripts.formats import writers
from tests.unit.transcripts.formats.writers import NAMED, NAMES, NUMBERED, Said, spoken_by

MAX_BYTES = 10_000_000
VOCABULARY = (
    "the pump holds water well Ilse said no no. yes? 10:30 it's 1984 &c. a<b x->y Note: https://a.example/b"
    " e.g. {laughs} [noise] Straße søen лодка “quote” — ... #1 50% *loud* C'est ça !"
)
WORDS = st.sampled_from(VOCABULARY.split())
PLAIN_VOCABULARY = "the pump holds water well yes no and then"
PLAIN_WORDS = st.sampled_from(PLAIN_VOCABULARY.split())
MEMBERS = (
    "results transcripts transcript items audio_segments speaker_labels segments channel_labels channels"
    " alternatives content type start_time end_time speaker_label channel_label text words word start"
    " end speaker chunks timestamp timestamps transcription output utterances paragraphs sentences"
    " audio_url response inlineResult speakerTag startTime channelTag Transcript Content"
    " ParticipantRole channel punctuated_word from to seconds nanos"
)


@st.composite
def conversations(draw: st.DrawFn, words: st.SearchStrategy[str] = WORDS) -> list[Said]:
    """Two to twelve remarks by two to four speakers, one after the other in time."""
    speakers = draw(st.integers(2, len(NAMES)))
    said: list[Said] = []
    at = draw(st.integers(0, 4000)) / 10
    for index in range(draw(st.integers(2, 12))):
        spoken = tuple(draw(st.lists(words, min_size=1, max_size=12)))
        length = draw(st.integers(4, 90)) / 10
        speaker = index if index < speakers else draw(st.integers(0, speakers - 1))
        # The first letters make each remark begin with a word no format takes for a mark of its own.
        said.append(Said(speaker, (f"w{index}", *spoken), at, at + length))
        at += length + draw(st.integers(10, 80)) / 10
    return said


def heard(transcript: Transcript) -> list[tuple[str, list[str]]]:
    return [
        (speaker, [word for turn in group for word in turn.text.split()])
        for speaker, group in groupby(transcript.turns, key=lambda turn: turn.speaker)
    ]


def read(text: str) -> Transcript:
    return read_transcript(text.encode(), max_bytes=MAX_BYTES)


@pytest.mark.parametrize("form", NAMED)
@settings(deadline=None)
@given(said=conversations())
def test_every_word_is_read_in_order_with_its_named_speaker(form: str, said: list[Said]) -> None:
    assert heard(read(NAMED[form](said))) == [
        (NAMES[speaker], words) for speaker, words in spoken_by(said)
    ]


@pytest.mark.parametrize("form", NUMBERED)
@settings(deadline=None)
@given(said=conversations())
def test_every_word_is_read_in_order_with_its_numbered_speaker(form: str, said: list[Said]) -> None:
    numbers = "ABCD" if form == "AssemblyAI" else "1234"

    assert heard(read(NUMBERED[form](said))) == [
        (f"Speaker {numbers[speaker]}", words) for speaker, words in spoken_by(said)
    ]


@pytest.mark.parametrize("form", NAMED | NUMBERED)
@settings(deadline=None)
@given(said=conversations())
def test_the_first_turn_knows_when_it_was(form: str, said: list[Said]) -> None:
    transcript = read((NAMED | NUMBERED)[form](said))

    if form == "text with names":
        assert transcript.text_with_times == transcript.text
    else:
        at = int(said[0].starts_at + 0.0005)
        stamp = f"[{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}] "
        assert transcript.text_with_times.startswith(stamp)
        assert stamp not in transcript.text


@settings(deadline=None)
@given(
    st.lists(
        st.lists(PLAIN_WORDS, min_size=2),
        min_size=5,
        max_size=20,
    )
)
def test_rolling_captions_are_read_once(lines: list[list[str]]) -> None:
    """Each line has a unique word, so that no line repeats an earlier one by chance."""
    said = [
        Said(0, (f"w{index}", *words), float(index), index + 1.0)
        for index, words in enumerate(lines)
    ]

    transcript = read(writers.webvtt_rolling(said))

    read_words = [word for turn in transcript.turns for word in turn.text.split()]
    assert read_words == [word for one in said for word in one.words]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["no", "no no", "yes", "no yes", "yes no no"]), min_size=1))
def test_repeated_speech_is_kept_as_often_as_it_was_said(lines: list[str]) -> None:
    """With pauses between the captions nothing is taken for a repetition of the display."""
    cues = [
        f"{index}\n{writers.clock(index * 3, ',')} --> {writers.clock(index * 3 + 2, ',')}\n{line}\n"
        for index, line in enumerate(lines, start=1)
    ]

    assert read("\n".join(cues)).text.split() == " ".join(lines).split()


NAMES_IN_PROSE = {"Ilse", "Rob", "Marten"}
PROSE = st.sampled_from(
    [
        "Note: it was repaired.",
        "See https://example.org/pump: it tells all.",
        "10:30 we sail",
        "at 10:30",
        "She said: nothing.",
        "",
        "    indented",
        "# Heading",
        "- **Ilse:** was here",
        "| a | b: c |",
        "Ilse: was here",
        "Rob: was not",
        "[noise]",
        "[Music] plays",
        "{laughs}",
        "Ilse Marten   0:03",
        "a --> b",
        "12:30 -> 13:00 lunch",
        "00:12:30 --> 00:13:00 supper",
        "1984",
        "WEBVTT is a format",
        "e.g.: this",
        "word " * 500,
        "字" * 3000,
    ]
)


@settings(deadline=None)
@given(st.lists(PROSE, max_size=30))
def test_no_word_of_prose_is_lost_whatever_it_looks_like(lines: list[str]) -> None:
    """A name may stand once for several lines, and times may be missing."""
    # Captions are looked at apart: what they show twice at one time was said once.
    lines = list(dict.fromkeys(lines))
    text = "Something goes before.\n" + "\n".join(lines)

    assert _letters_but_names(read(text).text) == _letters_but_names(text)


def _letters_but_names(text: str) -> str:
    words = re.findall(r"[^\W\d_]+", text)
    return "".join(word for word in words if word not in NAMES_IN_PROSE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(MEMBERS.split()),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(deadline=None, max_examples=500)
@given(JSON)
def test_arbitrary_json_is_read_or_refused(document: object) -> None:
    _read_or_refused(json.dumps(document).encode())


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(NAMED | NUMBERED)), conversations(), st.data())
def test_a_damaged_file_is_read_or_refused(
    form: str, said: list[Said], data: st.DataObject
) -> None:
    body = (NAMED | NUMBERED)[form](said).encode()
    at = data.draw(st.integers(0, len(body)))
    length = data.draw(st.integers(0, 40))

    _read_or_refused(body[:at] + data.draw(st.binary(max_size=20)) + body[at + length :])


@settings(deadline=None)
@given(said=conversations(), data=st.data())
@pytest.mark.parametrize("form", NUMBERED)
def test_a_member_of_another_kind_is_read_or_refused(
    form: str, said: list[Said], data: st.DataObject
) -> None:
    document = json.loads(NUMBERED[form](said))
    node, path = document, document
    while isinstance(node, dict | list) and node:
        path = node
        key = data.draw(
            st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node)))
        )
        node = node[key]
        if data.draw(st.booleans()):
            break
    path[key] = data.draw(JSON)

    _read_or_refused(json.dumps(document).encode())


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    _read_or_refused(body)
    _read_or_refused(b"\x1f\x8b" + body)
    _read_or_refused(b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n" + body)
    _read_or_refused(b"[00:00:01] Ann: " + body)


def _read_or_refused(body: bytes) -> None:
    try:
        transcript = read_transcript(body, max_bytes=MAX_BYTES)
    except BadTranscript as exc:
        assert exc.code in {
            "unknown-format",
            "unknown-encoding",
            "empty",
            "not-text",
            "too-large",
            "damaged",
            "scanned-pdf",
        }
    else:
        transcript.text_with_times.encode("utf-8")  # can be sent
        assert transcript.words > 0

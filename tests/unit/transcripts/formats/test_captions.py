import io

import pytest
import webvtt
from hypothesis import given, settings

from core.transcripts.formats.captions import segments
from core.transcripts.reader import read_transcript
from core.transcripts.turns import Segment
from tests.unit.transcripts.formats import writers
from tests.unit.transcripts.formats.test_properties import PLAIN_WORDS, conversations
from tests.unit.transcripts.formats.writers import Said


def captions(*cues: tuple[float, float, str]) -> str:
    return "WEBVTT\n\n" + "\n".join(
        f"{writers.clock(start)} --> {writers.clock(end)}\n{text}\n" for start, end, text in cues
    )


def said(text: str) -> list[str]:
    return [segment.text for segment in segments(text)]


@settings(deadline=None)
@given(conversation=conversations(PLAIN_WORDS))
@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_an_independent_reader_finds_the_same_words(kind: str, conversation: list[Said]) -> None:
    write = writers.webvtt_of_zoom if kind == "vtt" else writers.subrip
    text = write(conversation)

    theirs = webvtt.from_buffer(io.StringIO(text), format=kind)

    ours = " ".join(f"{segment.speaker}: {segment.text}" for segment in segments(text))
    assert ours.split() == " ".join(caption.text for caption in theirs).split()


def test_growing_captions_are_read_once() -> None:
    line = "we should go to the market before noon today"
    words = line.split()
    cues = [(n, n + 1.0, " ".join(words[: n + 2])) for n in range(len(words) - 1)]

    assert " ".join(said(captions(*cues))) == line


def test_captions_that_overlap_in_time_are_read_once() -> None:
    text = captions(
        (0.0, 4.0, "we should go to the market"),
        (2.0, 6.0, "Go to the market, before noon."),
        (6.5, 8.0, "before noon."),
    )

    assert " ".join(said(text)) == "we should go to the market before noon. before noon."


def test_the_same_caption_twice_at_one_time_is_read_once() -> None:
    assert said(captions((0.0, 1.0, "No."), (0.0, 1.0, "No."))) == ["No."]


def test_two_speakers_who_say_the_same_at_one_time_are_both_kept() -> None:
    text = captions((0.0, 2.0, "<v Ann>Yes we can do it"), (0.1, 2.0, "<v Bo>Yes we can do it"))

    assert [segment.speaker for segment in segments(text)] == ["Ann", "Bo"]


def test_what_is_repeated_without_a_pause_is_kept_where_captions_do_not_roll() -> None:
    cues = [(n, n + 1.0, "we will, we will rock you") for n in range(6)]

    assert len(said(captions(*cues))) == 6


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<i>a</i> <b.loud>b</b> <c.red.bg>c</c>", "a b c"),
        ('<font color="#fff" size=2>a</font> {\\an8}b', "a b"),
        ("a<00:00:01.500><c> b</c>", "a b"),
        ("&lt;i&gt; &amp; x", "<i> & x"),
        ("a < b, c > d, <3, <unknown>", "a < b, c > d, <3, <unknown>"),
        ("<ruby>港<rt>minato</rt></ruby>", "港minato"),
        ("<lang en-GB>a</lang>", "a"),
        ("&#" + "9" * 5_000 + ";", "&#" + "9" * 5_000 + ";"),
    ],
)
def test_styling_is_left_out_and_words_are_not(text: str, plain: str) -> None:
    assert said(captions((0.0, 1.0, text))) == [plain]


def test_notes_and_styles_are_not_spoken() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue {}\n\nNOTE a\nb\n\n00:01.000 --> 00:02.000\nNOTE that.\n\nNOTE c\n"
    )

    assert said(text) == ["NOTE that."]


def test_numbers_count_captions_only_where_they_stand_before_times() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n1984\n2\n00:00:03,000 --> 00:00:04,000\n7\n\n8 or\n"

    assert said(text) == ["1984", "7 8 or"]


def test_a_caption_that_ends_before_it_begins_keeps_its_words() -> None:
    assert segments(captions((5.0, 1.0, "a"))) == [Segment("", "a", 5.0, None)]


@pytest.mark.parametrize(
    "line",
    ["<v " * 200_000, "<v" + " " * 500_000, "{\\" * 200_000, "<c." * 200_000, " " * 500_000 + "x"],
    ids=["voices", "spaces", "braces", "classes", "blank"],
)
def test_no_line_takes_long_to_read(line: str) -> None:
    body = captions((0.0, 1.0, line), (1.0, 2.0, "end")).encode()

    assert read_transcript(body, max_bytes=10_000_000).text.endswith("end")

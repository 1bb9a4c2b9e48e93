import pytest

from core.errors import BadTranscript
from core.transcripts.reader import read_transcript

MAX_BYTES = 1_000_000
TEXT = "Mara: Die Pumpe hält. — “Really?” said Ilse."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_an_encoding_with_its_mark_is_read(encoding: str) -> None:
    assert read_transcript(TEXT.encode(encoding), max_bytes=MAX_BYTES).text == TEXT


@pytest.mark.parametrize(
    ("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
)
def test_both_byte_orders_are_read(mark: bytes, encoding: str) -> None:
    assert read_transcript(mark + TEXT.encode(encoding), max_bytes=MAX_BYTES).text == TEXT


def test_an_old_windows_file_is_read() -> None:
    text = "Zoë: Das kostet fünf Euro, sagte Jörg – und die Straße wird schöner. " * 20

    assert read_transcript(text.encode("cp1252"), max_bytes=MAX_BYTES).text == text.strip()


@pytest.mark.parametrize("body", [b"", b" \r\n\t ", b"\xef\xbb\xbf", b"[00:00:01] "])
def test_a_file_without_words_is_refused_as_empty(body: bytes) -> None:
    with pytest.raises(BadTranscript) as refused:
        read_transcript(body, max_bytes=MAX_BYTES)

    assert refused.value.code == "empty"


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
        b"ID3\x04\x00\x00\x00\x00\x00\x0f" + bytes(range(256)) * 20,
        b"\xff\xfe" + b"\xd8\xdc" * 9,
        b"text and then \x00\x01\x02\x03 controls",
        b"\x00   ",
        b"\x00\x01\x02\xff" * 64,
    ],
    ids=["png", "mp3", "broken utf-16", "controls", "nul", "letters of two bytes without a space"],
)
def test_a_file_that_is_not_text_is_refused(body: bytes) -> None:
    with pytest.raises(BadTranscript) as refused:
        read_transcript(body, max_bytes=MAX_BYTES)

    assert refused.value.code == "not-text"


@pytest.mark.parametrize("line", [b"\n", b"a\n", b"\r"])
def test_a_file_of_too_many_lines_is_refused_before_it_fills_the_memory(line: bytes) -> None:
    with pytest.raises(BadTranscript) as refused:
        read_transcript(line * 4_000_001, max_bytes=20_000_000)

    assert refused.value.code == "too-large"


def test_line_ends_are_made_one_kind() -> None:
    assert (
        read_transcript(b"A: one\r\nB: two\rC: three\n", max_bytes=MAX_BYTES).text
        == "A: one\nB: two\nC: three"
    )


def test_a_stray_control_character_does_not_reach_the_prompt() -> None:
    body = ("word " * 1000 + "\x07 bell").encode()

    assert "\x07" not in read_transcript(body, max_bytes=MAX_BYTES).text


@pytest.mark.parametrize(
    "stamp", ["[00:12:33] ", "00:12:33 ", "(12:33) ", "[00:12:33.450] ", "1:02:33,450\t"]
)
def test_the_time_before_a_turn_is_left_out(stamp: str) -> None:
    assert read_transcript(
        f"{stamp}Mara: At 10:30 we sail.".encode(), max_bytes=MAX_BYTES
    ).text == ("Mara: At 10:30 we sail.")


def test_words_are_counted_as_they_will_be_sent() -> None:
    assert read_transcript(b"[00:00:01] Mara: one two three", max_bytes=MAX_BYTES).words == 4


def test_no_reason_quotes_the_file() -> None:
    with pytest.raises(BadTranscript) as refused:
        read_transcript(b"secret words \x00\x00\x00", max_bytes=MAX_BYTES)

    assert "secret" not in str(refused.value)

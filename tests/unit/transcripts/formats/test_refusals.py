"""What can't be read is refused with a reason that helps, and never quotes the file."""

import gzip
import json
import tracemalloc

import pytest

from core.errors import BadTranscript
from core.transcripts.reader import read_transcript

MAX_BYTES = 1_000_000
TEXT = b"Ann: The pump holds water.\n"


def refusal(body: bytes | str, max_bytes: int = MAX_BYTES) -> BadTranscript:
    with pytest.raises(BadTranscript) as refused:
        read_transcript(body.encode() if isinstance(body, str) else body, max_bytes=max_bytes)
    return refused.value


@pytest.mark.parametrize(
    "document",
    [
        {"found": "secret words"},
        ["secret words"],
        {"results": "secret words"},
        {"TranscriptionJob": {"TranscriptionJobStatus": "COMPLETED"}},
        {"id": "x", "status": "FAILED", "error": "secret words"},
        {"output": {"choices": [{"message": {"content": "secret words"}}]}},
        [],
        {},
    ],
    ids=str,
)
def test_unknown_json_is_refused_with_the_known_shapes(document: object) -> None:
    refused = refusal(json.dumps(document))

    assert refused.code == "unknown-format"
    for service in ("Transcribe", "Deepgram", "Google", "AssemblyAI", "Whisper"):
        assert service in str(refused)
    assert "secret" not in str(refused)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"results": {"transcripts": "secret"}}, "Amazon Transcribe's, but results.transcripts"),
        (
            {"results": {"items": [{"alternatives": [{"content": {"secret": 1}}]}]}},
            "results.items[0].alternatives[0].content is not text",
        ),
        (
            {"results": {"channels": [None, {"alternatives": ["secret"]}]}},
            "Deepgram's, but results.channels[1].alternatives[0] is not an object",
        ),
        ({"segments": [{"text": "a"}, {"text": ["secret"]}]}, "segments[1].text is not text"),
        ({"utterances": ["secret"]}, "AssemblyAI's, but utterances[0] is not an object"),
        ({"results": [{"alternatives": {"secret": 1}}]}, "results[0].alternatives is not a list"),
        (
            {"results": [{"alternatives": [], "channelTag": ["secret"]}]},
            "results[0].channelTag is not text",
        ),
    ],
    ids=[
        "Transcribe",
        "Transcribe item",
        "Deepgram",
        "Whisper",
        "AssemblyAI",
        "Google",
        "Google channel",
    ],
)
def test_a_member_of_the_wrong_kind_is_named(document: object, place: str) -> None:
    refused = refusal(json.dumps(document))

    assert refused.code == "damaged"
    assert place in str(refused)
    assert "secret" not in str(refused)


@pytest.mark.parametrize(
    "document",
    [
        {"results": {"transcripts": None, "items": [None], "audio_segments": []}},
        {"results": {"channels": [{"alternatives": []}], "utterances": None}},
        {"results": [{"alternatives": [{"transcript": None, "words": None}]}]},
        {"audio_url": "a", "text": None, "words": None, "utterances": None},
        {"segments": [{"start": None, "text": None, "words": [None]}], "text": ""},
        {"text": " \u0007 "},
    ],
    ids=["Transcribe", "Deepgram", "Google", "AssemblyAI", "Whisper", "controls only"],
)
def test_a_known_format_without_words_is_empty(document: object) -> None:
    assert refusal(json.dumps(document)).code == "empty"


def test_captions_without_words_are_empty() -> None:
    assert refusal("WEBVTT\n\nNOTE nothing said\n\n00:01.000 --> 00:02.000\n").code == "empty"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"segments": [\n{"text": "secret"', "line 2, column 18"),
        ('[{"text": "secret",}]', "line 1, column"),
        ('{"a": ' + "9" * 5000 + "}", "in a number"),
    ],
    ids=["cut short", "trailing comma", "endless number"],
)
def test_broken_json_is_refused_with_the_place(text: str, where: str) -> None:
    refused = refusal(text)

    assert refused.code == "damaged"
    assert where in str(refused)
    assert "secret" not in str(refused)


@pytest.mark.parametrize("text", ['{"a":' * 100_000, "[[" + "[" * 100_000, '[{"a":' * 100_000])
def test_json_that_is_nested_too_deep_is_refused(text: str) -> None:
    refused = refusal(text)

    assert refused.code == "damaged"


@pytest.mark.parametrize("levels", [101, 900, 5_000, 100_000])
def test_the_rule_for_nesting_is_ours_and_not_that_of_a_python(levels: int) -> None:
    document = '{"text": "one two", "more": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"

    refused = refusal(document)

    assert refused.code == "damaged"
    assert "more than 100 levels" in str(refused)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a": '])
def test_what_is_nested_too_deep_is_refused_for_that_also_where_it_is_cut_short(
    opening: str,
) -> None:
    for levels in (101, 5_000, 200_000):
        assert "more than 100 levels" in str(refusal(opening * levels))


def test_json_may_be_nested_as_deep_as_the_rule_says() -> None:
    document = '{"text": "one two", "more": ' + "[" * 99 + "]" * 99 + "}"

    assert read_transcript(document.encode(), max_bytes=MAX_BYTES).words == 2


@pytest.mark.parametrize("text", ["[Music] plays", "{laughs} yes", "[1] a footnote", "[00:01] hi"])
def test_text_that_begins_like_json_is_text(text: str) -> None:
    assert read_transcript(text.encode(), max_bytes=MAX_BYTES).words > 0


@pytest.mark.parametrize("damage", ["cut short", "wrong checksum", "rubbish behind", "head only"])
def test_broken_gzip_is_refused(damage: str) -> None:
    packed = gzip.compress(TEXT * 100)
    body = {
        "cut short": packed[:-12],
        "wrong checksum": packed[:-8] + b"\0\0\0\0" + packed[-4:],
        "rubbish behind": packed + b"rubbish",
        "head only": packed[:3],
    }[damage]

    assert refusal(body).code == "damaged"


def test_gzip_in_several_parts_is_read_whole() -> None:
    body = gzip.compress(TEXT) + gzip.compress(b"Bo: Well.\n")

    assert read_transcript(body, max_bytes=MAX_BYTES).text == (
        "Ann: The pump holds water.\nBo: Well."
    )


def test_a_gzipped_picture_is_not_text() -> None:
    assert refusal(gzip.compress(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 9)).code == "not-text"


def test_gzip_that_unpacks_to_too_much_is_refused_without_unpacking_it() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    tracemalloc.start()

    refused = refusal(bomb, max_bytes=MAX_BYTES)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.code == "too-large"
    assert peak < 4 * MAX_BYTES


def test_gzip_may_unpack_to_just_what_is_allowed() -> None:
    body = gzip.compress(TEXT)

    assert read_transcript(body, max_bytes=len(TEXT)).words == 5
    assert refusal(body, max_bytes=len(TEXT) - 1).code == "too-large"

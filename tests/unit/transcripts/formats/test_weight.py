"""JSON that would kill its reader is refused before it is read; a transcript never is."""

import pytest

from core.errors import BadTranscript
from core.transcripts.formats.weight import FUNCTION_BYTES, check_weight
from core.transcripts.reader import read_transcript
from tests.template.cloudformation import source

LARGEST = source()["Parameters"]["MaxTranscriptBytes"]["MaxValue"]
# What a byte of each took of memory when it was read, and what one of a transcript does at the most.
SMALL = ['{"":{}},', '{"a":1},', "{},", "[],", '{"a":[]},']
TRANSCRIPTS = [
    '{"word":"hello","start":12.34,"end":12.56,"score":0.98},',
    '{"type":"pronunciation","alternatives":[{"confidence":"0.99","content":"so"}],"start_time":"1.0"},',
    '{"start":12.34,"end":15.5,"speaker":"SPEAKER_01","text":"Then we buy a second one, I think."},',
]


def filled(unit: str, size_bytes: int) -> str:
    return f"[{unit * (size_bytes // len(unit))}0]"


@pytest.mark.parametrize("unit", SMALL)
def test_the_largest_upload_of_small_objects_is_refused_with_a_reason(unit: str) -> None:
    with pytest.raises(BadTranscript, match="fit into memory") as refused:
        check_weight(filled(unit, LARGEST), LARGEST)

    assert refused.value.code == "too-large"


@pytest.mark.parametrize("unit", TRANSCRIPTS)
def test_the_largest_upload_of_a_transcript_is_read(unit: str) -> None:
    check_weight(filled(unit, LARGEST), LARGEST)


def test_who_may_read_more_has_the_memory_for_it() -> None:
    heavy = filled(TRANSCRIPTS[0], 4 * LARGEST)

    check_weight(heavy, 8 * LARGEST)
    with pytest.raises(BadTranscript):
        check_weight(heavy, LARGEST)


def test_a_small_limit_refuses_no_small_file() -> None:
    check_weight(filled(SMALL[0], 1000), 1000)


def test_the_bounds_are_for_the_largest_upload_that_can_be_set() -> None:
    assert LARGEST == FUNCTION_BYTES


def test_an_upload_of_too_many_lines_is_refused_with_a_reason() -> None:
    body = b"a\n" * 1_500_001

    with pytest.raises(BadTranscript, match="more than 1,500,000 lines"):
        read_transcript(body, max_bytes=LARGEST)

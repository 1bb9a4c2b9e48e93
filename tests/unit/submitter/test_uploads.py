"""Uploads that are refused, with the reason that the job fails with."""

import pytest

from core.aws.names import is_transcript_name, suffix_of
from core.errors import BadTranscript
from submitter.uploads import MOST_DELIVERIES, check_deliveries, check_name
from tests.builders import a_source, submitter_settings
from tests.template.cloudformation import deployed

ACCEPTS = submitter_settings().upload_filter


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("calls/board.docx", "ends in .docx"),
        ("calls/board.PDF", "ends in .pdf"),
        ("board.pdf.gz", "ends in .pdf.gz"),
        ("v1.2/board", "has no suffix"),
        ("board.gz", "ends in .gz"),
        ("board.", "ends in ."),
    ],
)
def test_a_name_with_another_suffix_is_refused_with_what_is_accepted(key: str, said: str) -> None:
    with pytest.raises(BadTranscript, match=r"transcripts end in \.txt, \.md") as refused:
        check_name(a_source(key=key), ACCEPTS)

    assert refused.value.code == "unlisted-suffix"
    assert said in str(refused.value)


@pytest.mark.parametrize("key", ["a.txt", "a.MD", "a.txt.gz"])
def test_a_name_with_a_listed_suffix_passes(key: str) -> None:
    check_name(a_source(key=key), ACCEPTS)


def test_a_hidden_name_has_no_suffix() -> None:
    assert suffix_of("a/.profile") == ""


def test_a_large_file_that_killed_the_function_each_time_fails_at_the_last_delivery() -> None:
    large = a_source(size_bytes=20_000_000)

    check_deliveries(large, MOST_DELIVERIES - 1)
    with pytest.raises(BadTranscript, match="tried 4 times") as refused:
        check_deliveries(large, MOST_DELIVERIES)

    assert refused.value.code == "reading-crashed"


def test_a_small_file_is_tried_to_the_last() -> None:
    check_deliveries(a_source(size_bytes=1000), MOST_DELIVERIES)


def test_the_last_delivery_is_the_one_after_which_the_queue_gives_a_message_up() -> None:
    queue = deployed()["UploadQueue"]["Properties"]

    assert queue["RedrivePolicy"]["maxReceiveCount"] == MOST_DELIVERIES


def test_a_suffix_of_gzip_may_be_listed_itself() -> None:
    assert is_transcript_name("talks/a.gz", (".gz",))

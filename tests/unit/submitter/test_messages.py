import json
from dataclasses import replace

import pytest

from core.jobs.job import Source
from submitter.messages import (
    AttemptRequested,
    UnknownMessage,
    is_for_a_job,
    parse_message,
    parse_uploads,
)
from tests.builders import a_source, submitter_settings

ENCODED_KEYS = [
    ("harbour+board.txt", "harbour board.txt"),
    ("a%2Bb.txt", "a+b.txt"),
    ("100%25+sure.txt", "100% sure.txt"),
    ("s%C3%B8en/%E6%B8%AF.txt", "søen/港.txt"),
    ("o%CC%88.txt", "o\u0308.txt"),
    ("uploads%2Fmy+file.txt", "uploads/my file.txt"),
    ("quote%22%27.txt", "quote\"'.txt"),
    ("..%2F..%2Fetc%2Fpasswd.txt", "../../etc/passwd.txt"),
    ("%2541.txt", "%41.txt"),
]


def notification(key: str = "a.txt", **changes: object) -> dict[str, object]:
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-03-02T12:00:00.000Z",
        "s3": {
            "bucket": {"name": "transcripts"},
            "object": {"key": key, "size": 3, "eTag": "e", "sequencer": "01", "versionId": "v"},
        },
    } | changes
    return {"Records": [record]}


def eventbridge(key: str) -> dict[str, object]:
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-03-02T12:00:00Z",
        "detail": {
            "bucket": {"name": "transcripts"},
            "object": {"key": key, "size": 3, "etag": "e", "version-id": "v", "sequencer": "01"},
        },
    }


@pytest.mark.parametrize(("encoded", "key"), ENCODED_KEYS)
def test_a_key_in_a_notification_is_decoded(encoded: str, key: str) -> None:
    assert parse_uploads(notification(encoded))[0].key == key


@pytest.mark.parametrize(("encoded", "key"), ENCODED_KEYS)
def test_a_key_from_eventbridge_is_as_it_is(encoded: str, key: str) -> None:
    assert parse_uploads(eventbridge(encoded))[0].key == encoded


def test_both_event_shapes_describe_the_same_upload() -> None:
    assert parse_uploads(eventbridge("a.txt")) == parse_uploads(notification("a.txt"))


def test_every_record_of_a_notification_counts() -> None:
    event = notification("a.txt")
    event["Records"] += notification("b.txt")["Records"]  # type: ignore[operator]

    assert [source.key for source in parse_uploads(event)] == ["a.txt", "b.txt"]


def test_a_removal_and_s3s_test_event_are_no_uploads() -> None:
    assert parse_uploads(notification(eventName="ObjectRemoved:Delete")) == []
    assert parse_uploads({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []
    assert parse_uploads(eventbridge("a.txt") | {"detail-type": "Object Deleted"}) == []


def test_a_version_named_null_is_none() -> None:
    event = notification()
    event["Records"][0]["s3"]["object"]["versionId"] = "null"  # type: ignore[index]

    assert parse_uploads(event)[0].version_id == ""


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": None},
        {"Records": [{}]},
        {"Records": [{"eventName": "ObjectCreated:Put"}]},
        {"Records": ["text"]},
        notification("%FF.txt"),
        notification(eventTime="yesterday"),
        {"source": "aws.s3"},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
    ],
)
def test_what_is_no_event_of_s3_is_refused(event: object) -> None:
    if event == {"Records": [{}]}:
        assert parse_uploads(event) == []
        return
    with pytest.raises(UnknownMessage):
        parse_uploads(event)


def test_a_queue_message_holds_an_event_or_requests_an_attempt() -> None:
    wanted = json.dumps({"attempt_requested": {"job_id": "j", "call_id": "c"}})

    assert parse_message(wanted) == [AttemptRequested("j", "c")]
    assert isinstance(parse_message(json.dumps(notification()))[0], Source)


@pytest.mark.parametrize(
    "body", ["", "{", "null", '{"attempt_requested": {}}', '{"request_attempt": 1}']
)
def test_any_other_queue_message_is_refused(body: str) -> None:
    with pytest.raises(UnknownMessage):
        parse_message(body)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"key": "in/a.TXT"}, True),
        ({"key": "in/a.md"}, True),
        ({"key": "in/a.txt.gz"}, True),
        ({"key": "in/a.MD.GZ"}, True),
        ({"key": "in/_minutes.txt"}, True),
        ({"key": "in/a.pdf"}, True),
        ({"key": "in/a.pdf.gz"}, True),
        ({"key": "in/a"}, True),
        ({"key": "in/work/a.txt"}, True),
        ({"key": "in/folder.txt/"}, False),
        ({"key": "in/folder_$folder$"}, False),
        ({"key": "in/.DS_Store"}, False),
        ({"key": "in/_SUCCESS"}, False),
        ({"key": "in/calls/_glossary.txt"}, False),
        ({"key": "elsewhere/a.txt"}, False),
        ({"key": "elsewhere/a.pdf"}, False),
        ({"bucket": "somebody-elses"}, False),
    ],
)
def test_every_upload_gets_a_job_except_those_never_meant_as_a_transcript(
    changes: dict[str, str], expected: bool
) -> None:
    settings = submitter_settings()
    upload_filter = replace(settings.upload_filter, prefix="in/")
    source = replace(a_source(key="in/a.txt"), **changes)

    assert is_for_a_job(source, replace(settings, upload_filter=upload_filter)) is expected


@pytest.mark.parametrize("key", ["summaries/a.txt", "summaries/a.json", "work/0/level-0.txt"])
def test_our_own_output_is_never_mistaken_for_an_upload(key: str) -> None:
    settings = submitter_settings()
    resources = replace(settings.resources, output_bucket="transcripts")

    settings = replace(settings, resources=resources)
    assert not is_for_a_job(a_source(key=key), settings)
    assert is_for_a_job(a_source(key="a.txt"), settings)


def wrapped(message: object) -> dict[str, object]:
    """Return what SNS delivers to a queue, unless it delivers raw."""
    return {
        "Type": "Notification",
        "MessageId": "6d1d5e0c",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:uploads",
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(message),
        "Timestamp": "2026-03-02T12:00:01.000Z",
    }


class TestAnEventThatSnsHasWrapped:
    @pytest.mark.parametrize("event", [notification("a+b.txt"), eventbridge("a b.txt")])
    def test_is_read_like_the_others(self, event: dict[str, object]) -> None:
        (upload,) = parse_message(json.dumps(wrapped(event)))

        assert upload == parse_uploads(event)[0]

    def test_is_read_by_itself_too(self) -> None:
        record = {"EventSource": "aws:sns", "Sns": wrapped(notification("a+b.txt"))}

        (upload,) = parse_uploads({"Records": [record]})

        assert upload.key == "a b.txt"

    def test_of_s3s_own_test_announces_nothing(self) -> None:
        assert parse_message(json.dumps(wrapped({"Event": "s3:TestEvent"}))) == []

    @pytest.mark.parametrize("message", ["", "hello", "7", "null", None])
    def test_but_holds_none_is_unknown(self, message: object) -> None:
        with pytest.raises(UnknownMessage):
            parse_message(json.dumps(wrapped({}) | {"Message": message}))

    def test_asks_for_no_attempt(self) -> None:
        """Only the pipeline itself asks for attempts, and it sends to the queue."""
        wants = {"attempt_requested": {"job_id": "a" * 32, "call_id": "whole"}}

        with pytest.raises(UnknownMessage):
            parse_message(json.dumps(wrapped(wants)))

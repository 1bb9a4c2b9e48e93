"""A job's end is told: once it is on record, whoever ends it, and in the words of the schema."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from core import wiring
from core.errors import NoticesNotTaken
from core.jobs.audit import AuditEvent
from core.notices.notice import FAILED, PUBLISHED, notice_of
from tests.builders import JOB_ID, NOON, a_job, a_summary
from tests.fakes.cloud import Cloud
from tests.fakes.fake_stack import FakeStack
from tests.fakes.lambda_events import callback_event, s3_notification, sqs_batch
from tests.fakes.notices import EXAMPLES, Bus, JobsStream, example, problems, recorded_bus
from tests.fakes.operated import Operated

KEY = "calls/harbour.txt"
SPOKEN = "Ann: We buy a second pump, as the first one holds.\n" * 40


@pytest.fixture(name="dead_end")
def _dead_end(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    url = boto3.client("sqs").create_queue(QueueName="dead-end")["QueueUrl"]
    monkeypatch.setenv("NOTICE_DEAD_END_URL", url)
    return str(url)


@pytest.fixture(name="bus")
def _bus(dead_end: str) -> Iterator[Bus]:
    with recorded_bus(wiring.client("events")) as bus:
        yield bus


@pytest.fixture(name="stream")
def _stream(cloud: Cloud) -> JobsStream:
    return JobsStream()


def tell(cloud: Cloud, stream: JobsStream) -> None:
    """Let Lambda start the notifier with what has happened since, if that is any of its business."""
    ends = stream.ends()
    if ends:
        cloud.invoke("notifier", {"Records": ends})


def kept(dead_end: str) -> list[dict[str, Any]]:
    received = boto3.client("sqs").receive_message(QueueUrl=dead_end, MaxNumberOfMessages=10)
    return [json.loads(each["Body"]) for each in received.get("Messages", [])]


def upload(cloud: Cloud, key: str = KEY, body: str = "Ann: We buy a pump.\n" * 200) -> None:
    cloud.upload(key, body)
    etag = boto3.client("s3").head_object(Bucket="transcripts", Key=key)["ETag"].strip('"')
    cloud.runpod_takes()
    cloud.invoke("submitter", sqs_batch(s3_notification(key, etag)))


def call_back(cloud: Cloud, body: dict[str, Any]) -> None:
    webhook = cloud.sent_to_runpod()[-1]["webhook"]
    cloud.invoke("webhook_receiver", callback_event(webhook, body))
    for message in cloud.messages():
        cloud.invoke("submitter", sqs_batch(message))


# ---- what the functions do is told ---------------------------------------------------------------


def test_a_summary_is_told_once_it_is_published(
    cloud: Cloud, stream: JobsStream, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated = Operated(cloud, FakeStack(cloud, monkeypatch))
    operated.uploaded("calls/open.txt", SPOKEN)
    tell(cloud, stream)
    assert bus.events == []

    job = operated.summarised(KEY, SPOKEN)
    tell(cloud, stream)

    (event,) = [each for each in bus.events if each["detail"]["job_id"] == job.id]
    assert problems(event, "event") == []
    assert event["detail-type"] == PUBLISHED
    detail = event["detail"]
    assert (detail["id"], detail["job_id"]) == (f"{job.id}-succeeded", job.id)
    assert (detail["transcript"]["key"], detail["summary"]["key"]) == (KEY, job.summary_key)
    assert detail["summary"]["facts_key"] in cloud.summaries()
    assert job.summary
    assert detail["summary"]["words"] == job.summary.words
    assert "pump" not in json.dumps(event)


@pytest.mark.parametrize(
    ("key", "body", "code"),
    [("calls/empty.txt", " \n", "empty"), ("calls/picture.txt", "\x00\x01" * 900, "not-text")],
)
def test_an_upload_that_is_refused_is_told_although_its_job_never_ran(
    cloud: Cloud, stream: JobsStream, bus: Bus, key: str, body: str, code: str
) -> None:
    upload(cloud, key, body)
    tell(cloud, stream)

    (event,) = bus.events
    assert problems(event, "event") == []
    assert event["detail-type"] == FAILED
    assert event["detail"]["reason"]["code"] == code
    assert event["detail"]["transcript"]["words"] is None


def test_a_job_that_fails_at_runpod_is_told_with_its_reason(
    cloud: Cloud, stream: JobsStream, bus: Bus
) -> None:
    upload(cloud)
    call_back(cloud, {"id": "rp-1", "status": "CANCELLED"})
    tell(cloud, stream)

    (event,) = bus.events
    assert problems(event, "event") == []
    assert event["detail"]["reason"]["code"] == "cancelled"
    assert event["detail"]["id"].endswith("-failed")


def test_an_end_is_told_once_however_often_its_record_is_written_again(
    cloud: Cloud, stream: JobsStream, bus: Bus
) -> None:
    upload(cloud)
    call_back(cloud, {"id": "rp-1", "status": "CANCELLED"})
    store = cloud.store()
    job, _, _ = cloud.only_job()
    store.save_job(job.with_due_at(NOON))
    tell(cloud, stream)
    tell(cloud, stream)

    assert len(bus.events) == 1


def test_without_the_filter_of_the_template_the_same_is_told(
    cloud: Cloud, stream: JobsStream, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Operated(cloud, FakeStack(cloud, monkeypatch)).summarised(KEY, SPOKEN)
    cloud.store().save_job(cloud.store().load_job(job.id).with_due_at(NOON))
    changes = stream.changes()
    assert len(changes) > 3

    cloud.invoke("notifier", {"Records": changes})

    assert [event["detail-type"] for event in bus.events] == [PUBLISHED]


def test_more_than_one_request_takes_are_all_told(
    cloud: Cloud, stream: JobsStream, bus: Bus
) -> None:
    for number in range(11):
        upload(cloud, f"calls/{number}.txt", "")
    tell(cloud, stream)

    assert len({event["detail"]["id"] for event in bus.events}) == 11


# ---- what can't be told --------------------------------------------------------------------------


def test_while_eventbridge_is_down_the_records_come_again_and_nothing_is_given_up(
    cloud: Cloud, stream: JobsStream, bus: Bus, dead_end: str
) -> None:
    upload(cloud, body="")
    ends = stream.ends()
    bus.is_down = True
    with pytest.raises(NoticesNotTaken):
        cloud.invoke("notifier", {"Records": ends})
    assert kept(dead_end) == []

    bus.is_down = False
    cloud.invoke("notifier", {"Records": ends})
    assert len(bus.events) == 1


@pytest.mark.parametrize(
    ("code", "is_kept"), [("MalformedDetail", True), ("ThrottlingException", False)]
)
def test_one_refused_notice_stops_no_other_and_is_kept_if_it_always_will_be(
    cloud: Cloud, stream: JobsStream, bus: Bus, dead_end: str, code: str, is_kept: bool
) -> None:
    upload(cloud, "calls/1.txt", "")
    upload(cloud, "calls/2.txt", "")
    first, second = cloud.job_ids()
    bus.refuses = {f"{first}-failed": code}
    ends = stream.ends()

    if is_kept:
        cloud.invoke("notifier", {"Records": ends})
    else:
        with pytest.raises(NoticesNotTaken, match="ThrottlingException"):
            cloud.invoke("notifier", {"Records": ends})

    assert [event["detail"]["job_id"] for event in bus.events] == [second]
    assert [each["job_id"] for each in kept(dead_end)] == [first] * is_kept


def test_a_record_that_cannot_be_read_is_kept_and_stops_no_other(
    cloud: Cloud, stream: JobsStream, bus: Bus, dead_end: str, log: io.StringIO
) -> None:
    upload(cloud, "calls/1.txt", "")
    upload(cloud, "calls/2.txt", "")
    ends = stream.ends()
    del ends[0]["dynamodb"]["NewImage"]["source"]
    broken = ends[0]["dynamodb"]["Keys"]["job_id"]["S"]

    cloud.invoke("notifier", {"Records": ends})

    assert len(bus.events) == 1
    (letter,) = kept(dead_end)
    assert (letter["kind"], letter["job_id"]) == ("untold", broken)
    assert "can't be read" in letter["why"]
    assert broken in log.getvalue()


# ---- the schema ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_are_what_the_schema_says(kind: str) -> None:
    assert problems(EXAMPLES[kind], "event") == []


@pytest.mark.parametrize(
    "name", ["webhook-summary-published", "webhook-summary-failed", "webhook-test"]
)
def test_the_examples_of_the_webhook_are_what_the_schema_says(name: str) -> None:
    assert problems(example(name), "webhook") == []


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_schema_takes_nothing_more_and_nothing_less(kind: str) -> None:
    detail = EXAMPLES[kind]["detail"]
    for name in detail:
        less = {each: value for each, value in detail.items() if each != name}
        assert problems(EXAMPLES[kind] | {"detail": less}, "event")
    assert problems(EXAMPLES[kind] | {"detail": detail | {"text": "Ann said"}}, "event")
    inner = detail | {"transcript": detail["transcript"] | {"text": "Ann said"}}
    assert problems(EXAMPLES[kind] | {"detail": inner}, "event")


# ---- the notice itself ---------------------------------------------------------------------------


def test_a_notice_is_the_same_each_time_it_is_made() -> None:
    job = a_job().with_success(a_summary(), AuditEvent(at=NOON, by="test", why="done"))

    first = notice_of(job, stack="s", output_bucket="out")
    assert first == notice_of(job, stack="s", output_bucket="out")
    assert first.id == f"{JOB_ID}-succeeded"
    assert first.at == NOON


def test_a_job_that_goes_on_has_no_notice() -> None:
    with pytest.raises(ValueError, match="has not ended"):
        notice_of(a_job(), stack="s", output_bucket="out")

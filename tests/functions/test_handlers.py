"""Each handler with each file of events/, over moto's AWS: its answer and its effects."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from core import wiring
from core.aws.files import S3IntermediateStore
from core.errors import OutputRefused
from core.jobs.callback import CallRef, token_for
from core.jobs.lifecycle import SUBMITTING_TIME
from core.jobs.model import CallState
from core.summaries.levels import Level
from core.summaries.options import Mode
from core.telemetry import logger
from tests.builders import (
    API_KEY,
    JOB_ID,
    NOON,
    SECRET,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_request,
    an_event,
    completed_body,
    minutes,
)
from tests.fakes.cloud import EVENTS, RUNPOD, TRANSCRIPT, Cloud, running_cloud
from tests.fakes.lambda_events import callback_event

KEY = "calls/harbour board + pilot.txt"
SUMMARY = "summaries/calls/harbour board.txt"

# file: (status, job and call afterwards)
CALLBACKS = {
    "webhook-completed": (200, "succeeded", "succeeded"),
    "webhook-completed-native-format": (200, "succeeded", "succeeded"),
    "webhook-completed-base64": (200, "succeeded", "succeeded"),
    "webhook-completed-other-content-type": (200, "succeeded", "succeeded"),
    "webhook-completed-without-output": (200, "active", "waiting"),
    "webhook-failed-worker-lost": (200, "active", "waiting"),
    "webhook-failed-context-length": (200, "failed", "failed"),
    "webhook-cancelled": (200, "failed", "failed"),
    "webhook-timed-out": (200, "active", "waiting"),
    "webhook-in-progress": (200, "active", "submitted"),
    "webhook-unknown-state": (200, "active", "submitted"),
    "webhook-null-body": (200, "active", "submitted"),
    "webhook-no-body": (200, "active", "submitted"),
    "webhook-foreign-id": (409, "active", "submitted"),
    "webhook-not-json": (400, "active", "submitted"),
    "webhook-not-an-object": (400, "active", "submitted"),
    "webhook-wrong-token": (401, "active", "submitted"),
    "webhook-unknown-job": (404, "active", "submitted"),
}
# The same about a call of pull mode, whose summary lies where the worker was to put it.
PULL_CALLBACKS = {
    "webhook-manifest": (200, "succeeded", "succeeded"),
    "webhook-manifest-with-text": (200, "succeeded", "succeeded"),
    "webhook-manifest-wrong-checksum": (200, "active", "waiting"),
    "webhook-worker-fetch-expired": (200, "active", "waiting"),
    "webhook-worker-unreadable": (200, "failed", "failed"),
}
# file: (messages to come again, requests to RunPod)
SUBMISSIONS = {
    "submitter-s3-direct": (None, 1),
    "submitter-s3-unicode-key": (None, 1),
    "submitter-s3-folder-placeholder": (None, 0),
    "submitter-s3-test-event": (None, 0),
    "submitter-eventbridge-direct": (None, 1),
    "submitter-sqs-s3": (0, 1),
    "submitter-sqs-eventbridge": (0, 1),
    "submitter-sqs-duplicate": (0, 1),
    "submitter-sqs-test-event": (0, 0),
    "submitter-sqs-garbage-among-good": (1, 1),
    "submitter-sqs-attempt-requested": (0, 1),
}


def test_every_event_is_used() -> None:
    used = {*CALLBACKS, *PULL_CALLBACKS, *SUBMISSIONS, "sweeper-scheduled"}
    used.add("submitter-s3-not-a-transcript")  # in test_refused_uploads.py

    assert used == {path.stem for path in EVENTS.glob("*.json")}


def without_versions(event: dict[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Put the version that moto's buckets give into an event that names another."""
    text = json.dumps(event)
    listed = boto3.client("s3").list_objects_v2(Bucket="transcripts").get("Contents", [])
    etag = listed[0]["ETag"].strip('"') if listed else ""
    text = text.replace("096fKKXTRTtl3on89fVO.nfljtsv6qko", "null")
    changed: dict[str, Any] = json.loads(text.replace("9b2cf535f27731c974343645a3985328", etag))
    return changed


class TestTheSubmitter:
    @pytest.mark.parametrize("name", SUBMISSIONS)
    def test_takes_the_event(self, cloud: Cloud, name: str) -> None:
        again, requests = SUBMISSIONS[name]
        for key in (KEY, "anhørt/港 100%.txt"):
            cloud.upload(key)
        waiting = replace(a_call(CallState.WAITING), due_at=NOON)
        if name == "submitter-sqs-attempt-requested":
            source = replace(a_job().source, key=KEY, version_id="", etag="", sequencer="")
            far = NOON + minutes(60 * 24 * 365 * 50)
            cloud.holding(a_job(source=source, deadline=far), waiting)
            level = Level(number=0, chunks=["Mara: The pump holds."], tokens=[8])
            S3IntermediateStore(boto3.client("s3"), "out").record(
                JOB_ID, "layer-0", level.as_document()
            )
        if requests:
            cloud.runpod_takes()

        answer = cloud.invoke("submitter", without_versions(cloud.event(name), cloud))

        if again is not None:
            assert len(answer["batchItemFailures"]) == again
        assert len(cloud.sent_to_runpod()) == requests
        assert len(cloud.job_ids()) == requests

    def test_returns_exactly_the_message_that_is_garbage(self, cloud: Cloud) -> None:
        cloud.upload(KEY)
        cloud.runpod_takes()
        event = without_versions(cloud.event("submitter-sqs-garbage-among-good"), cloud)

        answer = cloud.invoke("submitter", event)

        (failure,) = answer["batchItemFailures"]
        assert failure == {"itemIdentifier": event["Records"][0]["messageId"]}

    def test_returns_every_message_when_the_table_is_out_of_reach(self, cloud: Cloud) -> None:
        cloud.upload(KEY)
        boto3.client("dynamodb").delete_table(TableName="jobs")

        answer = cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

        assert len(answer["batchItemFailures"]) == 1
        assert cloud.sent_to_runpod() == []

    def test_raises_for_an_event_by_itself_so_that_lambda_tries_again(self, cloud: Cloud) -> None:
        cloud.upload(KEY)
        boto3.client("dynamodb").delete_table(TableName="jobs")

        with pytest.raises(ClientError, match="ResourceNotFound"):
            cloud.invoke("submitter", without_versions(cloud.event("submitter-s3-direct"), cloud))

    def test_records_a_file_that_is_no_text_and_does_not_want_it_again(self, cloud: Cloud) -> None:
        cloud.upload(KEY, b"\x89PNG\r\n\x1a\n\x00\x00\x00\r")

        answer = cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

        assert answer["batchItemFailures"] == []
        assert cloud.only_job()[0].reason_code == "not-text"

    def test_uses_the_key_from_secrets_manager(self, cloud: Cloud) -> None:
        cloud.upload(KEY)
        cloud.runpod_takes()

        cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

        (call,) = cloud.runpod.calls
        assert call.request.headers["Authorization"] == f"Bearer {API_KEY}"


@pytest.fixture
def holding(cloud: Cloud) -> Cloud:
    cloud.holding(a_job(), a_call())
    return cloud


class TestTheReceiver:
    @pytest.mark.parametrize("name", CALLBACKS)
    def test_takes_the_callback(self, holding: Cloud, name: str) -> None:
        status, job_state, call_state = CALLBACKS[name]

        answer = holding.invoke("webhook_receiver", holding.event(name))

        job, (call,), _ = holding.history()
        assert answer["statusCode"] == status
        assert (job.state, call.state) == (job_state, call_state)
        assert (SUMMARY in holding.summaries()) == (job_state == "succeeded")

    @pytest.mark.parametrize("name", PULL_CALLBACKS)
    def test_takes_the_callback_of_pull_modes_worker(self, cloud: Cloud, name: str) -> None:
        cloud.holding(a_job(options=a_request(mode=Mode.PULL)), a_call())
        place = {"Bucket": "out", "Key": f"work/{JOB_ID}/whole.1.txt"}
        boto3.client("s3").put_object(**place, Body=SUMMARY_TEXT.encode())

        answer = cloud.invoke("webhook_receiver", cloud.event(name))

        job, (call,), _ = cloud.history()
        assert (answer["statusCode"], job.state, call.state) == PULL_CALLBACKS[name]
        assert (SUMMARY in cloud.summaries()) == (job.state == "succeeded")

    @pytest.mark.parametrize("name", [name for name, row in CALLBACKS.items() if row[0] == 401])
    def test_reads_nothing_before_the_token_is_right(self, holding: Cloud, name: str) -> None:
        holding.invoke("webhook_receiver", holding.event(name))

        services = {request.split(".")[0] for request in holding.requests}
        assert services == {"secretsmanager"}

    def test_refuses_a_callback_without_a_token(self, holding: Cloud) -> None:
        event = holding.event("webhook-completed")
        del event["pathParameters"]["token"]

        assert holding.invoke("webhook_receiver", event)["statusCode"] == 401
        assert holding.history()[0].state == "active"

    def test_refetches_the_secret_once_in_a_while_however_many_tokens_are_wrong(
        self, holding: Cloud
    ) -> None:
        for _ in range(20):
            holding.invoke("webhook_receiver", holding.event("webhook-wrong-token"))

        assert holding.requests["secretsmanager.GetSecretValue"] == 2

    def test_takes_a_token_of_a_secret_that_was_rotated_in_meanwhile(self, holding: Cloud) -> None:
        holding.invoke("webhook_receiver", holding.event("webhook-in-progress"))
        new = "n" * 40
        boto3.client("secretsmanager").put_secret_value(
            SecretId="callback",
            SecretString=json.dumps({"current": new, "previous": SECRET.decode()}),
        )
        event = holding.event("webhook-completed")
        event["pathParameters"]["token"] = token_for(CallRef(JOB_ID, "whole", 1), new.encode())

        assert holding.invoke("webhook_receiver", event)["statusCode"] == 200

    def test_takes_a_token_of_the_secret_that_is_being_replaced(self, holding: Cloud) -> None:
        boto3.client("secretsmanager").put_secret_value(
            SecretId="callback",
            SecretString=json.dumps({"current": "n" * 40, "previous": SECRET.decode()}),
        )

        answer = holding.invoke("webhook_receiver", holding.event("webhook-completed"))

        assert answer["statusCode"] == 200

    def test_answers_a_duplicate_with_200_and_does_nothing(self, holding: Cloud) -> None:
        holding.invoke("webhook_receiver", holding.event("webhook-completed"))
        before = holding.history()

        answer = holding.invoke("webhook_receiver", holding.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert holding.history() == before

    def test_raises_when_it_can_not_write_so_that_runpod_calls_again(self, holding: Cloud) -> None:
        bucket = boto3.resource("s3").Bucket("out")
        bucket.delete()

        with pytest.raises(OutputRefused, match="NoSuchBucket"):
            holding.invoke("webhook_receiver", holding.event("webhook-completed"))
        boto3.client("s3").create_bucket(Bucket="out")
        again = holding.invoke("webhook_receiver", holding.event("webhook-completed"))

        assert again["statusCode"] == 200
        assert holding.summaries() == [SUMMARY.replace(".txt", ".json"), SUMMARY]

    def test_leaves_a_callback_without_a_body_to_the_sweeper(self, holding: Cloud) -> None:
        job, call = holding.store().load(JOB_ID, "whole")
        later = NOON + minutes(60 * 24 * 365 * 50)
        holding.store().save_call(call.with_due_at(later))

        holding.invoke("webhook_receiver", holding.event("webhook-null-body"))

        _, call = holding.store().load(JOB_ID, "whole")
        assert call.due_at is not None
        assert call.due_at < later

    def test_requests_another_attempt_through_the_queue(self, holding: Cloud) -> None:
        holding.invoke("webhook_receiver", holding.event("webhook-failed-worker-lost"))

        sent = boto3.client("sqs").get_queue_attributes(
            QueueUrl=holding.queue_url, AttributeNames=["All"]
        )["Attributes"]
        assert sent["ApproximateNumberOfMessagesDelayed"] == "1"


class TestTheReceiverThatVerifies:
    @pytest.fixture
    def verifying(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
        with running_cloud(monkeypatch, VERIFY_CALLBACKS="true") as cloud:
            cloud.holding(a_job(), a_call())
            yield cloud

    def test_believes_runpod_and_not_the_callback(self, verifying: Cloud) -> None:
        verifying.runpod_says({"id": "rp-1", "status": "IN_PROGRESS"})

        answer = verifying.invoke("webhook_receiver", verifying.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert verifying.history()[0].state == "active"
        assert verifying.summaries() == []

    def test_asks_runpod_only_for_the_status_of_a_request(self, verifying: Cloud) -> None:
        """Anyone who knows the URL can choose the id, which becomes part of a path requested with our key."""
        event = verifying.event("webhook-completed")
        event["body"] = json.dumps(completed_body() | {"id": "../purge-queue"})

        answer = verifying.invoke("webhook_receiver", event)

        assert answer["statusCode"] == 400
        assert len(verifying.runpod.calls) == 0

    @pytest.fixture
    def unanswered(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
        """RunPod's answer to POST /run, which has the attempt's id, is not on record."""
        with running_cloud(monkeypatch, VERIFY_CALLBACKS="true") as cloud:
            cloud.holding(a_job(), a_call(CallState.SUBMITTING, due_at=NOON + minutes(9)))
            yield cloud

    def test_trusts_no_report_until_the_attempts_own_request_is_known(
        self, unanswered: Cloud
    ) -> None:
        event = unanswered.event("webhook-completed")
        event["body"] = json.dumps(completed_body("Another's.", id="rp-of-another-job"))

        answer = unanswered.invoke("webhook_receiver", event)

        assert answer["statusCode"] == 503  # RunPod calls again, when the answer may be on record
        assert len(unanswered.runpod.calls) == 0
        assert unanswered.summaries() == []
        assert "rp-of-another-job" not in repr(unanswered.history())

    def test_believes_the_attempts_own_request_once_it_is_known(self, unanswered: Cloud) -> None:
        unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))
        _, call = unanswered.store().load(JOB_ID, "whole")
        unanswered.store().save_call(call.with_submission("rp-1", an_event()))
        unanswered.runpod_says(completed_body())

        answer = unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert SUMMARY in unanswered.summaries()

    def test_lets_the_sweeper_look_as_soon_as_no_submitter_can_be_at_it(
        self, monkeypatch: pytest.MonkeyPatch, unanswered: Cloud
    ) -> None:
        monkeypatch.setattr(wiring, "now", lambda: NOON)

        unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))

        _, (call,), events = unanswered.history()
        assert call.due_at == NOON + SUBMITTING_TIME
        assert events[-1].what == "callback before RunPod's answer"

    def test_has_nothing_to_do_where_the_call_has_ended(self, unanswered: Cloud) -> None:
        _, call = unanswered.store().load(JOB_ID, "whole")
        unanswered.store().save_call(call.with_failure("deadline", an_event()))

        answer = unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert len(unanswered.runpod.calls) == 0

    def test_records_what_runpod_reports(self, verifying: Cloud) -> None:
        verifying.runpod_says(completed_body(f"{SUMMARY_TEXT} Indeed."))

        verifying.invoke("webhook_receiver", verifying.event("webhook-completed"))

        body = boto3.client("s3").get_object(Bucket="out", Key=SUMMARY)["Body"].read()
        assert body.decode() == f"{SUMMARY_TEXT} Indeed.\n"

    def test_leaves_what_runpod_does_not_know_to_the_sweeper(
        self, monkeypatch: pytest.MonkeyPatch, verifying: Cloud
    ) -> None:
        """Found by simulation seed 43: /status may not know the callback's request yet."""
        monkeypatch.setattr(wiring, "now", lambda: NOON)
        verifying.runpod.get(f"{RUNPOD}/status/rp-1", status=404, json={"status": 404})

        answer = verifying.invoke("webhook_receiver", verifying.event("webhook-completed"))

        _, (call,), events = verifying.history()
        assert answer["statusCode"] == 200
        assert call.state == "submitted"  # no further attempt is paid for
        assert call.due_at == NOON
        assert events[-1].what == "callback not confirmed"


class TestTheSweeper:
    def test_settles_a_call_whose_callback_was_lost(self, holding: Cloud) -> None:
        holding.runpod_says(completed_body())

        answer = holding.invoke("sweeper", holding.event("sweeper-scheduled"))

        assert answer == {"lost callback": 1}
        assert holding.history()[0].state == "succeeded"
        assert SUMMARY in holding.summaries()

    def test_publishes_how_many_callbacks_were_lost(
        self, holding: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        holding.runpod_says(completed_body())

        holding.invoke("sweeper", holding.event("sweeper-scheduled"))

        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (metrics,) = [line for line in lines if "CallbacksLost" in line]
        assert metrics["CallbacksLost"] == [1.0]

    def test_explains_why_it_can_poll_no_call(
        self, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, holding: Cloud
    ) -> None:
        monkeypatch.setattr(wiring, "now", lambda: NOON + minutes(10))
        holding.runpod.get(f"{RUNPOD}/status/rp-1", status=401, json={"error": "unauthorized"})

        answer = holding.invoke("sweeper", holding.event("sweeper-scheduled"))

        assert answer == {"left for the next sweep": 1}
        assert "RunPod can't be asked: RunPod refused the API key with 401" in log.getvalue()

    def test_has_nothing_to_do_when_nothing_is_due(self, cloud: Cloud) -> None:
        assert cloud.invoke("sweeper", cloud.event("sweeper-scheduled")) == {}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return what the functions log, as Lambda would print it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


class TestTheWholeWay:
    def submit(self, cloud: Cloud) -> tuple[str, dict[str, Any]]:
        """Upload and submit; return the job's id and the callback that RunPod would make."""
        cloud.upload(KEY)
        cloud.runpod_takes()
        event = without_versions(cloud.event("submitter-sqs-s3"), cloud)
        assert cloud.invoke("submitter", event)["batchItemFailures"] == []
        callback = cloud.event("webhook-completed")
        callback |= callback_event(cloud.sent_to_runpod()[0]["webhook"], callback["body"])
        return callback["pathParameters"]["job_id"], callback

    def test_takes_at_most_nine_requests_of_aws(self, cloud: Cloud) -> None:
        """Secrets Manager is asked once in five minutes; Lambda's polling of the queue is its own."""
        _, callback = self.submit(cloud)
        cloud.invoke("webhook_receiver", callback)

        assert cloud.requests.total() - cloud.requests["secretsmanager.GetSecretValue"] <= 9
        assert dict(cloud.requests) == {
            "s3.GetObject": 1,
            "dynamodb.TransactWriteItems": 2,
            "dynamodb.UpdateItem": 2,
            "dynamodb.BatchGetItem": 1,
            "s3.PutObject": 3,  # what the model is shown, the summary, its facts
            "secretsmanager.GetSecretValue": 3,
        }

    def test_leaves_nothing_secret_and_no_words_in_logs_and_metrics(
        self, cloud: Cloud, capfd: pytest.CaptureFixture[str], log: io.StringIO
    ) -> None:
        _, callback = self.submit(cloud)
        token = callback["pathParameters"]["token"]
        cloud.invoke("webhook_receiver", callback)
        cloud.invoke("webhook_receiver", callback)
        cloud.invoke("sweeper", cloud.event("sweeper-scheduled"))
        wrong = cloud.event("webhook-wrong-token")
        cloud.invoke("webhook_receiver", wrong)

        logged = log.getvalue() + "".join(capfd.readouterr())
        assert "callback: succeeded" in logged
        assert "callback refused: token" in logged
        for secret in (token, SECRET.decode(), API_KEY, "hooks.invalid", "pump", "A" * 43):
            assert secret not in logged

    def test_keeps_secrets_and_words_out_of_the_table(self, cloud: Cloud) -> None:
        _, callback = self.submit(cloud)
        cloud.invoke("webhook_receiver", callback)

        stored = json.dumps(boto3.client("dynamodb").scan(TableName="jobs")["Items"])
        for secret in (callback["pathParameters"]["token"], API_KEY, "hooks.invalid", "pump"):
            assert secret not in stored

    def test_ends_in_a_summary_with_its_facts(self, cloud: Cloud) -> None:
        job_id, callback = self.submit(cloud)
        cloud.invoke("webhook_receiver", callback)

        job, _, events = cloud.history(job_id)
        key = "summaries/calls/harbour board + pilot.txt"
        stored = boto3.client("s3").get_object(Bucket="out", Key=key)
        assert stored["Body"].read().decode().startswith("# The harbour board")
        assert stored["Metadata"]["job-id"] == job_id
        assert job.words_in == len(TRANSCRIPT.split()) - 2  # without the two times
        assert [event.by for event in events] == ["submitter"] * 3 + ["webhook_receiver"] * 3

"""Each handler with each file of events/, over moto's AWS: its answer and its effects."""

import io
import json
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from core import wiring
from core.aws.files import S3IntermediateStore
from core.errors import OutputRefused
from core.jobs.call import CallState
from core.jobs.callback import CallRef, token_for
from core.jobs.job import Job
from core.jobs.material import Material, MaterialStore, goal
from core.summaries.engine import next_round
from core.summaries.glossary import Glossary
from core.summaries.passages import numbered
from core.summaries.rounds import Round
from core.transcripts.turns import Turn
from tests.builders import (
    API_KEY,
    JOB_ID,
    NOON,
    SECRET,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_pull_call,
    a_pull_job,
    completed_body,
    minutes,
)
from tests.fakes.cloud import EVENTS, KEY, RUNPOD, SUMMARY, Cloud, without_versions

ANSWER = f"work/{JOB_ID}/1-0.txt"  # where a call's text waits for the rest of its stage
# file: (status, job and call afterwards)
CALLBACKS = {
    "webhook-completed": (200, "active", "succeeded"),
    "webhook-completed-native-format": (200, "active", "succeeded"),
    "webhook-completed-base64": (200, "active", "succeeded"),
    "webhook-completed-other-content-type": (200, "active", "succeeded"),
    "webhook-completed-without-output": (200, "active", "waiting"),
    "webhook-failed-worker-lost": (200, "active", "waiting"),
    "webhook-failed-context-length": (200, "active", "failed"),
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


class TestTheSubmitter:
    @pytest.mark.parametrize("name", SUBMISSIONS)
    def test_handles_the_event(self, cloud: Cloud, name: str) -> None:
        again, requests = SUBMISSIONS[name]
        for key in (KEY, "anhørt/港 100%.txt"):
            cloud.upload(key)
        waiting = replace(a_call(CallState.WAITING), due_at=NOON)
        if name == "submitter-sqs-attempt-requested":
            source = replace(a_job().source, key=KEY, version_id="", etag="", sequencer="")
            far = NOON + minutes(60 * 24 * 365 * 50)
            job = a_job(source=source, deadline=far)
            cloud.holding(job, replace(waiting, ask=self.stage_begun(job)))
        if requests:
            cloud.runpod_takes()

        answer = cloud.invoke("submitter", without_versions(cloud.event(name), cloud))

        if again is not None:
            assert len(answer["batchItemFailures"]) == again
        assert len(cloud.sent_to_runpod()) == requests
        assert len(cloud.job_ids()) == requests

    def stage_begun(self, job: Job) -> str:
        """Store what a job's first stage asks, and return the name of its one ask."""
        passages = numbered([Turn(text="The pump holds.", speaker="Mara")])
        plan = next_round(passages, goal(job, Glossary()), job.limits, [])
        assert isinstance(plan, Round)
        store = S3IntermediateStore(boto3.client("s3"), "out")
        MaterialStore(intermediate_store=store).keep(
            job, Material(passages=passages, glossary=Glossary(), first=plan)
        )
        return plan.asks[0].name

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

    def test_records_a_file_that_is_no_text_and_accepts_its_message(self, cloud: Cloud) -> None:
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
    def test_handles_the_callback(self, holding: Cloud, name: str) -> None:
        status, job_state, call_state = CALLBACKS[name]

        answer = holding.invoke("webhook_receiver", holding.event(name))

        job, (call,), _ = holding.history()
        assert answer["statusCode"] == status
        assert (job.state, call.state) == (job_state, call_state)
        assert (ANSWER in holding.summaries()) == (call_state == "succeeded")

    @pytest.mark.parametrize("name", PULL_CALLBACKS)
    def test_handles_the_callback_of_pull_modes_worker(self, cloud: Cloud, name: str) -> None:
        cloud.holding(a_pull_job(), a_pull_call())
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

    def test_accepts_a_token_of_a_secret_that_was_rotated_in_meanwhile(
        self, holding: Cloud
    ) -> None:
        holding.invoke("webhook_receiver", holding.event("webhook-in-progress"))
        new = "n" * 40
        boto3.client("secretsmanager").put_secret_value(
            SecretId="callback",
            SecretString=json.dumps({"current": new, "previous": SECRET.decode()}),
        )
        event = holding.event("webhook-completed")
        event["pathParameters"]["token"] = token_for(CallRef(JOB_ID, "1-0", 1), new.encode())

        assert holding.invoke("webhook_receiver", event)["statusCode"] == 200

    def test_accepts_a_token_of_the_secret_that_is_being_replaced(self, holding: Cloud) -> None:
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
        assert holding.summaries() == [ANSWER]

    def test_raises_when_it_can_not_publish_so_that_runpod_calls_again(self, cloud: Cloud) -> None:
        cloud.holding(a_pull_job(), a_pull_call())
        boto3.resource("s3").Bucket("out").delete()

        with pytest.raises(OutputRefused, match="NoSuchBucket"):
            cloud.invoke("webhook_receiver", cloud.event("webhook-manifest-with-text"))
        boto3.client("s3").create_bucket(Bucket="out")
        again = cloud.invoke("webhook_receiver", cloud.event("webhook-manifest-with-text"))

        assert again["statusCode"] == 200
        assert cloud.summaries() == [SUMMARY.replace(".txt", ".json"), SUMMARY]

    def test_leaves_what_a_newer_release_has_written_to_that_release(self, holding: Cloud) -> None:
        dynamodb = boto3.client("dynamodb")
        key = {"job_id": {"S": JOB_ID}, "item": {"S": "job"}}
        schema = dynamodb.update_item(
            TableName="jobs",
            Key=key,
            UpdateExpression="SET #schema = #schema + :more",
            ExpressionAttributeNames={"#schema": "schema"},
            ExpressionAttributeValues={":more": {"N": "1"}},
            ReturnValues="ALL_NEW",
        )["Attributes"]

        answer = holding.invoke("webhook_receiver", holding.event("webhook-completed"))

        assert answer["statusCode"] == 503  # RunPod calls again; after that the sweeper looks
        assert dynamodb.get_item(TableName="jobs", Key=key)["Item"] == schema
        assert ANSWER not in holding.summaries()

    def test_leaves_a_callback_without_a_body_to_the_sweeper(self, holding: Cloud) -> None:
        job, call = holding.store().load(JOB_ID, "1-0")
        later = NOON + minutes(60 * 24 * 365 * 50)
        holding.store().save_call(call.with_due_at(later))

        holding.invoke("webhook_receiver", holding.event("webhook-null-body"))

        _, call = holding.store().load(JOB_ID, "1-0")
        assert call.due_at is not None
        assert call.due_at < later

    def test_requests_another_attempt_through_the_queue(self, holding: Cloud) -> None:
        holding.invoke("webhook_receiver", holding.event("webhook-failed-worker-lost"))

        sent = boto3.client("sqs").get_queue_attributes(
            QueueUrl=holding.queue_url, AttributeNames=["All"]
        )["Attributes"]
        assert sent["ApproximateNumberOfMessagesDelayed"] == "1"


class TestTheSweeper:
    def test_settles_a_call_whose_callback_was_lost(self, holding: Cloud) -> None:
        holding.runpod_says(completed_body())

        answer = holding.invoke("sweeper", holding.event("sweeper-scheduled"))

        assert answer == {"lost callback": 1}
        assert holding.history()[1][0].state == "succeeded"
        assert ANSWER in holding.summaries()
        assert holding.messages() == [{"next_stage_requested": {"job_id": JOB_ID}}]

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

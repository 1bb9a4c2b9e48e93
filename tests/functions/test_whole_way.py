"""One upload through all three handlers: how many requests it costs, and where no secret may be."""

import io
import json
from typing import Any

import boto3
import pytest

from tests.builders import API_KEY, SECRET
from tests.fakes.cloud import KEY, TRANSCRIPT, Cloud, without_versions
from tests.fakes.lambda_events import callback_event


def finish(cloud: Cloud, callback: dict[str, Any]) -> None:
    """Let RunPod call back: the receiver publishes what the one answer makes."""
    cloud.invoke("webhook_receiver", callback)
    assert cloud.messages() == []


class TestOneUpload:
    def submit(self, cloud: Cloud) -> tuple[str, dict[str, Any]]:
        """Upload and submit; return the job's id and the callback that RunPod would make."""
        cloud.upload(KEY)
        cloud.runpod_takes()
        event = without_versions(cloud.event("submitter-sqs-s3"), cloud)
        assert cloud.invoke("submitter", event)["batchItemFailures"] == []
        callback = cloud.event("webhook-completed")
        callback |= callback_event(cloud.sent_to_runpod()[0]["webhook"], callback["body"])
        return callback["pathParameters"]["job_id"], callback

    def test_takes_twelve_requests_of_aws(self, cloud: Cloud) -> None:
        """Secrets Manager is asked once in five minutes; Lambda's polling of the queue is its own."""
        _, callback = self.submit(cloud)
        finish(cloud, callback)

        assert dict(cloud.requests) == {
            "s3.GetObject": 4,  # the upload; a glossary in each of its two folders; the material
            "dynamodb.TransactWriteItems": 2,  # job and call: recorded, ended
            "dynamodb.UpdateItem": 2,  # RunPod's id; the mark that it is being published
            "dynamodb.BatchGetItem": 1,
            "s3.PutObject": 3,  # the material; summary, facts
            "secretsmanager.GetSecretValue": 3,
        }

    def test_leaves_nothing_secret_and_no_words_in_logs_and_metrics(
        self, cloud: Cloud, capfd: pytest.CaptureFixture[str], log: io.StringIO
    ) -> None:
        _, callback = self.submit(cloud)
        token = callback["pathParameters"]["token"]
        finish(cloud, callback)
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
        finish(cloud, callback)

        stored = json.dumps(boto3.client("dynamodb").scan(TableName="jobs")["Items"])
        for secret in (callback["pathParameters"]["token"], API_KEY, "hooks.invalid", "pump"):
            assert secret not in stored

    def test_ends_in_a_summary_with_its_facts(self, cloud: Cloud) -> None:
        job_id, callback = self.submit(cloud)
        finish(cloud, callback)

        job, _, events = cloud.history(job_id)
        key = "summaries/calls/harbour board + pilot.txt"
        stored = boto3.client("s3").get_object(Bucket="out", Key=key)
        assert stored["Body"].read().decode().startswith("# The harbour board")
        assert stored["Metadata"]["job-id"] == job_id
        assert job.words_in == len(TRANSCRIPT.split()) - 4  # without the times and the names
        assert [event.by for event in events] == [
            *["submitter"] * 4,
            *["webhook_receiver"] * 3,
        ]

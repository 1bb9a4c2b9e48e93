"""What pull mode costs on AWS, over moto."""

import json
from collections.abc import Iterator

import boto3
import pytest

from core.jobs.job import JobState
from core.runpod.work_order import (
    parse_work_order,
)
from tests.builders import (
    SUMMARY_TEXT,
    a_manifest,
    manifest_body,
)
from tests.fakes.cloud import Cloud, running_cloud
from tests.fakes.lambda_events import callback_event
from tests.fakes.model import ref_of

SUMMARY = SUMMARY_TEXT.encode()


class TestThePrice:
    @pytest.fixture
    def cloud(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
        with running_cloud(monkeypatch, MODE="pull") as cloud:
            yield cloud

    def test_is_eleven_requests_of_aws_and_no_byte_of_the_transcript(
        self, cloud: Cloud, capfd: pytest.CaptureFixture[str]
    ) -> None:
        cloud.upload("calls/harbour board + pilot.txt")
        cloud.runpod_takes()
        event = cloud.event("submitter-s3-direct")
        s3_object = event["Records"][0]["s3"]["object"]
        s3_object["versionId"] = ""
        s3_object["eTag"] = ""
        cloud.invoke("submitter", event)
        (request,) = cloud.sent_to_runpod()
        order = parse_work_order(request["input"])
        ref = ref_of(request)
        boto3.client("s3").put_object(
            Bucket="out", Key=f"work/{ref.job_id}/{ref.call_id}.1.txt", Body=SUMMARY
        )
        body = manifest_body(a_manifest()) | {"input": request["input"]}
        cloud.invoke("webhook_receiver", callback_event(request["webhook"], body))

        assert cloud.only_job()[0].state is JobState.SUCCEEDED
        assert dict(cloud.requests) == {
            # The upload, left unread; a glossary in each of its two folders; the summary, to be verified.
            "s3.GetObject": 4,
            "dynamodb.TransactWriteItems": 3,
            "dynamodb.UpdateItem": 1,
            "dynamodb.BatchGetItem": 1,
            "s3.PutObject": 2,
            "secretsmanager.GetSecretValue": 3,
        }
        stored = json.dumps(boto3.client("dynamodb").scan(TableName="jobs")["Items"])
        logged = "".join(capfd.readouterr()) + stored
        signature = order.get_url.partition("X-Amz-Signature=")[2][:32]
        assert len(signature) == 32
        for secret in (signature, "X-Amz", request["webhook"].rpartition("/")[2]):
            assert secret not in logged

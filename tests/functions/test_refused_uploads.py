"""An upload that can't be read is a job that failed, with a reason that is true."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.aws.files import S3Transcripts
from core.aws.forbidden import forbidden
from core.jobs.job import Source
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN, MOST_DELIVERIES
from tests.fakes.cloud import KEY, Cloud, without_versions

REFUSAL = ClientError(
    {
        "Error": {
            "Code": "AccessDenied",
            "Message": "not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:"
            "123456789012:key/0b1c",
        }
    },
    "GetObject",
)


@pytest.fixture
def s3_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: S3Transcripts, source: Source) -> dict[str, Any]:
        refusal = forbidden(REFUSAL, f"reading {source.key}")
        assert refusal is not None
        raise refusal

    monkeypatch.setattr(S3Transcripts, "_get", refuse)


def delivered(cloud: Cloud, deliveries: int) -> dict[str, Any]:
    event = without_versions(cloud.event("submitter-sqs-s3"), cloud)
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(deliveries)
    return cloud.invoke("submitter", event)


def test_an_unlisted_suffix_fails_the_job_and_says_what_is_accepted(cloud: Cloud) -> None:
    cloud.invoke("submitter", cloud.event("submitter-s3-not-a-transcript"))

    job, calls, _ = cloud.only_job()
    assert (job.state, job.reason_code, calls) == ("failed", "unlisted-suffix", [])
    assert "ends in .mp3" in job.reason
    assert cloud.requests["s3.GetObject"] == 0


@pytest.mark.usefixtures("s3_refuses")
def test_a_refusal_of_s3_is_waited_out_before_it_fails_the_job(cloud: Cloud) -> None:
    early = delivered(cloud, DELIVERIES_BEFORE_FORBIDDEN - 1)
    assert len(early["batchItemFailures"]) == 1
    assert cloud.job_ids() == []

    last = delivered(cloud, DELIVERIES_BEFORE_FORBIDDEN)

    assert last["batchItemFailures"] == []
    job = cloud.only_job()[0]
    assert job.reason_code == "forbidden"
    assert f"reading {KEY} was refused: kms:Decrypt" in job.reason


@pytest.mark.usefixtures("s3_refuses")
def test_an_event_that_is_never_redelivered_fails_the_job_at_once(cloud: Cloud) -> None:
    cloud.invoke("submitter", without_versions(cloud.event("submitter-s3-direct"), cloud))

    assert cloud.only_job()[0].reason_code == "forbidden"


def test_a_file_that_killed_the_function_each_time_is_a_failed_job(cloud: Cloud) -> None:
    event = cloud.event("submitter-sqs-s3")
    record = event["Records"][0]
    record["body"] = record["body"].replace('"size": 1024', '"size": 19000000')
    record["body"] = record["body"].replace('"size":1024', '"size":19000000')
    assert "19000000" in record["body"]
    record["attributes"]["ApproximateReceiveCount"] = str(MOST_DELIVERIES)

    assert cloud.invoke("submitter", event)["batchItemFailures"] == []

    assert cloud.only_job()[0].reason_code == "reading-crashed"
    assert cloud.requests["s3.GetObject"] == 0

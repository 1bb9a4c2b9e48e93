"""URLs as boto3 presigns them, against moto's S3."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from core.runpod.work_order import parse_manifest
from tests.worker.conftest import WorkerSetup


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", config=Config(signature_version="s3v4"))
        for bucket in ("transcripts", "summaries"):
            client.create_bucket(Bucket=bucket)
        yield client


def work(setup: WorkerSetup, s3: Any, **get: Any) -> dict[str, Any]:
    headers = {"If-Match": get["IfMatch"]} if "IfMatch" in get else {}
    return setup.work(
        get_url=s3.generate_presigned_url(
            "get_object", Params={"Bucket": "transcripts", "Key": "board.txt", **get}
        ),
        get_headers=headers,
        put_url=s3.generate_presigned_url(
            "put_object", Params={"Bucket": "summaries", "Key": "work/j/whole.1.txt"}
        ),
    )


def test_the_announced_version_is_fetched_though_there_is_a_newer_one(
    setup: WorkerSetup, s3: Any
) -> None:
    s3.put_bucket_versioning(Bucket="transcripts", VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket="transcripts", Key="board.txt", Body=setup.bucket.body)
    s3.put_object(Bucket="transcripts", Key="board.txt", Body=b"something else")

    manifest = parse_manifest(work(setup, s3, VersionId=put["VersionId"]))

    assert manifest is not None
    assert manifest.text == ""
    stored = s3.get_object(Bucket="summaries", Key="work/j/whole.1.txt")["Body"].read()
    assert len(stored) == manifest.size_bytes
    assert manifest.words_in == setup.words_spoken


def test_another_object_in_its_place_is_recognised(setup: WorkerSetup, s3: Any) -> None:
    etag = s3.put_object(Bucket="transcripts", Key="board.txt", Body=setup.bucket.body)["ETag"]
    s3.put_object(Bucket="transcripts", Key="board.txt", Body=b"something else")

    assert work(setup, s3, IfMatch=etag) == {"error": "transcript-worker: replaced"}


def test_one_that_is_gone_is_recognised(setup: WorkerSetup, s3: Any) -> None:
    assert work(setup, s3) == {"error": "transcript-worker: deleted"}

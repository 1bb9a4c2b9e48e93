"""The contract of the S3 adapters, over S3 in memory and over moto's."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import pytest
from botocore.exceptions import ParamValidationError
from moto import mock_aws

from core import wiring
from core.aws.files import S3IntermediateStore, S3Summaries, S3Transcripts
from core.aws.presigned_urls import S3PresignedUrls
from core.errors import BadTranscript, Superseded
from core.jobs.job import Source
from core.jobs.ports import IntermediateText, PresignedUrl
from tests.builders import JOB_ID, NOON, SUMMARY_TEXT, a_job, a_source, a_summary, minutes
from tests.fakes.memory import MemoryS3

KEY = "summaries/calls/harbour board.txt"


@pytest.fixture(params=["memory", "moto"])
def s3(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryS3()
        return
    with mock_aws():
        client = boto3.client("s3")
        for bucket in ("transcripts", "out"):
            client.create_bucket(Bucket=bucket)
        yield client


@pytest.fixture
def versioned(s3: Any) -> Any:
    """The same with a bucket that keeps versions."""
    if isinstance(s3, MemoryS3):
        return MemoryS3(versioned=["transcripts"])
    s3.put_bucket_versioning(Bucket="transcripts", VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def summaries(s3: Any) -> S3Summaries:
    return S3Summaries(s3, "out")


def text_of(s3: Any, key: str = KEY) -> str:
    body: bytes = s3.get_object(Bucket="out", Key=key)["Body"].read()
    return body.decode()


def test_metadata_outside_ascii_is_refused(s3: Any) -> None:
    with pytest.raises(ParamValidationError):
        s3.put_object(Bucket="out", Key=KEY, Body=b"x", Metadata={"runpod-id": "é"})


class TestReading:
    def upload(self, s3: Any, body: bytes) -> Any:
        etag = s3.put_object(Bucket="transcripts", Key="a.txt", Body=body)["ETag"].strip('"')
        return a_source(key="a.txt", version_id="", etag=etag, size_bytes=len(body))

    def test_brings_the_object(self, s3: Any) -> None:
        assert read(s3, self.upload(s3, b"Mara: hello"), 100) == b"Mara: hello"

    def test_shows_size_and_metadata_of_an_object_that_is_left_unread(self, s3: Any) -> None:
        overrides = {"summary-words": "900"}
        s3.put_object(Bucket="transcripts", Key="a.txt", Body=b"eleven byte", Metadata=overrides)
        source = a_source(key="a.txt", version_id="", etag="", size_bytes=0)

        with S3Transcripts(s3).open(source) as upload:
            assert (upload.metadata, upload.size_bytes) == (overrides, 11)

    def test_says_that_an_object_is_gone(self, s3: Any) -> None:
        assert refusal(s3, a_source(version_id="")) == "deleted"

    def test_brings_exactly_the_version_that_was_announced(self, versioned: Any) -> None:
        first = self.upload(versioned, b"first")
        version_id = versioned.head_object(Bucket="transcripts", Key="a.txt")["VersionId"]
        self.upload(versioned, b"second")

        assert read(versioned, replace(first, version_id=version_id), 100) == b"first"

    def test_says_that_a_version_is_gone(self, versioned: Any) -> None:
        source = replace(self.upload(versioned, b"first"), version_id="no-such-version")

        assert refusal(versioned, source) == "deleted"

    def test_says_that_an_object_was_replaced(self, s3: Any) -> None:
        source = self.upload(s3, b"first")
        self.upload(s3, b"second")

        assert refusal(s3, source) == "replaced"

    @pytest.mark.parametrize("announced_bytes", [0, 11], ids=["not announced", "announced"])
    def test_stops_at_the_limit(self, s3: Any, announced_bytes: int) -> None:
        source = replace(self.upload(s3, b"eleven byte"), size_bytes=announced_bytes)

        assert refusal(s3, source, max_bytes=10) == "too-large"
        assert read(s3, source, 11) == b"eleven byte"

    def test_brings_what_lies_beside_it_as_it_is_now(self, versioned: Any) -> None:
        versioned.put_object(Bucket="transcripts", Key="_glossary.txt", Body=b"first")
        versioned.put_object(Bucket="transcripts", Key="_glossary.txt", Body=b"second")

        assert beside(versioned, max_bytes=6) == b"second"
        assert beside(versioned, max_bytes=3) == b"seco"  # one more than asked for: it is longer

    def test_brings_nothing_where_nothing_lies_beside_it(self, s3: Any) -> None:
        assert beside(s3, max_bytes=6) is None


def beside(s3: Any, *, max_bytes: int) -> bytes | None:
    return S3Transcripts(s3).beside("transcripts", "_glossary.txt", max_bytes=max_bytes)


def read(s3: Any, source: Source, max_bytes: int) -> bytes:
    with S3Transcripts(s3).open(source) as upload:
        return upload.read(max_bytes)


def refusal(s3: Any, source: Source, max_bytes: int = 100) -> str:
    with pytest.raises(BadTranscript) as refused:
        read(s3, source, max_bytes)
    return refused.value.code


class TestPublishing:
    def test_writes_the_summary_with_its_metadata(self, s3: Any, summaries: S3Summaries) -> None:
        existing = summaries.publish(a_job(), a_summary(), SUMMARY_TEXT, {}, now=NOON)

        assert existing == a_summary()
        assert text_of(s3) == SUMMARY_TEXT + "\n"
        metadata = s3.head_object(Bucket="out", Key=KEY)["Metadata"]
        assert metadata["job-id"] == a_job().id
        assert metadata["words"] == "3900"
        assert metadata["prompt-tokens"] == "14000"
        assert metadata["source-key"] == "calls/harbour%20board.txt"
        assert metadata["source-version"] == "v1"

    def test_writes_the_facts_beside_it(self, s3: Any, summaries: S3Summaries) -> None:
        summaries.publish(a_job(), a_summary(), SUMMARY_TEXT, {"doubts": 1}, now=NOON)

        facts = json.loads(text_of(s3, "summaries/calls/harbour board.json"))
        assert facts["job_id"] == a_job().id
        assert facts["source"]["key"] == "calls/harbour board.txt"
        assert facts["summary"]["words"] == 3900
        assert facts["asked"]["words"] == 4000
        assert facts["writing"] == {"doubts": 1}
        assert facts["transcript_words"] == 10_000

    def test_keeps_the_first_summary_of_a_job(self, s3: Any, summaries: S3Summaries) -> None:
        summaries.publish(a_job(), a_summary(), "first", {}, now=NOON)

        existing = summaries.publish(a_job(), a_summary(attempt=2, words=9), "second", {}, now=NOON)

        assert existing == a_summary()
        assert text_of(s3) == "first\n"

    def test_finishes_what_another_began(self, s3: Any, summaries: S3Summaries) -> None:
        """The function that wrote the summary died before writing the facts."""
        summaries._create(a_job(), a_summary(), "first\n")

        summaries.publish(a_job(), a_summary(attempt=2, words=9), "second", {}, now=NOON)

        facts = json.loads(text_of(s3, "summaries/calls/harbour board.json"))
        assert facts["summary"]["words"] == 3900

    def test_replaces_the_summary_of_an_older_upload(self, s3: Any, summaries: S3Summaries) -> None:
        older = a_job(id="f" * 32, source=a_source(sequencer="00", uploaded_at=NOON - minutes(9)))
        summaries.publish(older, a_summary(), "older", {}, now=NOON)

        summaries.publish(a_job(), a_summary(), "newer", {}, now=NOON)

        assert text_of(s3) == "newer\n"

    def test_leaves_the_summary_of_a_newer_upload(self, s3: Any, summaries: S3Summaries) -> None:
        newer = a_job(id="f" * 32, source=a_source(sequencer="FF"))
        summaries.publish(newer, a_summary(), "newer", {}, now=NOON)

        with pytest.raises(Superseded):
            summaries.publish(a_job(), a_summary(), "older", {}, now=NOON)

        assert text_of(s3) == "newer\n"

    def test_takes_the_name_of_a_file_that_is_no_summary(
        self, s3: Any, summaries: S3Summaries
    ) -> None:
        s3.put_object(Bucket="out", Key=KEY, Body=b"left here by hand")

        summaries.publish(a_job(), a_summary(), "ours", {}, now=NOON)

        assert text_of(s3) == "ours\n"

    @pytest.mark.parametrize("key", ["ü" * 500 + ".txt", "a\nb\x7f.txt", "😀.txt", "' \".txt"])
    def test_takes_any_name(self, s3: Any, summaries: S3Summaries, key: str) -> None:
        job = a_job(source=a_source(key=key))

        summaries.publish(job, a_summary(), "text", {}, now=NOON)

        assert summaries.existing(job, now=NOON) == a_summary()
        metadata = s3.head_object(Bucket="out", Key=KEY)["Metadata"]
        assert all(value.isascii() and value.isprintable() for value in metadata.values())
        assert sum(len(name) + len(value) for name, value in metadata.items()) < 2048


class TestStanding:
    def test_is_nothing_before_the_summary_is_visible(self, summaries: S3Summaries) -> None:
        assert summaries.existing(a_job(), now=NOON) is None

    def test_is_nothing_where_another_job_wrote(self, summaries: S3Summaries) -> None:
        older = a_job(id="f" * 32, source=a_source(sequencer="00", uploaded_at=NOON - minutes(9)))
        summaries.publish(older, a_summary(), "theirs", {}, now=NOON)

        assert summaries.existing(a_job(), now=NOON) is None


class TestTheIntermediateStore:
    def test_keeps_a_text_and_whether_it_was_cut(self, s3: Any) -> None:
        intermediate_store = S3IntermediateStore(s3, "out")

        intermediate_store.save("j" * 32, "1-0", IntermediateText("Nötes.", was_cut=True))

        assert intermediate_store.load("j" * 32, "1-0") == IntermediateText(
            text="Nötes.", was_cut=True
        )

    def test_keeps_the_first_text_of_a_name(self, s3: Any) -> None:
        intermediate_store = S3IntermediateStore(s3, "out")
        intermediate_store.save("j" * 32, "1-0", IntermediateText("first", was_cut=False))

        intermediate_store.save("j" * 32, "1-0", IntermediateText("second", was_cut=True))

        assert intermediate_store.load("j" * 32, "1-0") == IntermediateText(
            text="first", was_cut=False
        )

    def test_has_no_text_that_was_not_saved(self, s3: Any) -> None:
        assert S3IntermediateStore(s3, "out").load("j" * 32, "1-0") is None


class TestADelivery:
    KEY = f"work/{JOB_ID}/whole.2.txt"

    def test_is_found_where_its_attempt_was_to_put_it(self, s3: Any) -> None:
        s3.put_object(Bucket="out", Key=self.KEY, Body=b"delivered")

        intermediate_store = S3IntermediateStore(s3, "out")

        assert intermediate_store.delivered(JOB_ID, "whole", 2, max_bytes=9) == b"delivered"
        assert intermediate_store.delivered(JOB_ID, "whole", 1, max_bytes=9) is None

    def test_that_is_too_large_is_not_read_whole(self, s3: Any) -> None:
        s3.put_object(Bucket="out", Key=self.KEY, Body=b"x" * 1_000)

        assert (
            S3IntermediateStore(s3, "out").delivered(JOB_ID, "whole", 2, max_bytes=9) == b"x" * 10
        )


class TestAPresignedUrl:
    """Of the client as wired, which signs without a request."""

    @pytest.fixture(params=["us-east-1", "eu-central-1"])
    def presigned_urls(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> S3PresignedUrls:
        monkeypatch.setenv("AWS_DEFAULT_REGION", request.param)
        self.region = request.param
        return S3PresignedUrls(wiring.presigner, "out")

    @staticmethod
    def parts(link: PresignedUrl) -> tuple[str, str, dict[str, str]]:
        split = urlsplit(link.url)
        return split.netloc, unquote(split.path), dict(parse_qsl(split.query))

    def test_is_signed_with_sigv4_for_the_buckets_own_region(
        self, presigned_urls: S3PresignedUrls
    ) -> None:
        link = presigned_urls.to_deliver(JOB_ID, "whole", 2, lifetime=minutes(70))

        host, path, query = self.parts(link)
        assert host == f"out.s3.{self.region}.amazonaws.com"
        assert path == f"/{TestADelivery.KEY}"
        assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == ("4200", "host")

    def test_reads_one_version(self, presigned_urls: S3PresignedUrls) -> None:
        source = a_source(version_id="v7")
        link = presigned_urls.to_read(source, lifetime=minutes(1))

        _, path, query = self.parts(link)
        assert path == f"/{source.key}"
        assert query["versionId"] == "v7"
        assert link.headers == {}

    def test_reads_one_etag_where_there_are_no_versions(
        self, presigned_urls: S3PresignedUrls
    ) -> None:
        source = a_source(version_id="")
        link = presigned_urls.to_read(source, lifetime=minutes(1))

        _, _, query = self.parts(link)
        assert link.headers == {"If-Match": f'"{source.etag}"'}
        assert query["X-Amz-SignedHeaders"] == "host;if-match"

    def test_of_a_bucket_with_a_dot_keeps_to_a_host_that_has_a_certificate(
        self, presigned_urls: S3PresignedUrls
    ) -> None:
        host, path, _ = self.parts(
            presigned_urls.to_read(a_source(bucket="a.b"), lifetime=minutes(1))
        )

        assert host == f"s3.{self.region}.amazonaws.com"
        assert path.startswith("/a.b/")

    def test_is_in_nothing_that_is_printed(self, presigned_urls: S3PresignedUrls) -> None:
        assert (
            "amz"
            not in repr(
                presigned_urls.to_read(a_source(version_id=""), lifetime=minutes(1))
            ).lower()
        )

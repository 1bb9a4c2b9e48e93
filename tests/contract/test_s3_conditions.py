"""Conditional writes to S3, and what two versions of one file leave: in memory and over moto's."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from core.aws.files import S3IntermediateStore, S3Summaries
from core.errors import OutputRefused, Superseded
from core.jobs.ports import IntermediateText
from tests.builders import NOON, a_job, a_source, a_summary, minutes
from tests.fakes.memory import MemoryS3

KEY = "summaries/calls/harbour board.txt"
FACTS_KEY = "summaries/calls/harbour board.json"
OLDER = a_job(
    id="0" * 32,
    source=a_source(sequencer="0055AED6DCD90281E5", uploaded_at=NOON - minutes(9)),
)
NEWER = a_job(id="f" * 32, source=a_source(sequencer="0055AED6DCD90281E6"))


@pytest.fixture(params=["memory", "moto"])
def s3(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryS3()
        return
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="out")
        yield client


class Answering:
    """An S3 that answers the next writes of one key with errors."""

    def __init__(self, s3: Any, key: str, *errors: Exception) -> None:
        self._s3, self._key, self.errors = s3, key, list(errors)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **kw: Any) -> Any:
        if kw["Key"] == self._key and self.errors:
            raise self.errors.pop(0)
        return self._s3.put_object(**kw)


def conflict() -> ClientError:
    return ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")


def summaries(s3: Any) -> S3Summaries:
    return S3Summaries(s3, "out", sleep=lambda _: None)


def intermediate_store(s3: Any) -> S3IntermediateStore:
    return S3IntermediateStore(s3, "out", sleep=lambda _: None)


def text_of(s3: Any, key: str) -> str:
    body: bytes = s3.get_object(Bucket="out", Key=key)["Body"].read()
    return body.decode()


def versions_at_rest(s3: Any) -> tuple[str, str]:
    metadata = s3.head_object(Bucket="out", Key=KEY)["Metadata"]
    return metadata["job-id"], json.loads(text_of(s3, FACTS_KEY))["job_id"]


class TestAWriteThatMeetsAnotherUnderWay:
    """S3 answers 409 whether or not the other write succeeds, and expects a retry."""

    def test_is_repeated_for_a_summary(self, s3: Any) -> None:
        summaries(Answering(s3, KEY, conflict())).publish(
            a_job(), a_summary(), "text", {}, now=NOON
        )

        assert text_of(s3, KEY) == "text\n"

    def test_is_repeated_for_its_facts(self, s3: Any) -> None:
        busy = Answering(s3, FACTS_KEY, conflict())

        summaries(busy).publish(a_job(), a_summary(), "text", {}, now=NOON)

        assert json.loads(text_of(s3, FACTS_KEY))["job_id"] == a_job().id

    def test_is_repeated_for_a_text(self, s3: Any) -> None:
        busy = intermediate_store(Answering(s3, "work/j/1-0.txt", conflict(), conflict()))

        busy.save("j", "1-0", IntermediateText("notes", was_cut=False))

        assert text_of(s3, "work/j/1-0.txt") == "notes"

    def test_is_repeated_for_a_plan(self, s3: Any) -> None:
        busy = intermediate_store(Answering(s3, "work/j/stage-1.json", conflict()))

        assert busy.record("j", "stage-1", "{}") == "{}"

    def test_is_refused_when_it_always_does(self, s3: Any) -> None:
        busy = intermediate_store(Answering(s3, "work/j/1-0.txt", *[conflict() for _ in range(50)]))

        with pytest.raises(OutputRefused, match="ConditionalRequestConflict"):
            busy.save("j", "1-0", IntermediateText("notes", was_cut=False))

    def test_waits_a_little_longer_each_time(self, s3: Any) -> None:
        pauses: list[float] = []
        busy = Answering(s3, KEY, conflict(), conflict(), conflict())

        S3Summaries(busy, "out", sleep=pauses.append).publish(  # type: ignore[arg-type]
            a_job(), a_summary(), "text", {}, now=NOON
        )

        assert len(pauses) == 3
        assert pauses == sorted(set(pauses))
        assert sum(pauses) < 2


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject"),
        ClientError({"Error": {"Code": "503"}}, "PutObject"),
        EndpointConnectionError(endpoint_url="https://s3.invalid"),
    ],
    ids=["denied", "unavailable", "unreachable"],
)
def test_a_refusal_says_which_bucket_and_why(s3: Any, error: Exception) -> None:
    with pytest.raises(OutputRefused, match="bucket out"):
        intermediate_store(Answering(s3, "work/j/1-0.txt", error)).save(
            "j", "1-0", IntermediateText("notes", was_cut=False)
        )


def test_what_is_written_has_its_content_type(s3: Any) -> None:
    summaries(s3).publish(a_job(), a_summary(), "text", {}, now=NOON)
    intermediate_store(s3).save("j", "1-0", IntermediateText("notes", was_cut=False))
    intermediate_store(s3).record("j", "stage-1", "{}")

    types = {
        key: s3.get_object(Bucket="out", Key=key)["ContentType"]
        for key in (KEY, FACTS_KEY, "work/j/1-0.txt", "work/j/stage-1.json")
    }
    assert {key.rpartition(".")[2]: kind for key, kind in types.items()} == {
        "txt": "text/plain; charset=utf-8",
        "json": "application/json",
    }


class TestTwoVersionsOfOneFile:
    def test_leave_the_newers_facts_when_the_older_is_slow(self, s3: Any) -> None:
        """The older writes its summary; before its facts, the newer replaces both."""

        class Overtaken(Answering):
            def put_object(self, **kw: Any) -> Any:
                if kw["Key"] == FACTS_KEY and self.errors:
                    self.errors.pop()
                    summaries(s3).publish(NEWER, a_summary(), "newer", {}, now=NOON)
                return super().put_object(**kw)

        summaries(Overtaken(s3, "", Exception())).publish(OLDER, a_summary(), "older", {}, now=NOON)

        assert versions_at_rest(s3) == (NEWER.id, NEWER.id)

    def test_leave_the_newers_facts_when_it_is_written_second(self, s3: Any) -> None:
        summaries(s3).publish(OLDER, a_summary(), "older", {}, now=NOON)

        summaries(s3).publish(NEWER, a_summary(words=7), "newer", {}, now=NOON)

        assert versions_at_rest(s3) == (NEWER.id, NEWER.id)
        assert json.loads(text_of(s3, FACTS_KEY))["summary"]["words"] == 7

    def test_leave_the_newers_facts_when_the_older_writes_its_own_at_last(self, s3: Any) -> None:
        """The older one's function died between summary and facts, and the sweeper finishes."""
        dying = Answering(s3, FACTS_KEY, KeyboardInterrupt())  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            summaries(dying).publish(OLDER, a_summary(), "older", {}, now=NOON)
        summaries(s3).publish(NEWER, a_summary(), "newer", {}, now=NOON)

        with pytest.raises(Superseded):
            summaries(s3).existing(OLDER, now=NOON)

        assert versions_at_rest(s3) == (NEWER.id, NEWER.id)

    def test_replace_the_olders_facts_beside_the_newers_summary(self, s3: Any) -> None:
        summaries(s3).publish(OLDER, a_summary(), "older", {}, now=NOON)
        summaries(s3).publish(NEWER, a_summary(), "newer", {}, now=NOON)
        facts = s3.get_object(Bucket="out", Key=FACTS_KEY)
        s3.put_object(
            Bucket="out",
            Key=FACTS_KEY,
            Body=facts["Body"].read().replace(NEWER.id.encode(), OLDER.id.encode()),
            Metadata={**facts["Metadata"], "job-id": OLDER.id, "source-sequencer": "00"},
        )

        summaries(s3).existing(NEWER, now=NOON)

        assert versions_at_rest(s3) == (NEWER.id, NEWER.id)

    def test_uploaded_at_one_instant_leave_both_of_one(self, s3: Any) -> None:
        """Without sequencers nothing says which is the newer: one of them is, for both objects."""
        one = a_job(id="1" * 32, source=a_source(sequencer=""))
        two = a_job(id="2" * 32, source=a_source(sequencer=""))
        for job in (two, one):
            try:
                summaries(s3).publish(job, a_summary(), "text", {}, now=NOON)
            except Superseded:
                continue

        assert versions_at_rest(s3) == (two.id, two.id)

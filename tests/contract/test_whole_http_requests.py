"""Every request that leaves the adapters, whole: method, address, headers and body.

What is not asserted here may not be sent. Of signatures, keys and times only that they are there.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
import requests
import responses
from botocore.config import Config
from moto import mock_aws

from core.aws.files import S3IntermediateStore, S3Summaries
from core.errors import PipelineError
from core.jobs.ports import IntermediateText
from core.runpod.client import HttpRunPod
from tests.builders import API_KEY, JOB_ID, NOON, a_job, a_source, a_summary, minutes
from tests.fakes.worker_servers import Asked, recorded
from worker.deliver import deliver
from worker.errors import WorkerError
from worker.model import ModelServer
from worker.settings import WorkerSettings

URL = "https://runpod.invalid/v2/e"
REQUEST = {"input": {"prompt": "Mara: The pump holds. é"}, "policy": {"ttl": 4_200_000}}
SERVER_ERRORS = [500, 501, 502, 503, 504, 520, 522, 524, 530]


class Key:
    def value(self) -> str:
        return API_KEY

    refetched = value


@pytest.fixture
def runpod() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/run", json={"id": "rp-1", "status": "IN_QUEUE"})
        mock.get(f"{URL}/status/rp-1", json={"id": "rp-1", "status": "IN_QUEUE"})
        mock.post(f"{URL}/cancel/rp-1", json={"id": "rp-1", "status": "CANCELLED"})
        mock.assert_all_requests_are_fired = False
        yield mock


CLIENT = HttpRunPod(URL, Key(), backoff_seconds=0.001)
ASKS: dict[str, Callable[[], object]] = {
    "run": lambda: CLIENT.run(REQUEST),
    "status": lambda: CLIENT.status("rp-1"),
    "cancel": lambda: CLIENT.cancel("rp-1"),
}
SENT: dict[str, tuple[str, str, Mapping[str, str], Any]] = {
    "run": ("POST", f"{URL}/run", {"Content-Type": "application/json"}, REQUEST),
    "status": ("GET", f"{URL}/status/rp-1", {}, None),
    "cancel": ("POST", f"{URL}/cancel/rp-1", {}, None),
}
ALWAYS = {
    "Authorization": f"Bearer {API_KEY}",
    "User-Agent": "transcript-summaries/0.1",
    "Accept": "*/*",
    "Accept-Encoding": requests.utils.default_headers()["Accept-Encoding"],
    "Connection": "close",
}


class TestRunPod:
    @pytest.mark.parametrize("name", ASKS)
    def test_is_sent_exactly_this(self, runpod: responses.RequestsMock, name: str) -> None:
        ASKS[name]()

        (call,) = runpod.calls
        sent = call.request
        headers = {key: value for key, value in sent.headers.items() if key != "Content-Length"}
        body = json.loads(sent.body) if sent.body else None
        method, url, more, expected = SENT[name]
        assert (sent.method, sent.url, body) == (method, url, expected)
        assert headers == {**ALWAYS, **more}

    @pytest.mark.parametrize("status", SERVER_ERRORS)
    @pytest.mark.parametrize("name", ASKS)
    def test_is_never_sent_a_request_twice_that_it_may_have_carried_out(
        self, name: str, status: int
    ) -> None:
        method, url, _, _ = SENT[name]
        with responses.RequestsMock() as runpod:
            runpod.add(method, url, status=status)

            with pytest.raises(PipelineError):
                ASKS[name]()

            assert len(runpod.calls) == 1


class Recorder:
    """The requests that a client of boto3 sends."""

    def __init__(self, client: Any) -> None:
        self.puts: list[dict[str, Any]] = []
        client.meta.events.register("before-send.s3.PutObject", self._sent)

    def _sent(self, request: Any, **_: Any) -> None:
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else request.body.read()
        self.puts.append(
            {
                "url": request.url,
                "body": body.decode(),
                **{name: value for name, value in headers.items() if name not in _OF_THE_SDK},
            }
        )


_OF_THE_SDK = {
    "host", "user-agent", "content-md5", "content-length", "content-encoding", "authorization", "expect",
    "x-amz-date", "x-amz-content-sha256", "x-amz-checksum-crc32", "x-amz-checksum-crc64nvme",
    "x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-decoded-content-length",
    "transfer-encoding", "amz-sdk-invocation-id", "amz-sdk-request",
}  # fmt: skip


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        # Else the SDK sends a body in chunks, with its checksum behind it.
        client = boto3.client("s3", config=Config(request_checksum_calculation="when_required"))
        client.create_bucket(Bucket="out")
        yield client


class TestS3:
    SUMMARY = a_summary(
        attempt=2,
        runpod_id="rp-2",
        call_id="1-0",
        rounds=3,
        calls=21,
        discarded_tokens=700,
        ran_ms=41_000,
        doubts=1,
    )

    def test_is_sent_the_summary_and_what_it_is_of(self, s3: Any) -> None:
        sent = Recorder(s3)
        source = a_source(key="calls/café board.txt")

        S3Summaries(s3, "out").publish(
            a_job(source=source), self.SUMMARY, "Mara said é.\n\n", {}, now=NOON
        )

        assert sent.puts[0] == {
            "url": "https://out.s3.amazonaws.com/summaries/calls/harbour%20board.txt",
            "body": "Mara said é.\n",
            "content-type": "text/plain; charset=utf-8",
            "if-none-match": "*",
            "x-amz-meta-job-id": JOB_ID,
            "x-amz-meta-call-id": "1-0",
            "x-amz-meta-attempt": "2",
            "x-amz-meta-runpod-id": "rp-2",
            "x-amz-meta-model": "a/model",
            "x-amz-meta-words": "3900",
            "x-amz-meta-prompt-tokens": "14000",
            "x-amz-meta-completion-tokens": "5300",
            "x-amz-meta-finish-reason": "stop",
            "x-amz-meta-rounds": "3",
            "x-amz-meta-calls": "21",
            "x-amz-meta-discarded-tokens": "700",
            "x-amz-meta-ran-ms": "41000",
            "x-amz-meta-doubts": "1",
            "x-amz-meta-source-key": "calls/caf%C3%A9%20board.txt",
            "x-amz-meta-source-version": "v1",
            "x-amz-meta-source-uploaded-at": "2026-03-02T12:00:00+00:00",
            "x-amz-meta-source-sequencer": "0055AED6DCD90281E5",
        }

    def test_is_sent_the_facts_beside_it_as_json(self, s3: Any) -> None:
        sent = Recorder(s3)
        job = a_job(stage_calls=2)

        S3Summaries(s3, "out").publish(
            job, self.SUMMARY, "Text.", {"doubts": 1}, now=NOON + minutes(7)
        )

        facts = sent.puts[1]
        stored = json.loads(facts["body"])
        assert facts["url"].endswith("/summaries/calls/harbour%20board.json")
        assert facts["content-type"] == "application/json"
        assert stored["summary"] == {
            "bucket": "out",
            "key": "summaries/calls/harbour board.txt",
            "call_id": "1-0",
            "attempt": 2,
            "runpod_id": "rp-2",
            "model": "a/model",
            "words": 3900,
            "prompt_tokens": 14_000,
            "completion_tokens": 5_300,
            "finish_reason": "stop",
            "rounds": 3,
            "calls": 21,
            "discarded_tokens": 700,
            "ran_ms": 41_000,
            "doubts": 1,
        }
        assert stored["writing"] == {"doubts": 1}
        assert stored["asked"]["target_words"] == 16
        assert stored["transcript_words"] == 10_000
        assert stored["source"]["key"] == "calls/harbour board.txt"
        assert (stored["created_at"], stored["finished_at"]) == (
            "2026-03-02T12:00:00+00:00",
            "2026-03-02T12:07:00+00:00",
        )

    @pytest.mark.parametrize(("was_cut", "said"), [(True, "true"), (False, "false")])
    def test_is_sent_a_text_between_once(self, s3: Any, was_cut: bool, said: str) -> None:
        sent = Recorder(s3)

        S3IntermediateStore(s3, "out").save(
            JOB_ID, "1-0", IntermediateText("Notes é.", was_cut=was_cut)
        )

        (put,) = sent.puts
        assert put == {
            "url": f"https://out.s3.amazonaws.com/work/{JOB_ID}/1-0.txt",
            "body": "Notes é.",
            "content-type": "text/plain; charset=utf-8",
            "if-none-match": "*",
            "x-amz-meta-was-cut": said,
            "x-amz-meta-prompt-tokens": "0",
            "x-amz-meta-completion-tokens": "0",
            "x-amz-meta-attempt": "0",
        }

    def test_stores_no_empty_fact(self, s3: Any) -> None:
        sent = Recorder(s3)

        S3Summaries(s3, "out").publish(
            a_job(), replace(self.SUMMARY, runpod_id=""), "x", {}, now=NOON
        )

        assert "x-amz-meta-runpod-id" not in sent.puts[0]


OF_THE_CONNECTION = {"host", "content-length"}


def without(asked: Asked) -> dict[str, str]:
    return {name: value for name, value in asked.headers.items() if name not in OF_THE_CONNECTION}


CHAT = {"model": "a/model", "messages": [], "max_tokens": 5, "stream": False}
OF_THE_WORKER = {
    "user-agent": "transcript-summaries-worker/0.1",
    "accept": "*/*",
    "accept-encoding": requests.utils.default_headers()["Accept-Encoding"],
}


class TestTheWorker:
    def settings(self, url: str) -> WorkerSettings:
        return WorkerSettings(model_url=url, model_key="a-key", model_start_seconds=0)

    def test_sends_its_model_exactly_this(self) -> None:
        answer = {"choices": [{"message": {"content": "Text."}}]}
        with recorded(json.dumps(answer).encode()) as (url, asked):
            ModelServer(self.settings(url)).complete(CHAT)

        (request,) = asked
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        assert json.loads(request.body) == CHAT
        assert without(request) == {
            **OF_THE_WORKER,
            "authorization": "Bearer a-key",
            "connection": "close",
            "content-type": "application/json",
        }

    def test_requests_the_list_of_models_once(self) -> None:
        with recorded(b'{"data": [{"id": "a/model", "max_model_len": 9}]}') as (url, asked):
            ModelServer(self.settings(url)).context_tokens("a/model", at_most=10)

        assert [(each.method, each.path, each.body) for each in asked] == [
            ("GET", "/v1/models", b"")
        ]

    def test_puts_the_summary_with_no_header_that_is_not_signed(self) -> None:
        with recorded(b"") as (url, asked):
            assert deliver("Mara said é.".encode(), f"{url}/out/key?X-Amz-Signature=s")

        (request,) = asked
        assert (request.method, request.path) == ("PUT", "/out/key?X-Amz-Signature=s")
        assert request.body.decode() == "Mara said é."
        assert without(request) == {**OF_THE_WORKER, "connection": "keep-alive"}

    def test_puts_nothing_without_encryption_though_it_would_be_taken(self) -> None:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as bucket:
            bucket.put("http://bucket.invalid/key", status=200)

            assert not deliver(b"Mara said.", "http://bucket.invalid/key")
            assert len(bucket.calls) == 0

    def test_never_repeats_a_request_that_timed_out(self) -> None:
        """The model may still be working on it, and would do the same work again."""
        with responses.RequestsMock() as model:
            model.post(
                "http://127.0.0.1:8000/v1/chat/completions", body=requests.ReadTimeout("too long")
            )

            with pytest.raises(WorkerError, match="model-failed"):
                ModelServer(WorkerSettings(), sleep=lambda _: None).complete(CHAT)

            assert len(model.calls) == 1

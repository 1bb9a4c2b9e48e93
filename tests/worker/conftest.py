"""A worker with a bucket and a model on loopback, and an order for it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.runpod.work_order import ResultManifest, WorkOrder, parse_manifest
from core.summaries.goals import WritingLimits
from core.transcripts.reader import read_transcript
from core.words import count_words
from tests.builders import JOB_ID, a_request
from tests.fakes.model import a_transcript
from tests.fakes.worker_servers import SECRET, Bucket, ModelService, bucket_served, model_served
from worker.job import Worker
from worker.settings import WorkerSettings

KEY = "a-model-key-that-must-not-leak"


@dataclass
class WorkerSetup:
    bucket: Bucket
    service: ModelService
    settings: WorkerSettings
    slept: list[float] = field(default_factory=list)
    progress: list[dict[str, Any]] = field(default_factory=list)

    @property
    def words_spoken(self) -> int:
        """How many words the transcript has, without the speakers' names before them."""
        turns = read_transcript(self.bucket.body, max_bytes=10**9).turns
        return sum(count_words(turn.text) for turn in turns)

    def order(self, **changes: Any) -> WorkOrder:
        default = WorkOrder(
            job_id=JOB_ID,
            name="calls/board.txt",
            size_bytes=len(self.bucket.body),
            get_url=self.bucket.get_url,
            get_headers={"If-Match": '"an-etag"'},
            put_url=self.bucket.put_url,
            options=a_request(),
            limits=WritingLimits(context_tokens=32_768),
        )
        return replace(default, **changes)

    def work(self, **changes: Any) -> dict[str, Any]:
        return self.work_on(self.order(**changes).as_input())

    def work_on(self, job_input: object, **options: Any) -> dict[str, Any]:
        worker = Worker(settings=self.settings, sleep=self.slept.append)
        return worker.work(job_input, runpod_id="rp-1", progress=self.progress.append, **options)

    def manifest(self, **changes: Any) -> ResultManifest:
        output = self.work(**changes)
        manifest = parse_manifest(output)
        assert manifest is not None, output
        return manifest

    def failure_code(self, **changes: Any) -> str:
        output = self.work(**changes)
        assert output.keys() == {"error"}, output
        code = output["error"].removeprefix("transcript-worker: ")
        assert code != output["error"]
        return str(code)


@pytest.fixture
def setup() -> Iterator[WorkerSetup]:
    with (
        bucket_served(Bucket(a_transcript(6_000).encode())) as bucket,
        model_served(ModelService()) as service,
    ):
        settings = WorkerSettings(model_url=service.url, model_key=KEY, model_start_seconds=0)
        yield WorkerSetup(bucket, service, settings)


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG, logger="worker")
    yield
    for record in caplog.get_records("call"):
        if record.name != "worker":
            continue  # what libraries log at DEBUG is not printed
        said = record.getMessage() + str(record.exc_info)
        for secret in (SECRET, KEY, "http:", "pumps", "MARK", "word word"):
            assert secret not in said


@pytest.fixture
def refusing_url() -> str:
    """An address where nobody listens."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

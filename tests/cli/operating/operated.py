"""A stack over moto with an operator before it, whose requests a test answers by hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from core.jobs.call import Call
from core.jobs.job import Job, job_id_for
from tests.builders import a_source, completed_body
from tests.fakes.cloud import RUNPOD, TRANSCRIPT, Cloud, running_cloud
from tests.fakes.fake_stack import FakeStack, quietly
from tests.fakes.lambda_events import UPLOADED_AT, callback_event, s3_notification, sqs_batch


class Operated:
    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cloud = cloud
        self._monkeypatch = monkeypatch
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.stack = FakeStack(cloud, monkeypatch)
        self._sequence = 0

    def run(self, *arguments: str, answer: str | None = None) -> Result:
        """Run a command; with an `answer` there is a terminal that it can ask at."""
        if answer is not None:
            monkeypatch = self._monkeypatch
            monkeypatch.setattr("cli.operating.asking.sys", _Terminal)
        return CliRunner(mix_stderr=False).invoke(main, list(arguments), input=answer)

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        """Run a command and return its one JSON document."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == exit_code, (result.stdout, result.stderr, result.exception)
        return json.loads(result.stdout)

    def with_versions(self) -> None:
        for bucket in ("transcripts", "out"):
            self.s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )

    def put(self, key: str, body: str = TRANSCRIPT, **metadata: str) -> dict[str, Any]:
        return dict(
            self.s3.put_object(
                Bucket="transcripts", Key=key, Body=body.encode(), Metadata=dict(metadata)
            )
        )

    def announce(self, key: str) -> Job:
        """Tell the submitter of the newest version of a file, as S3 would; return its job."""
        self._sequence += 1
        head = self.s3.head_object(Bucket="transcripts", Key=key)
        version_id = head.get("VersionId", "")
        sequencer = f"{self._sequence:04}"
        event = s3_notification(
            key,
            head["ETag"].strip('"'),
            version_id=version_id,
            sequencer=sequencer,
            at=UPLOADED_AT,
        )
        answer = quietly(self.cloud, "submitter", sqs_batch(event))
        assert answer["batchItemFailures"] == []
        source = a_source(
            key=key, version_id=version_id, etag=head["ETag"].strip('"'), sequencer=sequencer
        )
        return self.job(job_id_for(source))

    def upload(self, key: str, body: str = TRANSCRIPT, *, runpod_id: str = "rp-1") -> Job:
        """Upload a file and let the submitter take it, and RunPod its request."""
        self.put(key, body)
        self.cloud.runpod_takes(runpod_id)
        return self.announce(key)

    def call_back(self, text: str, *, runpod_id: str = "rp-1") -> None:
        """Let RunPod answer its latest request, and the submitter go on."""
        body = completed_body(text, id=runpod_id)
        quietly(
            self.cloud,
            "webhook_receiver",
            callback_event(self.cloud.sent_to_runpod()[-1]["webhook"], body),
        )
        for message in self.cloud.messages():
            quietly(self.cloud, "submitter", sqs_batch(message))

    def job(self, job_id: str) -> Job:
        return self.cloud.store().load_job(job_id)

    def history(self, job_id: str) -> tuple[Job, list[Call], list[str]]:
        job, calls, events = self.cloud.history(job_id)
        return job, calls, [event.what for event in events]

    def cancellations(self) -> list[str]:
        urls = [str(call.request.url) for call in self.cloud.runpod.calls]
        return [url.rpartition("/")[2] for url in urls if "/cancel/" in url]

    def runpod_cancels(self, runpod_id: str = "rp-1", *, status: int = 200) -> None:
        body = {"id": runpod_id, "status": "CANCELLED"}
        self.cloud.runpod.post(f"{RUNPOD}/cancel/{runpod_id}", json=body, status=status)


class _Terminal:
    class stdin:  # noqa: N801
        @staticmethod
        def isatty() -> bool:
            return True


@contextmanager
def operated(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Operated]:
    with running_cloud(monkeypatch, **environment) as cloud:
        yield Operated(cloud, monkeypatch)

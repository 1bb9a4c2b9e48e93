"""A stack over moto with an operator before it, and a model that answers for itself."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import responses
from click.testing import CliRunner, Result

from cli.__main__ import main
from core.aws.job_store import DynamoJobStore
from core.jobs.audit import AuditEvent
from core.jobs.job import Job, JobState
from tests.builders import a_call, a_job, a_source, a_summary
from tests.fakes.cloud import RUNPOD, Cloud, running_cloud
from tests.fakes.fake_stack import FUNCTIONS, NAME, FakeStack
from tests.fakes.lambda_events import callback_event, s3_notification, sqs_batch
from tests.fakes.model import FakeModel


@dataclass
class Operated:
    cloud: Cloud
    stack: FakeStack
    model: FakeModel = field(default_factory=FakeModel)

    def run(self, *arguments: str, **environment: str) -> Result:
        result = CliRunner().invoke(main, arguments, env={"SUMMARIES_STACK": NAME, **environment})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def done(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def told(self, *arguments: str) -> dict[str, Any]:
        """Return the one document that a command prints with --json."""
        document: dict[str, Any] = json.loads(self.run(*arguments, "--json").stdout)
        return document

    def is_healthy(self, **workers: int) -> None:
        """Let RunPod answer that the endpoint is as it should be, or with such workers."""
        self.has_health({"inQueue": 0, "inProgress": 1, "completed": 9}, workers or {"idle": 1})

    def has_health(self, jobs: Mapping[str, int], workers: Mapping[str, int]) -> None:
        self.cloud.runpod.get(f"{RUNPOD}/health", json={"jobs": jobs, "workers": workers})

    def recorded(
        self, number: int, *, ago: timedelta, state: JobState = JobState.ACTIVE, doubts: int = 0
    ) -> Job:
        """Record a job, ended a minute after it began or still active."""
        store, now = DynamoJobStore(boto3.client("dynamodb"), "jobs"), datetime.now(UTC)
        job_id, at = f"{number:06x}{'0' * 26}", now - ago
        job = a_job(
            id=job_id,
            source=a_source(key=f"calls/{number}.txt"),
            created_at=at,
            deadline=at + timedelta(hours=1),
        )
        store.create(job, [a_call(job_id=job_id)])
        event = AuditEvent(at=at + timedelta(minutes=1), by="sweeper", why="RunPod lost it")
        if state is JobState.FAILED:
            job = store.save_job(job.with_failure("deadline", event))
        if state is JobState.SUCCEEDED:
            job = store.save_job(
                job.with_success(a_summary(ran_ms=61_000, calls=3, doubts=doubts), event)
            )
        return job

    def ending(self, why: str = "RunPod lost it") -> AuditEvent:
        return AuditEvent(at=datetime.now(UTC), by="sweeper", why=why)

    def summarised(self, key: str, text: str) -> Job:
        """Upload a transcript and let the functions and the model go on until its job has ended."""
        return self.brought_to_an_end(self.uploaded(key, text))

    def brought_to_an_end(self, job: Job) -> Job:
        """Let the functions and the model go on until a job has ended."""
        for _ in range(40):
            self.answer_all()
            for message in self.cloud.messages():
                self.cloud.invoke("submitter", sqs_batch(message))
            job = self.cloud.store().load_job(job.id)
            if job.is_final:
                return job
        raise AssertionError("the job does not end")

    def uploaded(self, key: str, text: str) -> Job:
        """Upload a transcript and let the submitter send the first round."""
        self.cloud.upload(key, text)
        return self.noticed(key)

    def noticed(self, key: str) -> Job:
        """Let the submitter learn of a file's newest version, as from S3, and send the first round."""
        self._take_requests()
        head = boto3.client("s3").head_object(Bucket="transcripts", Key=key)
        known = set(self.cloud.job_ids())
        event = s3_notification(
            key,
            head["ETag"].strip('"'),
            size=head["ContentLength"],
            version_id=head.get("VersionId", ""),
            sequencer=f"{time.time_ns():x}",
            at=datetime.now(UTC).isoformat(),
        )
        self.cloud.invoke("submitter", sqs_batch(event))
        (job_id,) = set(self.cloud.job_ids()) - known
        return self.cloud.store().load_job(job_id)

    def answer_all(self) -> None:
        """Let RunPod call back about every request that it has not called back about."""
        waiting, self._open = self._open, []
        for runpod_id, request in waiting:
            body = self.model.answer(request, runpod_id) | {"delayTime": 4, "executionTime": 20}
            self.cloud.invoke("webhook_receiver", callback_event(request["webhook"], body))

    def _take_requests(self) -> None:
        if self._takes:
            return
        self._takes = True

        def take(request: Any) -> tuple[int, dict[str, str], str]:
            self._taken += 1
            runpod_id = f"rp-{self._taken}"
            self._open.append((runpod_id, json.loads(request.body)))
            return 200, {}, json.dumps({"id": runpod_id, "status": "IN_QUEUE"})

        self.cloud.runpod.add_callback(responses.POST, f"{RUNPOD}/run", callback=take)

    _takes: bool = False
    _taken: int = 0
    _open: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def logged(self, function: str, *lines: Mapping[str, Any] | str, at: datetime) -> None:
        """Write lines into a function's log, some milliseconds apart."""
        logs, group = boto3.client("logs"), f"/aws/lambda/{FUNCTIONS[function]}"
        made = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
        if group not in made:
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName="s")
        events = [
            {
                "timestamp": int(at.timestamp() * 1000) + number,
                "message": line if isinstance(line, str) else json.dumps(line),
            }
            for number, line in enumerate(lines)
        ]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


@contextmanager
def operated(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Operated]:
    with running_cloud(monkeypatch, **environment) as cloud:
        yield Operated(cloud, FakeStack(cloud, monkeypatch))

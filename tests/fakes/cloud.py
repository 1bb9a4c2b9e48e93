"""The functions over moto's AWS and a RunPod that `responses` plays, wired as in Lambda."""

import io
import json
import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import responses
from moto import mock_aws

from core import wiring
from core.aws.job_store import DynamoJobStore
from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.callback import CallRef, token_for
from core.jobs.job import Job
from core.telemetry import logger
from notifier import app as notifier_app
from submitter import app as submitter_app
from sweeper import app as sweeper_app
from tests.builders import API_KEY, JOB_ID, SECRET, status_body
from tests.fakes.aws import AN_ENVIRONMENT, create_jobs_table
from webhook_receiver import app as receiver_app
from webhook_sender import app as sender_app

EVENTS = Path(__file__).parents[2] / "events"
RUNPOD = "https://api.runpod.invalid/v2/e"
TRANSCRIPT = "[00:00:04] Mara: The pump holds.\n[00:00:09] Ilse: Then we buy a second one.\n"
KEY = "calls/harbour board + pilot.txt"
SUMMARY = "summaries/calls/harbour board.txt"
APPS = {
    "submitter": submitter_app,
    "webhook_receiver": receiver_app,
    "sweeper": sweeper_app,
    "notifier": notifier_app,
    "webhook_sender": sender_app,
}


@dataclass(frozen=True)
class Context:
    """What the functions read of a Lambda context."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class Cloud:
    runpod: responses.RequestsMock
    queue_url: str
    requests: Counter[str] = field(default_factory=Counter)  # "s3.PutObject": 2

    def event(self, name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        path = event.get("pathParameters") or {}
        if path.get("token") == "TOKEN":
            path["token"] = token_for(CallRef(path["job_id"], path["call_id"], 1), SECRET)
        return event

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = APPS[function].handler(event, Context())
        return answer

    def upload(self, key: str, body: bytes | str = TRANSCRIPT) -> None:
        data = body.encode() if isinstance(body, str) else body
        boto3.client("s3").put_object(Bucket="transcripts", Key=key, Body=data)

    def store(self) -> DynamoJobStore:
        return DynamoJobStore(boto3.client("dynamodb"), "jobs")

    def holding(self, job: Job, call: Call) -> None:
        self.store().create(job, [call])

    def history(self, job_id: str = JOB_ID) -> tuple[Job, list[Call], list[AuditEvent]]:
        return self.store().history(job_id)

    def job_ids(self) -> list[str]:
        items = boto3.client("dynamodb").scan(TableName="jobs")["Items"]
        return sorted({item["job_id"]["S"] for item in items})

    def only_job(self) -> tuple[Job, list[Call], list[AuditEvent]]:
        (job_id,) = self.job_ids()
        return self.history(job_id)

    def summaries(self) -> list[str]:
        listed = boto3.client("s3").list_objects_v2(Bucket="out").get("Contents", [])
        return [item["Key"] for item in listed]

    def messages(self) -> list[dict[str, Any]]:
        received = boto3.client("sqs").receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        )
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]

    def put_secret(self, name: str, value: str) -> None:
        boto3.client("secretsmanager").put_secret_value(SecretId=name, SecretString=value)

    def delete_secret(self, name: str) -> None:
        boto3.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def runpod_takes(self, runpod_id: str = "rp-1") -> None:
        self.runpod.post(f"{RUNPOD}/run", json=status_body("IN_QUEUE", id=runpod_id))

    def runpod_says(self, body: dict[str, Any], runpod_id: str = "rp-1") -> None:
        self.runpod.get(f"{RUNPOD}/status/{runpod_id}", json=body)

    def sent_to_runpod(self) -> list[dict[str, Any]]:
        return [
            json.loads(call.request.body or "")
            for call in self.runpod.calls
            if str(call.request.url).endswith("/run")
        ]


CLOUD = {
    "OUTPUT_BUCKET": "out",
    "RUNPOD_API_ENDPOINT": RUNPOD,
    "CALLBACK_SECRET": "callback",
    "INPUT_BUCKET": "transcripts",
    "MAX_TRANSCRIPT_BYTES": "1000000",
}


@contextmanager
def running_cloud(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Cloud]:
    monkeypatch.setattr(boto3, "client", _shared_client)
    monkeypatch.setattr(
        wiring, "client", lambda service: _shared_client(service, config=wiring._CONFIG)
    )
    with mock_aws(), responses.RequestsMock(assert_all_requests_are_fired=False) as runpod:
        s3, sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in ("transcripts", "out"):
            s3.create_bucket(Bucket=bucket)
        queue_url = sqs.create_queue(QueueName="uploads")["QueueUrl"]
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="runpod/api-key", SecretString=API_KEY)
        live = json.dumps({"current": SECRET.decode(), "previous": ""})
        secrets.create_secret(Name="callback", SecretString=live)
        create_jobs_table(boto3.client("dynamodb"))
        for name, value in (
            AN_ENVIRONMENT | CLOUD | {"WORK_QUEUE_URL": queue_url} | environment
        ).items():
            monkeypatch.setenv(name, value)
        cloud = Cloud(runpod, queue_url)
        for app in APPS.values():
            app._wiring.cache_clear()
        with _counting(cloud.requests):
            yield cloud
        for app in APPS.values():
            app._wiring.cache_clear()


_make_client = boto3.client
_clients: dict[str, Any] = {}


def _shared_client(service: str, **options: Any) -> Any:
    """Return one client for all tests: a dozen for each is most of what a test over moto costs."""
    config = options.get("config")
    chosen = config._user_provided_options if config else {}
    key = f"{service} {os.environ['AWS_DEFAULT_REGION']} {chosen}"
    if key not in _clients:
        _clients[key] = _make_client(service, **options)  # type: ignore[call-overload]
    return _clients[key]


@contextmanager
def _counting(requests: Counter[str]) -> Iterator[None]:
    """Count the requests of the clients that the functions are wired with."""

    def count(model: Any, **_: Any) -> None:
        requests[f"{model.service_model.service_name}.{model.name}"] += 1

    clients = [wiring.client(service) for service in ("dynamodb", "s3", "sqs", "secretsmanager")]
    for client in clients:
        client.meta.events.register("before-call", count)
    yield
    for client in clients:
        client.meta.events.unregister("before-call", count)


def without_versions(event: dict[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Put the version that moto's buckets give into an event that names another."""
    text = json.dumps(event)
    listed = boto3.client("s3").list_objects_v2(Bucket="transcripts").get("Contents", [])
    etag = listed[0]["ETag"].strip('"') if listed else ""
    text = text.replace("096fKKXTRTtl3on89fVO.nfljtsv6qko", "null")
    changed: dict[str, Any] = json.loads(text.replace("9b2cf535f27731c974343645a3985328", etag))
    return changed


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """Yield what the functions log, as Lambda would print it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)

"""What the functions ask of AWS for one job, and what they are answered: taken down once, over moto."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.response import StreamingBody

from core.telemetry import logger
from tests.builders import API_KEY, SECRET
from tests.fakes.cloud import RUNPOD, Cloud, running_cloud
from tests.fakes.driving import drive
from tests.fakes.model import a_transcript
from tests.fakes.notices import example

ONE_CALL = {"SUMMARY_WORDS": "600"}  # so short a summary is asked for at once


@dataclass(frozen=True)
class Exchange:
    """One request to AWS and its answer."""

    service: str
    operation: str
    parameters: str  # as JSON; bytes as {"base64": ...}
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Invocation:
    function: str
    event: dict[str, Any]
    exchanges: tuple[Exchange, ...]
    requests_to_runpod: int = 0


@dataclass
class Recorder:
    """Invokes functions and keeps what they ask of AWS meanwhile."""

    cloud: Cloud
    invocations: list[Invocation] = field(default_factory=list)

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        exchanges: list[Exchange] = []
        before = len(self.cloud.sent_to_runpod())
        with _recorded(exchanges):
            answer = self.cloud.invoke(function, event)
        sent = len(self.cloud.sent_to_runpod()) - before
        self.invocations.append(Invocation(function, event, tuple(exchanges), sent))
        return answer


def job(words: int, *, rounds: int | None = None, **environment: str) -> list[Invocation]:
    """Return the invocations of a job from its upload to its notice, or of its first rounds."""
    with _cloud(MAX_TRANSCRIPT_BYTES="20000000", **environment) as cloud:
        recorder = Recorder(cloud)
        if drive(cloud, a_transcript(words), rounds=rounds, invoke=recorder.invoke):
            recorder.invoke("notifier", {"Records": [_end_of_the_job()]})
        return recorder.invocations


def sweep() -> Invocation:
    """Return a sweep that finds nothing due, which most of them are."""
    with _cloud() as cloud:
        cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)
        recorder = Recorder(cloud)
        recorder.invoke("sweeper", {})
        return recorder.invocations[0]


def webhook() -> Invocation:
    """Return the delivery of a notice; all it asks of AWS is the secret."""
    record = {
        "messageId": "m-0",
        "receiptHandle": "r",
        "body": json.dumps(example("summary-published")),
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    secret = Exchange("secretsmanager", "GetSecretValue", '{"SecretId": "webhook"}', 200, {}, b"")
    return Invocation("webhook_sender", {"Records": [record]}, (secret,))


HEALTH = {"jobs": {"inQueue": 0}, "workers": {"idle": 1, "running": 0}}
SECRETS = {
    "runpod/api-key": API_KEY,
    "callback": json.dumps({"current": SECRET.decode(), "previous": ""}),
    "webhook": "whsec_" + base64.b64encode(b"a secret of thirty-two characters").decode(),
}


@contextmanager
def _cloud(**environment: str) -> Iterator[Cloud]:
    """Run the functions over moto, without what they print."""
    level = logger.log_level
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        logger.setLevel("CRITICAL")
        try:
            with running_cloud(patch, **environment) as cloud:
                yield cloud
        finally:
            logger.setLevel(level)


def _end_of_the_job() -> dict[str, Any]:
    """Return the record of the table's stream that starts the notifier."""
    items = boto3.client("dynamodb").scan(TableName="jobs")["Items"]
    (item,) = (each for each in items if each["item"]["S"] == "job")
    keys = {name: item[name] for name in ("job_id", "item")}
    before = item | {"state": {"S": "active"}}
    change = {"Keys": keys, "OldImage": before, "NewImage": item, "SequenceNumber": "1"}
    return {
        "eventID": "e",
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": change,
    }


@contextmanager
def _recorded(exchanges: list[Exchange]) -> Iterator[None]:
    """Keep every answer of AWS as it came over the wire."""
    ask = Endpoint._do_get_response  # noqa: SLF001 - nothing public has the answer as it came
    call = BaseClient._make_api_call  # noqa: SLF001
    asked: list[str] = [""]

    def note_and_call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        asked[0] = json.dumps(parameters, default=_encoded)
        return call(self, operation, parameters)

    def ask_and_record(self: Any, request: Any, operation: Any, context: Any) -> Any:
        answered, exception = ask(self, request, operation, context)
        if answered:
            http, parsed = answered
            body = parsed.get("Body")
            if isinstance(body, StreamingBody):
                content = body.read()
                parsed["Body"] = StreamingBody(io.BytesIO(content), len(content))
            else:
                content = http.content
            service = operation.service_model.service_name
            headers = {name: str(value) for name, value in http.headers.items()}
            exchanges.append(
                Exchange(service, operation.name, asked[0], http.status_code, headers, content)
            )
        return answered, exception

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "_do_get_response", ask_and_record)
        patch.setattr(BaseClient, "_make_api_call", note_and_call)
        yield


def _encoded(value: Any) -> dict[str, str] | str:
    if isinstance(value, datetime):
        return value.isoformat()  # which botocore takes for a time
    return {"base64": base64.b64encode(value).decode()}

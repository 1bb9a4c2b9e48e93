"""A deployed stack over moto: what an operator finds of it, CloudFormation and Lambda included."""

import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.deployment import Deployment
from cli.operating import desk
from tests.fakes.cloud import Cloud

NAME = "a-stack"
FUNCTIONS = {
    "SubmitterFunction": "submitter",
    "WebhookReceiverFunction": "webhook_receiver",
    "SweeperFunction": "sweeper",
    "WebhookSenderFunction": "webhook_sender",
}
FEED = "arn:aws:sqs:us-east-1:123456789012:uploads"
SCHEDULE = "a-stack-SweepSchedule-1"


def quietly(cloud: Cloud, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke a function; its metrics, which go to stdout, are no command's output."""
    with redirect_stdout(io.StringIO()):
        return cloud.invoke(function, event)


class FakeStack:
    """Its outputs and queues; and a session, whose clients are moto's but for CloudFormation and Lambda."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self._cloud = cloud
        self.dead_letters, self.dead_end, self.notices = (
            boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"]
            for name in ("dead", "dead-end", "notices")
        )
        self.outputs = {
            "InputBucket": "transcripts",
            "OutputBucket": "out",
            "JobsTable": "jobs",
            "UploadQueueUrl": cloud.queue_url,
            "UploadDeadLetterQueueUrl": self.dead_letters,
            "CallbackSecret": "callback",
            "NoticeDeadEndUrl": self.dead_end,
            "NoticeQueueUrl": self.notices,
            **FUNCTIONS,
        }
        changed_at = datetime.now(UTC) - timedelta(hours=2)
        self.feeds: list[dict[str, Any]] = [
            {"UUID": "u", "EventSourceArn": FEED, "State": "Enabled", "LastModified": changed_at}
        ]
        self.environment = dict(os.environ)  # of the functions; a test's own may change
        self.may_be_read = True
        self.is_busy = False
        self.played: dict[str, Any] = {}  # services that are played in moto's place
        session: Any = self
        monkeypatch.setattr(desk, "_deployment", lambda *_: Deployment(session, NAME))

    def client(self, service: str, **_: Any) -> Any:
        if service in ("cloudformation", "lambda"):
            return self
        return self.played.get(service) or boto3.client(service)  # type: ignore[call-overload]

    def close(self) -> None: ...

    def describe_stacks(self, **_: Any) -> Any:
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        return {"Stacks": [{"Outputs": outputs}]}

    def describe_stack_resource(self, **_: Any) -> Any:
        return {"StackResourceDetail": {"PhysicalResourceId": SCHEDULE}}

    def get_function_configuration(self, **_: Any) -> Any:
        self._refuse_unless(self.may_be_read, "GetFunctionConfiguration")
        return {"Environment": {"Variables": self.environment}}

    def list_event_source_mappings(self, **_: Any) -> Any:
        self._refuse_unless(self.may_be_read, "ListEventSourceMappings")
        return {"EventSourceMappings": self.feeds}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        operation = "UpdateEventSourceMapping"
        self._refuse_unless(not self.is_busy, operation, "ResourceInUseException")
        (feed,) = [each for each in self.feeds if each["UUID"] == UUID]
        feed["State"] = "Enabled" if Enabled else "Disabling"

    def invoke(self, *, FunctionName: str, Payload: bytes = b"{}") -> Mapping[str, Any]:  # noqa: N803
        answer = quietly(self._cloud, FunctionName, json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    @staticmethod
    def _refuse_unless(may: bool, operation: str, code: str = "AccessDeniedException") -> None:
        if not may:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

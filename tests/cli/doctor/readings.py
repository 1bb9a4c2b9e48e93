"""A deployment in order, as the doctor reads it, and ways to change one thing about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.doctor.readings import (
    Answer,
    Bucket,
    Concurrency,
    Function,
    Health,
    Jobs,
    Readings,
    Schedule,
    Stack,
    Ttl,
)
from tests.fakes.aws import AN_ENVIRONMENT

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REGION, ACCOUNT = "eu-central-1", "123456789012"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uploads"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
WEBHOOK = f"https://abc123.execute-api.{REGION}.amazonaws.com/webhook"
ENVIRONMENT = AN_ENVIRONMENT | {
    "WEBHOOK_URL": WEBHOOK,
    "RUNPOD_API_ENDPOINT": "https://api.runpod.ai/v2/ep1",
}
MODEL = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"

STACK = Stack(
    name="transcript-summaries",
    region=REGION,
    status="UPDATE_COMPLETE",
    parameters={
        "RunpodApiEndpoint": "https://api.runpod.ai/v2/ep1",
        "SweepScheduleMinutes": "2",
        "SubmitterMaxConcurrency": "5",
        "AlarmEmail": "",
        "InputBucketKmsKeyArn": "",
        "OutputBucketKmsKeyArn": "",
    },
    outputs={"WebhookUrl": WEBHOOK, "JobsTable": "jobs"},
    resources={"TranscriptsBucket": "in", "HttpApi": "abc123"},
)
ENDPOINT: dict[str, Any] = {
    "id": "ep1",
    "name": "transcript-summaries",
    "type": "QUEUE",
    "image": "runpod/worker-v1-vllm:v2.25.2",
    "env": {"MODEL_NAME": MODEL, "MAX_MODEL_LEN": "32768"},
    "gpu": {"pools": ["AMPERE_80", "ADA_80_PRO"], "count": 1},
    "workers": {"min": 0, "max": 3, "idleTimeout": 15},
    "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4},
    "timeout": 900_000,
    "flashboot": "FLASHBOOT",
}
WORKERS = {"idle": 0, "initializing": 0, "ready": 0, "running": 0, "throttled": 0, "unhealthy": 0}


def functions(**changes: str) -> dict[str, Function]:
    return {
        part: Function(name=f"stack-{part}", environment={**ENVIRONMENT, **changes})
        for part in ("submitter", "webhook_receiver", "sweeper")
    }


def function_changed(part: str, **changes: Any) -> dict[str, Function]:
    all_of_them = functions()
    return {**all_of_them, part: replace(all_of_them[part], **changes)}


def stack(parameters: dict[str, str] | None = None, **changes: Any) -> Stack:
    return replace(STACK, parameters={**STACK.parameters, **(parameters or {})}, **changes)


def endpoint(**changes: Any) -> dict[str, Any]:
    return {**ENDPOINT, **changes}


def health(jobs: dict[str, int] | None = None, **workers: int) -> Health:
    return Health(status=200, workers={**WORKERS, **workers}, jobs={"inQueue": 0, **(jobs or {})})


def bucket(**changes: Any) -> Bucket:
    return replace(Bucket(name="in", region=REGION, queues=(QUEUE,)), **changes)


def idle_for(**span: int) -> Jobs:
    return Jobs(oldest_ended_at=None, newest_at=NOW - timedelta(**span), read_at=NOW)


def healthy(**changes: Any) -> Readings:
    held = {
        "stack": STACK,
        "functions": functions(),
        "feed": "Enabled",
        "notice_feed": "Enabled",
        "key_secret": "",
        "callback_secret": "",
        "health": health(),
        "is_key_restricted": True,
        "endpoint": ENDPOINT,
        "stock": {"AMPERE_80": "LOW", "ADA_80_PRO": "NONE"},
        "endpoint_choices": {},
        "webhook": Answer(status=401, is_from_receiver=True),
        "input_bucket": bucket(),
        "output_bucket": bucket(name="out", queues=()),
        "key_state": "",
        "upload_rule": None,
        "queue_arn": QUEUE,
        "dead_letters": 0,
        "dead_notices": 0,
        "schedule": Schedule(
            state="ENABLED",
            expression="rate(2 minutes)",
            target=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:stack-sweeper",
        ),
        "subscriptions": {},
        "notice_subscriptions": {},
        "ttl": Ttl(status="ENABLED", attribute="expires_at"),
        "jobs": Jobs(
            oldest_ended_at=NOW - timedelta(days=91),
            newest_at=NOW - timedelta(hours=1),
            read_at=NOW,
        ),
        "concurrency": Concurrency(limit=1000, unreserved=1000),
        "template_differences": (),
        "code_differences": (),
        "clock_ahead_seconds": {"AWS": 0.7, "RunPod": -1.2},
    }
    return Readings(held={**held, **changes})

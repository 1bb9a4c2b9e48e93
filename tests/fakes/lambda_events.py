"""The events that AWS invokes our functions with, as far as these read them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

UPLOAD_BUCKET = "transcripts"
UPLOADED_AT = "2026-03-02T12:00:00Z"


def s3_notification(
    key: str,
    etag: str,
    *,
    size: int = 3,
    sequencer: str = "01",
    version_id: str = "",
    at: str = UPLOADED_AT,
) -> dict[str, Any]:
    """Return S3's own message, in which the key is encoded as in a form."""
    s3_object = {"key": quote_plus(key), "size": size, "eTag": etag, "sequencer": sequencer}
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": at,
        "s3": {
            "bucket": {"name": UPLOAD_BUCKET},
            "object": s3_object | ({"versionId": version_id} if version_id else {}),
        },
    }
    return {"Records": [record]}


def eventbridge_event(
    key: str,
    etag: str,
    *,
    size: int = 3,
    sequencer: str = "01",
    version_id: str = "",
    at: str = UPLOADED_AT,
) -> dict[str, Any]:
    """Return EventBridge's message, in which the key is as it is."""
    s3_object = {"key": key, "size": size, "etag": etag, "sequencer": sequencer}
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": at,
        "detail": {
            "bucket": {"name": UPLOAD_BUCKET},
            "object": s3_object | ({"version-id": version_id} if version_id else {}),
        },
    }


def sqs_batch(*messages: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return messages as SQS hands them to a function: m-0, m-1 ..."""
    records = [
        {
            "messageId": f"m-{number}",
            "receiptHandle": "r",
            "body": message if isinstance(message, str) else json.dumps(message),
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
            "awsRegion": "us-east-1",
        }
        for number, message in enumerate(messages)
    ]
    return {"Records": records}


def callback_event(webhook: str, body: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return what API Gateway makes of a POST to a callback URL."""
    names = ("job_id", "call_id", "attempt", "token")
    path = dict(zip(names, webhook.split("/")[-len(names) :], strict=True))
    return {
        "pathParameters": path,
        "body": body if isinstance(body, str) else json.dumps(body),
    }

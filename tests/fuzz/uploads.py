"""Uploads as S3 announces them, and callbacks about what came of them."""

import json
from typing import Any
from urllib.parse import quote_plus

import boto3

from tests.builders import completed_body
from tests.fakes.cloud import TRANSCRIPT, Cloud

BUCKET = "transcripts"


def put(key: str, body: bytes | str = TRANSCRIPT, **metadata: str) -> str:
    """Upload a file and return its ETag."""
    data = body.encode() if isinstance(body, str) else body
    answer = boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=data, Metadata=metadata)
    return str(answer["ETag"]).strip('"')


def notification(key: str, etag: str) -> dict[str, Any]:
    """Return S3's own message, in which the key is encoded as in a form."""
    s3_object = {"key": quote_plus(key), "size": 3, "eTag": etag, "sequencer": "01"}
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-03-02T12:00:00.000Z",
        "s3": {"bucket": {"name": BUCKET}, "object": s3_object},
    }
    return {"Records": [record]}


def eventbridge(key: str, etag: str) -> dict[str, Any]:
    """Return EventBridge's message, in which the key is as it is."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-03-02T12:00:00Z",
        "detail": {
            "bucket": {"name": BUCKET},
            "object": {"key": key, "size": 3, "etag": etag, "sequencer": "01"},
        },
    }


def batch(*messages: dict[str, Any]) -> dict[str, Any]:
    """Return messages as SQS hands them over."""
    records = [
        {
            "messageId": f"m-{number}",
            "receiptHandle": "r",
            "body": json.dumps(message),
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
            "awsRegion": "us-east-1",
        }
        for number, message in enumerate(messages)
    ]
    return {"Records": records}


def submit(cloud: Cloud, key: str, body: bytes | str = TRANSCRIPT, **metadata: str) -> list[str]:
    """Upload, announce, and return the messages that shall come again."""
    event = batch(eventbridge(key, put(key, body, **metadata)))
    answer = cloud.invoke("submitter", event)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def callback(cloud: Cloud, request: dict[str, Any], text: str, runpod_id: str) -> dict[str, Any]:
    """Return RunPod's callback about a request, with a text."""
    event = cloud.event("webhook-completed")
    names = ("job_id", "call_id", "attempt", "token")
    event["pathParameters"] = dict(zip(names, request["webhook"].split("/")[-4:], strict=True))
    event["body"] = json.dumps(completed_body(text, id=runpod_id))
    return event

"""Uploads as S3 announces them, and callbacks about what came of them."""

from typing import Any

import boto3

from tests.builders import a_manifest, completed_body, manifest_body
from tests.fakes.cloud import TRANSCRIPT, Cloud
from tests.fakes.lambda_events import UPLOAD_BUCKET, callback_event, eventbridge_event, sqs_batch


def put(key: str, body: bytes | str = TRANSCRIPT, **metadata: str) -> str:
    """Upload a file and return its ETag."""
    data = body.encode() if isinstance(body, str) else body
    answer = boto3.client("s3").put_object(
        Bucket=UPLOAD_BUCKET, Key=key, Body=data, Metadata=metadata
    )
    return str(answer["ETag"]).strip('"')


def submit(cloud: Cloud, key: str, body: bytes | str = TRANSCRIPT, **metadata: str) -> list[str]:
    """Upload, announce, and return the messages that shall come again."""
    event = sqs_batch(eventbridge_event(key, put(key, body, **metadata)))
    answer = cloud.invoke("submitter", event)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def take_messages(cloud: Cloud) -> None:
    """Let the submitter take what is in its queue, until nothing is."""
    while messages := cloud.messages():
        assert cloud.invoke("submitter", sqs_batch(*messages)) == {"batchItemFailures": []}


def callback(cloud: Cloud, request: dict[str, Any], text: str, runpod_id: str) -> dict[str, Any]:
    """Return RunPod's callback about a request, with a text."""
    return posted(cloud, request, completed_body(text, id=runpod_id))


def delivery(cloud: Cloud, request: dict[str, Any], text: str, runpod_id: str) -> dict[str, Any]:
    """Return RunPod's callback about pull mode's request, with a summary that was sent along."""
    manifest = a_manifest(text.encode("utf-8", "replace"), text=text)
    return posted(cloud, request, manifest_body(manifest, id=runpod_id))


def posted(cloud: Cloud, request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    return cloud.event("webhook-completed") | callback_event(request["webhook"], body)

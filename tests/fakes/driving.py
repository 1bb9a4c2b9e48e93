"""A job over moto's AWS from its upload to its end: RunPod answers what it is asked, the queue delivers."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import boto3
import responses

from tests.builders import status_body
from tests.fakes.cloud import RUNPOD, Cloud
from tests.fakes.lambda_events import callback_event, s3_notification, sqs_batch
from tests.fakes.model import FakeModel

KEY = "board.txt"


def drive(
    cloud: Cloud,
    text: str,
    *,
    model: FakeModel | None = None,
    rounds: int | None = None,
    invoke: Callable[[str, dict[str, Any]], object] | None = None,
) -> bool:
    """Upload a transcript and go on until nothing is left, or for some rounds; say whether nothing is.

    `cloud.requests` counts from the upload's announcement on. `invoke` takes the place of `cloud.invoke`.
    """
    invoke, model = invoke or cloud.invoke, model or FakeModel()
    waiting: list[tuple[str, dict[str, Any]]] = []
    taken = count(1)

    def take(request: Any) -> tuple[int, dict[str, str], str]:
        runpod_id = f"rp-{next(taken)}"
        waiting.append((runpod_id, json.loads(request.body)))
        return 200, {}, json.dumps(status_body("IN_QUEUE", id=runpod_id))

    cloud.runpod.add_callback(responses.POST, f"{RUNPOD}/run", callback=take)
    cloud.upload(KEY, text)
    etag = boto3.client("s3").head_object(Bucket="transcripts", Key=KEY)["ETag"].strip('"')
    cloud.requests.clear()
    invoke("submitter", sqs_batch(s3_notification(KEY, etag, size=len(text.encode()))))
    for _ in count() if rounds is None else range(rounds):
        if not waiting:
            break
        requests, waiting[:] = waiting[:], []
        for runpod_id, request in requests:
            answer = model.answer(request, runpod_id)
            invoke("webhook_receiver", callback_event(request["webhook"], answer))
        for message in cloud.messages():
            invoke("submitter", sqs_batch(message))
    return not waiting

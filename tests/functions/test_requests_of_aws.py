"""What a summary of many calls costs in requests to AWS, as benchmarks/writing.py counts them."""

import json
import math
from collections import Counter
from itertools import count
from typing import Any

import boto3
import pytest
import responses

from benchmarks.writing import aws_requests
from core.jobs.job import JobState
from tests.builders import status_body
from tests.fakes.cloud import RUNPOD, Cloud
from tests.fakes.lambda_events import callback_event, s3_notification, sqs_batch
from tests.fakes.model import FakeModel, a_transcript
from tests.writing_model import Length, obedient, proportional


def summarised(cloud: Cloud, words: int, length: Length) -> None:
    """Upload a transcript and let RunPod and the queue do what they do, until nothing is left."""
    waiting: list[tuple[str, dict[str, Any]]] = []
    taken = count(1)

    def take(request: Any) -> tuple[int, dict[str, str], str]:
        runpod_id = f"rp-{next(taken)}"
        waiting.append((runpod_id, json.loads(request.body)))
        return 200, {}, json.dumps(status_body("IN_QUEUE", id=runpod_id))

    cloud.runpod.add_callback(responses.POST, f"{RUNPOD}/run", callback=take)
    cloud.upload("long.txt", a_transcript(words))
    etag = boto3.client("s3").head_object(Bucket="transcripts", Key="long.txt")["ETag"]
    cloud.invoke("submitter", sqs_batch(s3_notification("long.txt", etag.strip('"'))))
    model = FakeModel(length=length)
    while waiting:
        requests, waiting[:] = waiting[:], []
        for runpod_id, request in requests:
            answer = model.answer(request, runpod_id)
            cloud.invoke("webhook_receiver", callback_event(request["webhook"], answer))
        for message in cloud.messages():
            cloud.invoke("submitter", sqs_batch(message))


@pytest.mark.parametrize(
    ("words", "length"), [(12_000, obedient), (60_000, obedient), (12_000, proportional(0.5))]
)
def test_the_benchmark_counts_requests_of_aws_as_they_are(
    cloud: Cloud, words: int, length: Length
) -> None:
    summarised(cloud, words, length)

    job, calls, _ = cloud.only_job()
    assert job.state is JobState.SUCCEEDED
    counted = cloud.requests.total() - cloud.requests["secretsmanager.GetSecretValue"]
    stages = Counter(call.stage for call in calls)
    expected = aws_requests([stages[stage] for stage in sorted(stages)])
    assert math.isclose(expected, counted, rel_tol=0.05)

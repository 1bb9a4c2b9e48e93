"""Metrics count each transition once, however often it is seen: over moto's AWS and the real handlers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.aws.queue import SqsWorkQueue
from core.jobs.call import CallState
from core.jobs.callback import CallRef, token_for
from core.jobs.job import JobState
from tests.builders import (
    JOB_ID,
    SECRET,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_manifest,
    a_pull_call,
    a_pull_job,
    completed_body,
    failed_body,
    lost_body,
    manifest_body,
    minutes,
)
from tests.fakes.cloud import KEY, Cloud, running_cloud, without_versions
from tests.fakes.embedded_metrics import values_in
from tests.fakes.lambda_events import sqs_batch


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with running_cloud(monkeypatch) as cloud:
        yield cloud


HAPPENED = ("Jobs", "Calls", "Duplicate")  # what is measured of a summary has tests of its own


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return how often every function has counted what happened, since it was asked last."""

    def counted() -> dict[str, int]:
        values = values_in(capsys.readouterr().out)
        told = {
            name: round(sum(each)) for name, each in values.items() if name.startswith(HAPPENED)
        }
        return {name: number for name, number in told.items() if number}

    return counted


def callback(
    body: dict[str, Any], call_id: str = "1-0", attempt: int = 1, job_id: str = JOB_ID
) -> dict[str, Any]:
    token = token_for(CallRef(job_id, call_id, attempt), SECRET)
    path = {"job_id": job_id, "call_id": call_id, "attempt": str(attempt), "token": token}
    return {"pathParameters": path, "body": json.dumps(body)}


FAILED = failed_body("executionTimeout exceeded")


def test_a_job_that_failed_is_counted_once_however_many_of_its_calls_come_back(
    cloud: Cloud, counted: Any
) -> None:
    ids = [f"1-{number}" for number in range(7)]
    calls = [replace(a_call(stage=1), id=call_id) for call_id in ids]
    cloud.store().create(a_job(stage_calls=7), calls)

    for call_id in ids:
        cloud.invoke("webhook_receiver", callback(FAILED, call_id))
        cloud.invoke("webhook_receiver", callback(completed_body(), call_id))

    assert counted() == {"JobsFailed": 1, "JobsFailedUnexpectedly": 1}


def test_a_succeeded_job_is_counted_once_however_often_it_is_reported(
    cloud: Cloud, counted: Any
) -> None:
    cloud.holding(a_pull_job(), a_pull_call())

    for _ in range(3):
        cloud.invoke(
            "webhook_receiver", callback(manifest_body(a_manifest(text=SUMMARY_TEXT)), "whole")
        )

    assert counted() == {"JobsSucceeded": 1}


def test_a_job_whose_one_answer_its_receiver_publishes_is_counted_once(
    cloud: Cloud, counted: Any
) -> None:
    cloud.runpod_takes()
    cloud.upload(KEY)
    cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))
    job, _, _ = cloud.only_job()

    for _ in range(3):
        cloud.invoke("webhook_receiver", callback(completed_body(), job_id=job.id))

    assert counted() == {"CallsSubmitted": 1, "JobsSucceeded": 1}


def test_a_job_whose_submitter_publishes_is_counted_once_however_often_it_is_asked_to(
    cloud: Cloud, counted: Any, nothing_at_once: None
) -> None:
    cloud.runpod_takes()
    cloud.upload(KEY)
    cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))
    job, _, _ = cloud.only_job()
    cloud.invoke("webhook_receiver", callback(completed_body(), job_id=job.id))
    assert counted() == {"CallsSubmitted": 1}
    (message,) = cloud.messages()

    for _ in range(3):
        cloud.invoke("submitter", sqs_batch(message))

    assert counted() == {"JobsSucceeded": 1}


@pytest.mark.parametrize("state", [CallState.SUBMITTED, CallState.FAILED, CallState.CANCELLED])
def test_a_message_that_has_nothing_left_to_do_counts_nothing(
    cloud: Cloud, counted: Any, state: CallState
) -> None:
    job = a_job()
    if state is not CallState.SUBMITTED:
        job = a_job(state=JobState.FAILED, reason_code="deadline", reason="late")
    cloud.holding(job, a_call(state))
    wanted: list[dict[str, Any]] = []
    queue = SqsWorkQueue(Recording(wanted), cloud.queue_url)  # type: ignore[arg-type]
    queue.request_attempt(JOB_ID, "1-0", after=minutes(0))
    queue.request_next_stage(JOB_ID)

    for body in wanted:
        cloud.invoke("submitter", sqs_batch(body))

    assert counted() == {}


class Recording:
    def __init__(self, bodies: list[dict[str, Any]]) -> None:
        self._bodies = bodies

    def send_message(self, *, MessageBody: str, **_: Any) -> None:  # noqa: N803 - boto3's names
        self._bodies.append(json.loads(MessageBody))


def test_an_upload_counts_its_submission_and_the_sweeper_what_it_gives_up(
    cloud: Cloud, counted: Any
) -> None:
    cloud.runpod_takes()
    cloud.upload("calls/harbour.txt")
    event = cloud.event("submitter-s3-direct")
    record = event["Records"][0]["s3"]
    record["object"] |= {"key": "calls/harbour.txt", "eTag": ""}
    record["object"].pop("versionId", None)
    record["bucket"]["name"] = "transcripts"

    cloud.invoke("submitter", event)
    assert counted() == {"CallsSubmitted": 1}

    cloud.invoke("submitter", event)
    assert counted() == {"DuplicateUploads": 1}


def test_a_retry_counts_once(cloud: Cloud, counted: Any) -> None:
    cloud.holding(a_job(), a_call())
    lost = lost_body()

    for _ in range(3):
        cloud.invoke("webhook_receiver", callback(lost))

    assert counted() == {"CallsRetried": 1}


def test_a_job_that_the_sweeper_gives_up_by_itself_is_counted(cloud: Cloud, counted: Any) -> None:
    """Its calls have ended; nobody went on with it."""
    job = a_job(stage_calls=2)
    cloud.store().create(replace(job, due_at=job.deadline), [])

    cloud.invoke("sweeper", {})
    cloud.invoke("sweeper", {})

    assert counted()["JobsFailed"] == 1

"""What is measured of a summary, of requests and callbacks, and by each sweep: over moto's AWS."""

import ast
import io
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from core import wiring
from core.telemetry import SERVICE, Metric
from tests.builders import (
    NOON,
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
    status_body,
)
from tests.fakes.cloud import KEY, RUNPOD, Cloud, without_versions
from tests.fakes.embedded_metrics import samples_in, values_in
from tests.fakes.lambda_events import callback_event, sqs_batch
from tests.functions.test_counting import callback

ROOT = Path(__file__).parents[2]
HEALTH = {
    "jobs": {"completed": 3, "failed": 0, "inProgress": 1, "inQueue": 5, "retried": 0},
    "workers": {
        "idle": 0,
        "initializing": 1,
        "ready": 1,
        "running": 1,
        "throttled": 0,
        "unhealthy": 0,
    },
}


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time; a test may move it."""
    times = [NOON]
    monkeypatch.setattr(wiring, "now", lambda: times[-1])
    for app in ("submitter", "webhook_receiver", "sweeper"):
        __import__(f"{app}.app")
    return times


def publish_pulled(cloud: Cloud, **manifest: Any) -> None:
    cloud.holding(a_pull_job(), a_pull_call())
    body = manifest_body(a_manifest(text=SUMMARY_TEXT, **manifest))
    cloud.invoke("webhook_receiver", callback(body, "whole"))


class TestASummary:
    def test_says_how_long_it_took_and_where_the_time_went(
        self, clock: list[datetime], cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        clock.append(NOON + minutes(2))

        publish_pulled(cloud)

        told = values_in(capsys.readouterr().out)
        assert told["SecondsToSummary"] == [120]
        assert told["SecondsInQueue"] == [9.533]
        assert told["SecondsOnGpu"] == [61.088]
        assert told["SecondsOurs"] == [49.379]
        assert told["GpuSeconds"] == [61.088]

    def test_that_the_submitter_publishes_says_so_too(
        self,
        clock: list[datetime],
        cloud: Cloud,
        capsys: pytest.CaptureFixture[str],
        nothing_at_once: None,
    ) -> None:
        cloud.runpod_takes()
        cloud.upload(KEY)
        cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))
        clock.append(NOON + minutes(2))
        sent = cloud.sent_to_runpod()[0]["webhook"]
        cloud.invoke("webhook_receiver", callback_event(sent, completed_body()))
        clock.append(NOON + minutes(3))
        for message in cloud.messages():
            cloud.invoke("submitter", sqs_batch(message))

        told = values_in(capsys.readouterr().out)
        assert told["SecondsToSummary"] == [180]
        assert told["SecondsInQueue"] == [9.533]
        assert told["SecondsOnGpu"] == [61.088]
        assert told["SecondsOurs"] == [109.379]
        assert told["GpuSeconds"] == [61.088]  # once, though two functions knew of it
        assert told["TokensGenerated"] == [5_300]

    def test_says_which_tokens_are_not_in_it(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publish_pulled(cloud, completion_tokens=4_000, discarded_tokens=1_000)

        told = values_in(capsys.readouterr().out)
        assert told["TokensGenerated"] == [4_000]
        assert told["TokensDiscarded"] == [1_000]
        assert told["TokensDiscardedPercent"] == [25]

    @pytest.mark.parametrize(("doubts", "sample"), [(0, 0), (1, 1), (3, 1)])
    def test_is_one_with_doubts_or_one_without(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str], doubts: int, sample: int
    ) -> None:
        publish_pulled(cloud, doubts=doubts)

        assert values_in(capsys.readouterr().out)["SummariesWithDoubts"] == [sample]

    def test_says_how_much_of_the_length_that_was_asked_it_has(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publish_pulled(cloud, target_words=30)

        assert values_in(capsys.readouterr().out)["SummaryLengthPercent"] == [50]


class TestGpuTime:
    def test_is_counted_of_a_lost_attempt_too(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.holding(a_job(), a_call())

        for _ in range(2):
            cloud.invoke("webhook_receiver", callback(lost_body(executionTime=40_000)))

        assert values_in(capsys.readouterr().out)["GpuSeconds"] == [40]

    def test_is_counted_of_a_failed_job(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.holding(a_job(), a_call())
        failed = failed_body("executionTimeout exceeded", executionTime=900_000)

        cloud.invoke("webhook_receiver", callback(failed))

        assert values_in(capsys.readouterr().out)["GpuSeconds"] == [900]


class TestARequest:
    @pytest.mark.parametrize(
        ("status", "sample"), [(200, 0), (500, 1), (429, 1), (400, 1)], ids=str
    )
    def test_is_a_submit_error_or_none(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str], status: int, sample: int
    ) -> None:
        cloud.upload(KEY)
        cloud.runpod.post(f"{RUNPOD}/run", status=status, json=status_body("IN_QUEUE"))

        cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

        assert values_in(capsys.readouterr().out)["SubmitErrors"] == [sample]

    def test_that_is_held_is_no_submit_error(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.upload(KEY)
        cloud.runpod.post(f"{RUNPOD}/run", status=401, json={})

        cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

        told = values_in(capsys.readouterr().out)
        assert told["CallsHeld"] == [1]
        assert "SubmitErrors" not in told


class TestAResult:
    def test_is_a_sample_of_zero_where_its_callback_came(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.holding(a_job(), a_call())

        for _ in range(3):  # a callback that comes again brings no further result
            cloud.invoke("webhook_receiver", callback(completed_body()))

        assert values_in(capsys.readouterr().out)["CallbacksLost"] == [0]

    def test_is_a_sample_of_one_where_the_sweeper_found_it(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.holding(a_job(), a_call())
        cloud.runpod_says(completed_body())

        for _ in range(2):
            cloud.invoke("sweeper", {})

        assert values_in(capsys.readouterr().out)["CallbacksLost"] == [1]


class TestAFailure:
    def test_of_a_job_wants_somebody_on_call(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.holding(a_job(), a_call())

        cloud.invoke("webhook_receiver", callback(failed_body("executionTimeout exceeded")))

        told = values_in(capsys.readouterr().out)
        assert told["JobsFailed"] == told["JobsFailedUnexpectedly"] == [1]

    def test_that_is_the_files_own_wants_only_its_uploader(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.upload(KEY, b" ")

        cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

        told = values_in(capsys.readouterr().out)
        assert told["JobsFailed"] == [1]
        assert "JobsFailedUnexpectedly" not in told


class TestASweep:
    def test_measures_the_oldest_active_job_and_the_endpoint(
        self, clock: list[datetime], cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        old, young = a_job(), replace(a_job(), id="f" * 32, created_at=NOON + minutes(3))
        for job in (young, old):
            cloud.store().create(replace(job, due_at=None), [])
        cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)
        clock.append(NOON + minutes(4))

        cloud.invoke("sweeper", {})

        told = values_in(capsys.readouterr().out)
        assert told["OldestActiveJobSeconds"] == [240]
        assert told["EndpointJobsInQueue"] == [5]
        assert told["EndpointWorkersRunning"] == [1]
        assert told["EndpointJobsWithoutWorker"] == [0]

    def test_counts_what_waits_while_no_worker_runs(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        workers = HEALTH["workers"] | {"running": 0}
        cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH | {"workers": workers})

        cloud.invoke("sweeper", {})

        assert values_in(capsys.readouterr().out)["EndpointJobsWithoutWorker"] == [5]

    def test_measures_zero_where_no_job_is_active(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.invoke("sweeper", {})

        assert values_in(capsys.readouterr().out)["OldestActiveJobSeconds"] == [0]

    def test_costs_one_query_and_one_request_more(self, cloud: Cloud) -> None:
        health = cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)

        cloud.invoke("sweeper", {})

        assert cloud.requests["dynamodb.Query"] == 2  # what is due, and the oldest job
        assert set(cloud.requests) <= {"dynamodb.Query", "secretsmanager.GetSecretValue"}
        assert health.call_count == 1

    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 500},
            {"status": 401, "json": {}},
            {"status": 429},
            {"json": {}},
            {"json": {"jobs": {"inQueue": "many"}, "workers": {"running": 1}}},
            {"json": {"jobs": None, "workers": []}},
            {"body": "<html>"},
        ],
        ids=str,
    )
    def test_succeeds_where_the_endpoints_health_cant_be_had(
        self,
        cloud: Cloud,
        capsys: pytest.CaptureFixture[str],
        log: io.StringIO,
        answer: dict[str, Any],
    ) -> None:
        cloud.runpod.get(f"{RUNPOD}/health", **answer)

        assert cloud.invoke("sweeper", {}) == {}

        told = values_in(capsys.readouterr().out)
        assert "EndpointJobsInQueue" not in told
        assert told["OldestActiveJobSeconds"] == [0]
        assert "the endpoint's health can't be read" in log.getvalue()

    def test_succeeds_where_the_index_cant_be_read(
        self, cloud: Cloud, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.aws.job_index.BY_STATE", "no-such-index")
        cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)

        assert cloud.invoke("sweeper", {}) == {}

        assert "the oldest active job can't be read" in log.getvalue()

    def test_succeeds_where_the_oldest_record_is_not_a_jobs(
        self, cloud: Cloud, log: io.StringIO, capsys: pytest.CaptureFixture[str]
    ) -> None:
        record = {"job_id": "j", "item": "job", "state": "active", "created_at": "2026"}
        boto3.client("dynamodb").put_item(
            TableName="jobs", Item={name: {"S": value} for name, value in record.items()}
        )
        cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)

        assert cloud.invoke("sweeper", {}) == {}

        assert "the oldest active job can't be read" in log.getvalue()
        assert values_in(capsys.readouterr().out)["EndpointJobsInQueue"] == [5]

    def test_leaves_it_where_little_time_is_left(
        self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(
            "tests.fakes.cloud.Context.get_remaining_time_in_millis", lambda _: 20_000
        )
        health = cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)

        cloud.invoke("sweeper", {})

        assert health.call_count == 0
        assert "OldestActiveJobSeconds" not in values_in(capsys.readouterr().out)


def test_all_functions_print_their_metrics_with_the_same_dimension(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.runpod_takes()
    cloud.upload(KEY)
    cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))
    sent = cloud.sent_to_runpod()[0]["webhook"]
    cloud.invoke("webhook_receiver", callback_event(sent, completed_body()))
    cloud.invoke("sweeper", {})

    samples = list(samples_in(capsys.readouterr().out))

    assert {each.dimensions for each in samples} == {(("service", SERVICE),)}
    assert {each.unit for each in samples} <= {"Count", "Seconds", "Percent"}
    assert {each.name for each in samples} >= {"CallsSubmitted", "GpuSeconds", "CallbacksLost"}


@cache
def used_metrics() -> set[str]:
    """Return the members of Metric that the functions' code names."""
    folders = (
        "core",
        "submitter",
        "webhook_receiver",
        "sweeper",
        "notifier",
        "webhook_sender",
    )
    return {
        node.attr
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Metric"
    }


@pytest.mark.parametrize("metric", Metric)
def test_a_metric_is_one_that_some_function_prints(metric: Metric) -> None:
    assert metric.name in used_metrics()

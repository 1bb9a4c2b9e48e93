"""The receiver with VERIFY_CALLBACKS, which believes RunPod's /status and not the callback."""

import json
from collections.abc import Iterator

import boto3
import pytest

from core import wiring
from core.jobs.call import CallState
from core.jobs.lifecycle import SUBMITTING_TIME
from tests.builders import (
    JOB_ID,
    NOON,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_manifest,
    a_pull_call,
    a_pull_job,
    an_event,
    completed_body,
    manifest_body,
    minutes,
)
from tests.fakes.cloud import RUNPOD, SUMMARY, Cloud, running_cloud

ANSWER = f"work/{JOB_ID}/1-0.txt"  # of push mode's call, for its stage


class TestTheReceiverThatVerifies:
    @pytest.fixture
    def verifying(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
        with running_cloud(monkeypatch, VERIFY_CALLBACKS="true") as cloud:
            cloud.holding(a_job(), a_call())
            yield cloud

    def test_believes_runpod_and_not_the_callback(self, verifying: Cloud) -> None:
        verifying.runpod_says({"id": "rp-1", "status": "IN_PROGRESS"})

        answer = verifying.invoke("webhook_receiver", verifying.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert verifying.history()[0].state == "active"
        assert verifying.summaries() == []

    def test_asks_runpod_only_for_the_status_of_a_request(self, verifying: Cloud) -> None:
        """Anyone who knows the URL can choose the id, which becomes part of a URL that we request."""
        event = verifying.event("webhook-completed")
        event["body"] = json.dumps(completed_body() | {"id": "../purge-queue"})

        answer = verifying.invoke("webhook_receiver", event)

        assert answer["statusCode"] == 400
        assert len(verifying.runpod.calls) == 0

    @pytest.fixture
    def unanswered(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
        """RunPod's answer to POST /run, which has the attempt's id, is not on record."""
        with running_cloud(monkeypatch, VERIFY_CALLBACKS="true") as cloud:
            cloud.holding(a_job(), a_call(CallState.SUBMITTING, due_at=NOON + minutes(9)))
            yield cloud

    def test_trusts_no_report_until_the_attempts_own_request_is_known(
        self, unanswered: Cloud
    ) -> None:
        event = unanswered.event("webhook-completed")
        event["body"] = json.dumps(completed_body("Another's.", id="rp-of-another-job"))

        answer = unanswered.invoke("webhook_receiver", event)

        assert answer["statusCode"] == 503  # RunPod calls again, when the answer may be on record
        assert len(unanswered.runpod.calls) == 0
        assert unanswered.summaries() == []
        assert "rp-of-another-job" not in repr(unanswered.history())

    def test_believes_the_attempts_own_request_once_it_is_known(self, unanswered: Cloud) -> None:
        unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))
        _, call = unanswered.store().load(JOB_ID, "1-0")
        unanswered.store().save_call(call.with_submission("rp-1", an_event()))
        unanswered.runpod_says(completed_body())

        answer = unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert unanswered.history()[1][0].state == "succeeded"
        assert ANSWER in unanswered.summaries()

    def test_makes_the_call_due_as_soon_as_no_submitter_can_be_running(
        self, monkeypatch: pytest.MonkeyPatch, unanswered: Cloud
    ) -> None:
        monkeypatch.setattr(wiring, "now", lambda: NOON)

        unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))

        _, (call,), events = unanswered.history()
        assert call.due_at == NOON + SUBMITTING_TIME
        assert events[-1].what == "callback before RunPod's answer"

    def test_has_nothing_to_do_where_the_call_has_ended(self, unanswered: Cloud) -> None:
        _, call = unanswered.store().load(JOB_ID, "1-0")
        unanswered.store().save_call(call.with_failure("deadline", an_event()))

        answer = unanswered.invoke("webhook_receiver", unanswered.event("webhook-completed"))

        assert answer["statusCode"] == 200
        assert len(unanswered.runpod.calls) == 0

    def test_records_what_runpod_reports(self, verifying: Cloud) -> None:
        verifying.runpod_says(completed_body(f"{SUMMARY_TEXT} Indeed."))

        verifying.invoke("webhook_receiver", verifying.event("webhook-completed"))

        body = boto3.client("s3").get_object(Bucket="out", Key=ANSWER)["Body"].read()
        assert body.decode() == f"{SUMMARY_TEXT} Indeed."

    def test_publishes_what_pull_modes_worker_has_put(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with running_cloud(monkeypatch, VERIFY_CALLBACKS="true") as cloud:
            cloud.holding(a_pull_job(), a_pull_call())
            cloud.runpod_says(manifest_body(a_manifest(text=SUMMARY_TEXT)))

            cloud.invoke("webhook_receiver", cloud.event("webhook-manifest"))

            assert cloud.history()[0].state == "succeeded"
            assert SUMMARY in cloud.summaries()

    def test_leaves_what_runpod_does_not_know_to_the_sweeper(
        self, monkeypatch: pytest.MonkeyPatch, verifying: Cloud
    ) -> None:
        """Found by simulation seed 43: /status may not know the callback's request yet."""
        monkeypatch.setattr(wiring, "now", lambda: NOON)
        verifying.runpod.get(f"{RUNPOD}/status/rp-1", status=404, json={"status": 404})

        answer = verifying.invoke("webhook_receiver", verifying.event("webhook-completed"))

        _, (call,), events = verifying.history()
        assert answer["statusCode"] == 200
        assert call.state == "submitted"  # no further attempt is paid for
        assert call.due_at == NOON
        assert events[-1].what == "callback not confirmed"

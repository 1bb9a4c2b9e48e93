"""One id leads through the logs of all functions: every line about a job has it, as `job_id`."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from core import wiring
from tests.builders import JOB_ID, NOON, a_call, a_job, completed_body, lost_body, minutes
from tests.fakes.cloud import KEY, RUNPOD, Cloud, without_versions
from tests.fakes.lambda_events import callback_event, sqs_batch

# Lines about no single job.
OF_NOBODY = {"swept"}
HEALTH = {"jobs": {"inQueue": 0}, "workers": {"running": 0}}


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def upload(cloud: Cloud) -> dict[str, Any]:
    cloud.upload(KEY)
    event = without_versions(cloud.event("submitter-sqs-s3"), cloud)
    cloud.invoke("submitter", event)
    return event


def call_back(cloud: Cloud, body: dict[str, Any], number: int = -1) -> None:
    sent = cloud.sent_to_runpod()[number]["webhook"]
    event = callback_event(sent, body)
    cloud.invoke("webhook_receiver", event | {"requestContext": {"requestId": "api-1"}})


class TestAWholeJob:
    @pytest.fixture(name="lines")
    def _lines(self, cloud: Cloud, log: io.StringIO) -> list[dict[str, Any]]:
        """An upload, a lost worker, a second attempt, a callback that comes twice, and a sweep."""
        cloud.runpod_takes()
        event = upload(cloud)
        cloud.invoke("submitter", event)  # S3 says everything twice now and then
        call_back(cloud, lost_body())
        job, (call,), _ = cloud.only_job()
        wanted = {"attempt_requested": {"job_id": job.id, "call_id": call.id}}
        cloud.invoke("submitter", sqs_batch(wanted))
        call_back(cloud, completed_body())
        call_back(cloud, completed_body())
        cloud.runpod.get(f"{RUNPOD}/health", json=HEALTH)
        cloud.invoke("sweeper", {})
        return lines_of(log)

    def test_is_in_each_line_but_those_of_no_single_job(
        self, cloud: Cloud, lines: list[dict[str, Any]]
    ) -> None:
        (job_id,) = cloud.job_ids()

        without = {line["message"] for line in lines if line.get("job_id") != job_id}

        assert without <= OF_NOBODY
        assert not [line for line in lines if line["message"] in OF_NOBODY and job_id in str(line)]

    def test_can_be_read_from_the_upload_to_the_summary(self, lines: list[dict[str, Any]]) -> None:
        told = [line["message"] for line in lines if "job_id" in line]

        assert told == [
            "call submitted",
            "job is active",
            "call wants another attempt",
            "callback: wants another attempt",
            "call submitted",
            "job is active",
            "job succeeded",
            "callback: succeeded",
            "callback: nothing to do",
        ]

    def test_leads_to_runpods_request_and_to_the_apis_access_log(
        self, lines: list[dict[str, Any]]
    ) -> None:
        submitted = [line for line in lines if line["message"] == "call submitted"]
        called_back = [line for line in lines if line["message"].startswith("callback")]

        assert [(line["runpod_id"], line["attempt"]) for line in submitted] == [
            ("rp-1", 1),
            ("rp-1", 2),
        ]
        assert {line["api_request_id"] for line in called_back} == {"api-1"}
        assert {line["call_id"] for line in called_back} == {"1-0"}

    def test_names_the_invocation_so_that_lambdas_own_lines_are_found(
        self, lines: list[dict[str, Any]]
    ) -> None:
        assert {line["function_request_id"] for line in lines} == {"request"}

    def test_is_found_by_the_query_of_the_page(self, lines: list[dict[str, Any]]) -> None:
        query = PAGE.read_text().split("```")[1]
        fields = re.findall(r"[\w@]+", query.splitlines()[1])[1:]
        known = {name for line in lines for name in line}

        assert set(fields) - known == {"@timestamp"}
        assert 'filter job_id = "JOB_ID"' in query


PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"


class TestALineOfATrouble:
    def test_of_a_batchs_message_names_the_job(
        self, cloud: Cloud, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The library logs it after our own code has ended."""
        cloud.holding(a_job(stage_calls=1, done=frozenset({"1-0"})), a_call())

        def broken(*_: object) -> None:
            raise RuntimeError("out of luck")

        monkeypatch.setattr("submitter.stages.Stages.advance", broken)
        cloud.invoke("submitter", sqs_batch({"next_stage_requested": {"job_id": JOB_ID}}))

        (line,) = lines_of(log)
        assert line["level"] == "WARNING"
        assert line["job_id"] == JOB_ID

    def test_of_a_message_about_nobody_names_no_earlier_job(
        self, cloud: Cloud, log: io.StringIO
    ) -> None:
        cloud.holding(a_job(), a_call())
        about_one = {"next_stage_requested": {"job_id": JOB_ID}}

        cloud.invoke("submitter", sqs_batch(about_one, "no JSON"))

        first, last = lines_of(log)
        assert first["job_id"] == JOB_ID
        assert "job_id" not in last

    def test_of_a_job_that_is_not_there_any_more_names_it(
        self, cloud: Cloud, log: io.StringIO
    ) -> None:
        cloud.invoke("submitter", sqs_batch({"next_stage_requested": {"job_id": JOB_ID}}))

        (line,) = lines_of(log)
        assert line["job_id"] == JOB_ID
        assert line["message"].startswith("message ignored")

    def test_of_a_receiver_that_raises_names_the_job(
        self, cloud: Cloud, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("out of luck")

        monkeypatch.setattr("webhook_receiver.receive.Receiver.receive", broken)
        with pytest.raises(RuntimeError):
            cloud.invoke("webhook_receiver", cloud.event("webhook-completed"))

        (line,) = lines_of(log)
        assert line["message"] == "the function raised RuntimeError"
        assert line["job_id"] == JOB_ID

    def test_of_a_refused_token_names_no_job(self, cloud: Cloud, log: io.StringIO) -> None:
        """Anybody can write any id into a path."""
        cloud.invoke("webhook_receiver", cloud.event("webhook-completed"))
        cloud.invoke("webhook_receiver", cloud.event("webhook-wrong-token"))

        *_, line = lines_of(log)
        assert line["message"] == "callback refused: token"
        assert "job_id" not in line

    def test_of_a_sweep_names_each_job_it_could_not_look_at(
        self, cloud: Cloud, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cloud.holding(a_job(), a_call())

        def broken(*_: object) -> None:
            raise RuntimeError("out of luck")

        monkeypatch.setattr("sweeper.looks.Looks.look", broken)
        with pytest.raises(ExceptionGroup):
            cloud.invoke("sweeper", {})

        (line,) = [line for line in lines_of(log) if line["message"].startswith("swept: ")]
        assert (line["job_id"], line["call_id"]) == (JOB_ID, "1-0")
        assert line["exception_name"] == "RuntimeError"

    def test_of_a_sweep_names_each_job_that_it_moved(
        self, cloud: Cloud, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = NOON + minutes(10)
        monkeypatch.setattr(wiring, "now", lambda: now)
        cloud.holding(a_job(), a_call())
        cloud.runpod.get(f"{RUNPOD}/status/rp-1", json=completed_body())

        cloud.invoke("sweeper", {})

        (line,) = [line for line in lines_of(log) if line["message"] == "swept: lost callback"]
        assert (line["job_id"], line["call_id"]) == (JOB_ID, "1-0")

"""`status` says at a glance whether somebody is wanted, and its exit code says it to a script."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from core.jobs.job import JobState
from tests.builders import API_KEY, minutes
from tests.fakes.cloud import RUNPOD
from tests.fakes.operated import Operated, operated

HOUR = timedelta(hours=1)


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as operator:
        yield operator


def test_a_healthy_stack_wants_nobody(operator: Operated) -> None:
    operator.is_healthy()
    operator.recorded(1, ago=minutes(5))
    operator.recorded(2, ago=minutes(9), state=JobState.SUCCEEDED)

    told = operator.done("status")

    assert "nothing wants you" in told
    assert "1 active, 1 succeeded, 0 failed" in told
    assert "p50 1m, p95 1m" in told


def test_jobs_are_counted_by_state_within_the_span(operator: Operated) -> None:
    operator.is_healthy()
    for number, hours in enumerate((1, 2, 30)):
        operator.recorded(number, ago=HOUR * hours, state=JobState.FAILED)

    assert operator.told("status")["jobs"]["failed"] == 2
    told = operator.told("status", "--within", "2d")
    assert told["jobs"]["failed"] == 3
    assert told["failed_by_reason"] == {"deadline": 3}
    assert told["read_units"] > 0


def test_dead_letters_are_a_problem(operator: Operated) -> None:
    operator.is_healthy()
    boto3.client("sqs").send_message(QueueUrl=operator.stack.dead_letters, MessageBody="x")

    result = operator.run("status")

    assert result.exit_code == 1
    assert "dead letters: 1; `redrive --dry-run` shows them" in result.stdout


def test_a_stack_that_was_stopped_says_so_and_since_when(
    operator: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.is_healthy()
    operator.stack.feeds[0]["State"] = "Disabled"

    told = operator.told("status")

    assert told["problems"] == ["stopped: the queue; `resume` when it is to go on"]
    assert told["switched_off"] == ["queue"]
    assert "the queue, 2h" in operator.run("status").stdout


def test_a_notice_that_was_not_told_is_a_problem(operator: Operated) -> None:
    operator.is_healthy()
    boto3.client("sqs").send_message(QueueUrl=operator.stack.dead_end, MessageBody="{}")

    told = operator.told("status")

    assert told["dead_notices"] == 1
    assert told["problems"] == ["notices not told: 1; `notices list` shows them"]


def test_a_job_that_is_active_past_its_deadline_is_a_problem(operator: Operated) -> None:
    operator.is_healthy()
    operator.recorded(7, ago=HOUR * 30)  # whatever the span

    told = operator.told("status")

    assert told["healthy"] is False
    assert told["oldest_active"]["key"] == "calls/7.txt"
    assert "job 00000700 is active past its deadline" in told["problems"][0]


def test_requests_that_wait_while_no_worker_runs_are_a_problem(operator: Operated) -> None:
    operator.has_health({"inQueue": 3}, {"idle": 0, "throttled": 1})

    assert "requests wait at RunPod (3)" in operator.told("status")["problems"][0]


def test_a_worker_that_starts_is_none(operator: Operated) -> None:
    operator.has_health({"inQueue": 3}, {"idle": 0, "initializing": 1})

    assert operator.told("status")["problems"] == []


@pytest.mark.parametrize(("code", "why"), [(401, "refuses the key"), (404, "no such endpoint")])
def test_an_endpoint_that_does_not_answer_is_a_problem(
    operator: Operated, code: int, why: str
) -> None:
    operator.cloud.runpod.get(f"{RUNPOD}/health", status=code, json={"error": API_KEY})

    result = operator.run("status")

    assert result.exit_code == 1
    assert why in result.stdout
    assert API_KEY not in result.output


def test_a_missing_key_is_told_and_the_rest_as_well(operator: Operated) -> None:
    operator.cloud.delete_secret("runpod/api-key")
    operator.recorded(1, ago=minutes(5))

    told = operator.told("status")

    assert "does not exist" in told["endpoint"]["problem"]
    assert told["jobs"]["active"] == 1


def test_lost_callbacks_are_counted_from_what_the_sweeper_has_logged(operator: Operated) -> None:
    operator.is_healthy()
    now = datetime.now(UTC)
    swept = {"message": "swept", "found": {"lost callback": 2, "resent": 1}}
    operator.logged("SweeperFunction", swept, "START", {"message": "swept", "found": {}}, at=now)
    operator.logged("SweeperFunction", swept, at=now - HOUR * 2)

    assert operator.told("status")["lost_callbacks"] == 4
    assert operator.told("status", "--within", "1h")["lost_callbacks"] == 2


def test_summaries_with_doubts_are_counted(operator: Operated) -> None:
    operator.is_healthy()
    operator.recorded(1, ago=minutes(5), state=JobState.SUCCEEDED, doubts=1)
    operator.recorded(2, ago=minutes(5), state=JobState.SUCCEEDED)

    assert operator.told("status")["summaries_in_doubt"] == 1


def test_what_may_not_be_read_is_told_and_the_rest_as_well(
    operator: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.stack.may_be_read = False
    operator.recorded(1, ago=minutes(5))

    told = operator.told("status")

    assert "can't be read: AccessDeniedException" in told["endpoint"]["problem"]
    assert told["jobs"]["active"] == 1

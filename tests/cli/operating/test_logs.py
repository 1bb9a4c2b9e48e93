"""`logs` prints one job's lines from all functions in the order in which they were written."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.builders import minutes
from tests.fakes.operated import Operated, operated


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as operator:
        yield operator


def test_lines_of_all_functions_come_in_order_and_those_of_other_jobs_do_not(
    operator: Operated,
) -> None:
    job, other = operator.recorded(1, ago=minutes(5)), operator.recorded(2, ago=minutes(5))
    now = datetime.now(UTC)
    for function, message, ago in (
        ("SubmitterFunction", "job is active", 3),
        ("WebhookReceiverFunction", "callback: succeeded", 2),
        ("SweeperFunction", "swept", 1),
    ):
        lines = [
            {"level": "INFO", "message": f"{message} {each.source.key}", "job_id": each.id}
            for each in (job, other)
        ]
        operator.logged(function, *lines, "START RequestId: 1", at=now - minutes(ago))

    told = operator.told("logs", job.id)

    assert [(line["function"], line["line"]["message"]) for line in told["lines"]] == [
        ("submitter", "job is active calls/1.txt"),
        ("receiver", "callback: succeeded calls/1.txt"),
        ("sweeper", "swept calls/1.txt"),
    ]


def test_a_person_reads_the_message_with_its_fields(operator: Operated) -> None:
    job = operator.recorded(1, ago=minutes(5))
    line = {"level": "WARNING", "message": "job failed", "job_id": job.id, "code": "[deadline]"}
    operator.logged("SweeperFunction", line, at=datetime.now(UTC))

    told = operator.done("logs", job.source.key)

    assert "sweeper   job failed code=[deadline]" in told


def test_a_line_that_is_not_ours_is_printed_as_it_is(operator: Operated) -> None:
    job = operator.recorded(1, ago=minutes(5))
    operator.logged("SubmitterFunction", f"Task timed out: {job.id}", at=datetime.now(UTC))

    assert f"Task timed out: {job.id}" in operator.done("logs", job.id)


def test_no_lines_are_said_to_be_none(operator: Operated) -> None:
    job = operator.recorded(1, ago=minutes(5))

    assert "No lines" in operator.done("logs", job.id)


def test_errors_of_all_functions_are_found_without_a_job(operator: Operated) -> None:
    at = datetime.now(UTC) - minutes(5)
    report = {"type": "platform.report", "record": {"status": "timeout"}}
    operator.logged(
        "SubmitterFunction",
        {"level": "INFO", "message": "job is active"},
        {"level": "WARNING", "message": "call is held"},
        "START RequestId: 1",
        report,
        {"type": "platform.report", "record": {"status": "success"}},
        at=at,
    )
    operator.logged("SweeperFunction", "Task timed out after 120.00 seconds", at=at + minutes(1))

    lines = operator.told("logs", "--errors")["lines"]

    assert [line["line"].get("message") for line in lines] == [
        "call is held",
        None,
        "Task timed out after 120.00 seconds",
    ]
    assert lines[1]["line"] == report


def test_the_same_error_is_shown_once_with_its_job_and_the_end_of_its_traceback(
    operator: Operated,
) -> None:
    lines = [
        {
            "level": "ERROR",
            "message": "no record",
            "job_id": f"job-{number}",
            "exception": "Traceback:\n  File x\nValueError: nine",
        }
        for number in range(3)
    ]
    operator.logged("SubmitterFunction", *lines, at=datetime.now(UTC) - minutes(5))

    told = operator.done("logs", "--errors")

    assert "no record  (3 times)\n  ValueError: nine\n  job-2\n" in told
    assert "Traceback" not in told


def test_errors_are_those_of_the_span_and_none_are_said_to_be_none(operator: Operated) -> None:
    line = {"level": "ERROR", "message": "boto broke"}
    operator.logged("SubmitterFunction", line, at=datetime.now(UTC) - minutes(90))

    assert "No warnings and no errors." in operator.done("logs", "--errors")
    assert "boto broke" in operator.done("logs", "--errors", "--since", "2h")


def test_errors_of_one_job_are_its_own(operator: Operated) -> None:
    job = operator.recorded(1, ago=minutes(5))
    operator.logged(
        "SubmitterFunction",
        {"level": "INFO", "message": "job is active", "job_id": job.id},
        {"level": "WARNING", "message": "call is held", "job_id": job.id},
        {"level": "WARNING", "message": "another", "job_id": "x"},
        at=datetime.now(UTC),
    )

    told = operator.done("logs", job.id, "--errors")

    assert "call is held" in told
    assert "active" not in told
    assert "another" not in told


def test_neither_a_job_nor_errors_is_wrong_usage(operator: Operated) -> None:
    result = operator.run("logs")

    assert result.exit_code == 2
    assert "--errors" in result.output

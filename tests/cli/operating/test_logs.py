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

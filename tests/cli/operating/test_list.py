"""`list` finds jobs by state, age, key and reason, and reads no more of the table than it has to."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.aws.job_index import JobIndex
from core.jobs.job import JobState
from tests.builders import minutes
from tests.fakes.operated import Operated, operated


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as operator:
        operator.recorded(1, ago=minutes(1))
        operator.recorded(2, ago=minutes(2), state=JobState.FAILED)
        operator.recorded(3, ago=minutes(3), state=JobState.SUCCEEDED, doubts=1)
        operator.recorded(14, ago=timedelta(days=4), state=JobState.FAILED)
        yield operator


def keys(operator: Operated, *options: str) -> list[str]:
    jobs: list[dict[str, Any]] = operator.told("list", *options)["jobs"]
    return [job["key"].removeprefix("calls/").removesuffix(".txt") for job in jobs]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), ["1", "2", "3", "14"]),
        (("--oldest",), ["14", "3", "2", "1"]),
        (("--state", "failed"), ["2", "14"]),
        (("--state", "failed", "--state", "active"), ["1", "2", "14"]),
        (("--since", "1h"), ["1", "2", "3"]),
        (("--older", "1d"), ["14"]),
        (("--key", "calls/1"), ["1", "14"]),
        (("--reason", "deadline"), ["2", "14"]),
        (("--reason", "other"), []),
        (("--doubts",), ["3"]),
        (("--limit", "2"), ["1", "2"]),
    ],
    ids=str,
)
def test_jobs_are_found(operator: Operated, options: tuple[str, ...], found: list[str]) -> None:
    assert keys(operator, *options) == found


def test_that_there_are_more_is_said(operator: Operated) -> None:
    assert operator.told("list", "--limit", "2")["has_more"] is True
    assert "there are more: --limit" in operator.done("list", "--limit", "2")


def test_what_the_look_cost_is_said(operator: Operated) -> None:
    assert operator.told("list")["read_units"] > 0
    assert "read units" in operator.done("list")


def test_a_page_holds_no_more_than_is_shown(
    operator: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each look at the newest twenty would be paid as one at thousands."""
    sizes: list[int | None] = []
    jobs = JobIndex.jobs

    def noted(self: Any, *arguments: Any, page_size: int | None = None, **more: Any) -> Any:
        sizes.append(page_size)
        return jobs(self, *arguments, page_size=page_size, **more)

    monkeypatch.setattr(JobIndex, "jobs", noted)

    operator.done("list", "--limit", "5")

    assert sizes == [6, 6, 6]


def test_nothing_found_says_how_far_it_has_looked(operator: Operated) -> None:
    assert "among 20,000" in operator.done("list", "--key", "nowhere/")


def test_a_span_that_is_none_is_wrong_usage(operator: Operated) -> None:
    result = operator.run("list", "--since", "yesterday")

    assert result.exit_code == 2
    assert "write 30m, 2h or 3d" in result.output

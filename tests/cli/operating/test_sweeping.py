"""`sweep` over moto: it does what the schedule does, and shows what is due before."""

from collections.abc import Iterator

import pytest

from core.jobs.call import CallState
from tests.builders import a_call, a_job, status_body
from tests.cli.operating.operated import Operated, operated


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as stack:
        yield stack


def test_it_counts_what_the_sweeper_found(stack: Operated) -> None:
    stack.cloud.holding(a_job(), a_call())
    stack.cloud.runpod_says(status_body("COMPLETED", id="rp-1", output=[]))

    told = stack.json("sweep")

    assert sum(told["found"].values()) == 1
    assert stack.cloud.history()[1][0].state is not CallState.SUBMITTED


def test_a_dry_run_names_what_is_due_and_asks_nobody(stack: Operated) -> None:
    stack.cloud.holding(a_job(), a_call())

    told = stack.json("sweep", "--dry-run")

    assert told["due"] == [{"job_id": a_job().id, "call_id": "1-0"}]
    assert stack.cloud.history()[1][0].state is CallState.SUBMITTED


def test_a_sweep_that_failed_says_where_to_look(
    stack: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object) -> dict[str, int]:
        raise RuntimeError("the sweeper failed: SweepIncomplete")

    monkeypatch.setattr("cli.deployment.Deployment.invoke_sweeper", failing)

    result = stack.run("sweep")

    assert result.exit_code == 1
    assert "log group" in result.stderr

"""`watch` shows what each job is at; without a terminal it looks once."""

from collections.abc import Iterator
from typing import Any

import pytest

from cli.operating import watch
from core.jobs.job import JobState
from tests.builders import minutes
from tests.fakes.lambda_events import sqs_batch
from tests.fakes.model import a_transcript
from tests.fakes.operated import Operated, operated


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as operator:
        yield operator


def test_a_moving_job_says_its_round_and_how_far_it_is(operator: Operated) -> None:
    operator.uploaded("calls/board.txt", a_transcript(12_000))
    operator.answer_all()
    for message in operator.cloud.messages():
        operator.cloud.invoke("submitter", sqs_batch(message))

    (job,) = operator.told("watch")["jobs"]

    assert (job["state"], job["round"], job["calls_done"]) == ("active", 2, 0)
    assert "sections and 4 lists" in job["at"]
    assert f"2: 0/{job['calls']}" in operator.done("watch")


def test_what_ended_a_moment_ago_is_still_shown_and_what_ended_before_is_not(
    operator: Operated,
) -> None:
    operator.recorded(1, ago=minutes(2), state=JobState.FAILED)
    operator.recorded(2, ago=minutes(30), state=JobState.FAILED)

    (job,) = operator.told("watch")["jobs"]

    assert (job["key"], job["at"]) == ("calls/1.txt", "failed: deadline")


def test_a_quiet_stack_says_so(operator: Operated) -> None:
    assert "No job moves" in operator.done("watch")


def test_ctrl_c_ends_it_well(operator: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.recorded(1, ago=minutes(2))
    looks: list[float] = []

    def interrupted(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch.time, "sleep", interrupted)
    monkeypatch.setattr(watch, "is_live", lambda _: True)

    result = operator.run("watch", "--every", "3")

    assert (result.exit_code, looks) == (0, [3, 3])


def test_every_job_is_told_with_what_holds_it(operator: Operated) -> None:
    operator.cloud.delete_secret("runpod/api-key")
    operator.uploaded("calls/board.txt", "Mara: The pump holds.\n")

    job: dict[str, Any] = operator.told("watch")["jobs"][0]

    assert job["at"].startswith("held: ")

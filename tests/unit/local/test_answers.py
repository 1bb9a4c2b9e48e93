"""What the demo shows of a real model's answers."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
import responses
from rich.console import Console

from cli.deployment import History
from core.jobs.call import CallState
from local import answers
from local.stack.simulator import RunPodEndpoint
from tests.builders import a_call, a_job, completed_body, failed_body

RUNPOD = RunPodEndpoint("http://127.0.0.1:8899/v2/local", "a-key")


@pytest.fixture
def runpod() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def shown(history: History) -> str:
    console = Console(file=io.StringIO(), width=120)
    answers.show(console, answers.given(history, RUNPOD))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_request_is_shown_with_its_tokens_and_how_it_ended(
    runpod: responses.RequestsMock,
) -> None:
    cut, refused = completed_body(finish_reason="length"), failed_body("vLLM returned HTTP 400")
    cut["output"][0]["timings"] = {"predicted_per_second": 41.7}  # as llama.cpp adds them
    runpod.get(f"{RUNPOD.url}/status/rp-1", json=cut)
    runpod.get(f"{RUNPOD.url}/status/rp-2", json={**refused, "id": "rp-2"})
    call = a_call(CallState.SUCCEEDED, attempts=2, ask="section-1.1", words=30)

    lines = shown(History(a_job(), [call], [])).splitlines()

    assert "Answered by a/model" in lines
    first, second = (
        next(line for line in lines if name in line).split() for name in ("rp-1", "rp-2")
    )
    assert first == [
        "rp-1",
        "section-1.1,",
        "about",
        "30",
        "words",
        "14,000",
        "5,300",
        "42",
        "61.1",
        "s",
        "length",
    ]
    assert second[-1] == "model-refused"


def test_what_runpod_has_forgotten_is_left_out(runpod: responses.RequestsMock) -> None:
    forgotten = {"status": 404, "title": "Not Found", "detail": "job not found"}
    runpod.get(f"{RUNPOD.url}/status/rp-1", json=forgotten, status=404)

    assert "Answered by nobody" in shown(History(a_job(), [a_call(CallState.SUCCEEDED)], []))


def test_requests_are_in_the_order_of_their_stages(runpod: responses.RequestsMock) -> None:
    runpod.get(f"{RUNPOD.url}/status/rp-1", json=completed_body())
    later = replace(a_call(CallState.SUCCEEDED), id="1-0", stage=1)
    earlier = replace(a_call(CallState.SUCCEEDED), id="0-1", stage=0)
    never_sent = replace(a_call(CallState.WAITING, attempts=0), id="0-0", stage=0)

    given = answers.given(History(a_job(), [later, earlier, never_sent], []), RUNPOD)

    assert [one.call.id for one in given] == ["0-1", "1-0"]

"""Requests of push mode at our worker: answered as worker-vllm answers them."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.runpod.reports import RunPodReport, parse_report
from tests.fakes.model_server import ModelServer, running_model
from worker.job import Worker
from worker.settings import WorkerSettings

ASKED = {
    "model": "some-model",
    "messages": [{"role": "user", "content": "Summarise in about 20 words. " + "Rain fell. " * 40}],
    "max_tokens": 100,
}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model(max_model_len=8_192) as model:
        model.url = model.url.removesuffix("/v1")
        yield model


def report_on(server: ModelServer, body: dict[str, Any], **settings: Any) -> RunPodReport:
    """Return what our pipeline makes of what RunPod reports about a request."""
    worker = Worker(settings=WorkerSettings(**{"model_url": server.url, **settings}))
    output = worker.work({"openai_route": "/v1/chat/completions", "openai_input": body})
    if isinstance(output, dict):
        return parse_report({"id": "rp-1", "status": "FAILED", **output})
    return parse_report({"id": "rp-1", "status": "COMPLETED", "output": output})


def test_a_completion_is_the_models_own(server: ModelServer) -> None:
    report = report_on(server, ASKED)

    assert report.failure is None
    assert "Rain fell" in report.text
    assert (report.model, report.finish_reason) == ("extractive-summary", "stop")
    assert report.prompt_tokens > 80
    assert server.requests == [{**ASKED, "stream": False}]


def test_a_refusal_is_reported_in_the_servers_words(server: ModelServer) -> None:
    report = report_on(server, {**ASKED, "max_tokens": 8_192})

    assert report.failure
    assert report.failure.code == "context-length"


def test_an_unreachable_server_is_reported_as_such(server: ModelServer) -> None:
    report = report_on(server, ASKED, model_url="http://127.0.0.1:9", model_start_seconds=0)

    assert report.failure
    assert report.failure.may_help_to_retry


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
def test_the_servers_address_may_be_given_as_every_tool_gives_it(base: str) -> None:
    settings = WorkerSettings.from_environment({"MODEL_URL": f"http://127.0.0.1:9{base}"})

    assert settings.model_url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "job_input",
    [
        {"openai_route": "/v1/models", "openai_input": {}},
        {"openai_route": "/v1/chat/completions", "openai_input": "text"},
        None,
    ],
    ids=["another route", "no object", "nothing"],
)
def test_anything_else_is_refused_too(server: ModelServer, job_input: object) -> None:
    worker = Worker(settings=WorkerSettings(model_url=server.url))

    assert worker.work(job_input) == {"error": "transcript-worker: bad-work-order"}
    assert server.requests == []

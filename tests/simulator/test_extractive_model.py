"""The extractive worker as a model server: what vLLM would answer to the same requests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from core.runpod.reports import parse_report
from local.stack.model import Model, look_up
from runpod_simulator.scenarios import Rule, worker_vllm_error
from tests.fakes.model_server import ModelServer, running_model


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model(max_model_len=8_192) as model:
        yield model


def ask(server: ModelServer, body: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{server.url}/chat/completions", json=body, timeout=60)


def test_it_is_listed_with_its_context(server: ModelServer) -> None:
    model = look_up(Model(url=server.url))

    assert (model.name, model.context_tokens) == ("extractive-summary", 8_192)


def test_it_writes_the_requested_length_and_counts_its_tokens(
    server: ModelServer, chat: Callable[..., dict[str, Any]], meeting: Callable[..., str]
) -> None:
    body = chat(meeting(3_000), "Summarise in about 600 words.", max_tokens=2_000)["openai_input"]

    answer = ask(server, body)

    said = answer.json()
    [choice] = said["choices"]
    assert answer.status_code == 200
    assert len(choice["message"]["content"].split()) == pytest.approx(600, rel=0.1)
    assert choice["finish_reason"] == "stop"
    assert said["usage"]["prompt_tokens"] > 3_000
    assert said["model"] == "extractive-summary"  # whatever was asked for: no other wrote it
    assert server.requests == [body]


def test_what_does_not_fit_its_max_tokens_is_cut_off(
    server: ModelServer, chat: Callable[..., dict[str, Any]], meeting: Callable[..., str]
) -> None:
    body = chat(meeting(2_000), "Summarise in about 600 words.", max_tokens=3)["openai_input"]

    [choice] = ask(server, body).json()["choices"]

    assert choice["finish_reason"] == "length"


def test_a_prompt_that_is_too_long_is_refused_in_vllms_words(
    server: ModelServer, chat: Callable[..., dict[str, Any]], meeting: Callable[..., str]
) -> None:
    answer = ask(server, chat(meeting(8_000))["openai_input"])

    error = worker_vllm_error(f"vLLM returned HTTP {answer.status_code}: {answer.text}")
    failure = parse_report({"id": "rp-1", "status": "FAILED", "error": error}).failure
    assert answer.status_code == 400
    assert "maximum context length is 8192 tokens" in answer.json()["error"]["message"]
    assert failure
    assert failure.code == "context-length"


@pytest.mark.parametrize(
    "body",
    [
        ["no object"],
        {"messages": []},
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
    ],
    ids=["no object", "nobody speaks", "no tokens"],
)
def test_what_is_no_request_is_answered_400(server: ModelServer, body: Any) -> None:
    assert ask(server, body).status_code == 400


def test_a_terse_model_writes_a_share_of_the_requested_words(
    server: ModelServer, chat: Callable[..., dict[str, Any]], meeting: Callable[..., str]
) -> None:
    server.model.rules.add(Rule(scenarios=("too-short=0.4",)))
    body = chat(meeting(3_000), "Summarise in about 1,000 words.", max_tokens=3_000)

    [choice] = ask(server, body["openai_input"]).json()["choices"]

    assert len(choice["message"]["content"].split()) == pytest.approx(400, rel=0.15)


def test_a_habit_can_be_for_the_requests_that_hold_a_text(
    server: ModelServer, chat: Callable[..., dict[str, Any]], meeting: Callable[..., str]
) -> None:
    server.model.rules.add(Rule(scenarios=("refusal",), containing="marked"))

    texts = [
        ask(server, chat(meeting(900), task)["openai_input"]).json()["choices"][0]["message"]
        for task in ("Summarise.", "Summarise what is marked.")
    ]

    assert ["I'm sorry" in text["content"] for text in texts] == [False, True]

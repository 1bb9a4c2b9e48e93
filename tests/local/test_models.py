"""Which model answers, and the error where none does."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from local.stack.endpoint import start_simulator_with
from local.stack.model import Model, look_up
from local.stack.needs import (
    MODEL_PYTHON,
    ROOT,
    WORKER_PYTHON,
    missing_for_model,
    missing_for_worker,
    model_python,
    worker_python,
)
from local.stack.processes import Processes, StackError
from local.stack.setup import Setup
from local.waiting import wait_for
from tests.local.test_demo_command import left_over, run_demo

URL = "http://127.0.0.1:11434/v1"
LISTED = f"{URL}/models"


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize("url", [URL, f"{URL}/", URL.removesuffix("/v1")])
def test_the_first_listed_model_is_used(server: responses.RequestsMock, url: str) -> None:
    server.get(LISTED, json={"data": [{"id": "llama3.2:latest"}, {"id": "other"}]})

    assert look_up(Model(url=url)).name == "llama3.2:latest"


def test_a_named_model_is_requested_by_its_name(server: responses.RequestsMock) -> None:
    listed = [{"id": "small", "max_model_len": 8_192}, {"id": "big", "max_model_len": 65_536}]
    server.get(LISTED, json={"data": listed})

    model = look_up(Model(url=URL, name="big"))

    assert (model.name, model.context_tokens) == ("big", 65_536)


@pytest.mark.parametrize(
    ("listed", "deployed"),
    [
        ({"max_model_len": 16_384}, "16384"),
        ({"meta": {"n_ctx": 8_192, "n_ctx_train": 131_072}}, "8192"),
        ({"max_model_len": 1_000_000}, "131072"),
        ({"meta": None}, None),
        ({}, None),
    ],
    ids=["vLLM", "llama.cpp", "more than the template takes", "null", "not given"],
)
def test_the_context_length_that_a_server_reports_is_deployed(
    server: responses.RequestsMock, listed: dict[str, Any], deployed: str | None
) -> None:
    server.get(LISTED, json={"data": [{"id": "one", **listed}]})

    assert look_up(Model(url=URL)).parameters.get("MaxModelLenTokens") == deployed


def test_the_key_is_sent_and_never_shown(server: responses.RequestsMock) -> None:
    authorized = responses.matchers.header_matcher({"Authorization": "Bearer sk-1"})
    server.get(LISTED, json={"data": [{"id": "one"}]}, match=[authorized])

    model = look_up(Model(url=URL, key="sk-1"))

    assert "sk-1" not in f"{model} {model!r} {model.simulator_options}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 401, "json": {}}, "set MODEL_KEY"),
        ({"status": 404, "body": "<html>"}, r"HTTP 404\) lists no model"),
        ({"json": {"data": []}}, "lists no model"),
        ({"json": ["one"]}, "lists no model"),
        ({"json": {"data": [{"id": "tiny", "max_model_len": 2_048}]}}, "2,048 tokens of context"),
        ({"body": requests.ConnectionError("refused")}, r"No model answers at .*ConnectionError"),
    ],
    ids=["key", "no such page", "empty", "no list", "small context", "nobody there"],
)
def test_what_does_not_answer_as_a_model_is_explained(
    server: responses.RequestsMock, answer: dict[str, Any], said: str
) -> None:
    server.get(LISTED, **answer)

    with pytest.raises(StackError, match=said) as error:
        look_up(Model(url=URL, key="sk-1"))

    assert "sk-1" not in str(error.value)


def test_the_simulator_asks_the_model_with_its_key_and_no_command_line_shows_it() -> None:
    asked: list[tuple[str | None, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.headers["authorization"], sent["model"]))
            self.send_response(400)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, Processes() as processes:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        model = Model(url=f"http://127.0.0.1:{server.server_port}/v1", name="small", key="sk-1")

        simulator = start_simulator_with(model, Setup(), processes)
        runpod = simulator.wait_until_ready()
        job = {"input": {"openai_input": {"model": "big", "messages": []}}}
        headers = {"Authorization": f"Bearer {runpod.api_key}"}
        requests.post(f"{runpod.url}/run", json=job, headers=headers, timeout=30)
        wait_for(lambda: asked or None, what="a request to the model", timeout_seconds=180)
        server.shutdown()
        thread.join()

    assert asked == [("Bearer sk-1", "small")]
    assert "sk-1" not in str(simulator.child.popen.args)


def test_the_demo_explains_a_wrong_address_before_it_starts_anything(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"

    ended = run_demo(tmp_path, "--model-url", url)

    assert ended.returncode == 1
    assert f"No model answers at {url}" in ended.stdout
    assert "AWS emulator" not in ended.stdout
    assert left_over(tmp_path) == ([], [])


@pytest.mark.parametrize(
    "options",
    [("--model", "smollm2", "--model-url", URL), ("--model-name", "one"), ("--model", "gpt-7")],
    ids=["both", "a name without a server", "unknown"],
)
def test_options_that_make_no_sense_together_are_refused(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = run_demo(tmp_path, *options)

    assert ended.returncode == 2
    assert "--model" in ended.stderr


def test_a_missing_small_model_is_reported_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MODEL_PYTHON, str(tmp_path / "no/python"))

    (missing,) = missing_for_model(model_python())

    assert f"{tmp_path}/no/python" in missing
    assert "make demo MODEL=smollm2" in missing


def test_an_interpreter_without_the_small_model_is_named_with_what_to_do() -> None:
    """It is the emulator's: it is there long before the model is."""
    (problem,) = missing_for_model(Path(sys.executable))

    assert "llama.cpp is not installed" in problem
    assert "make demo MODEL=smollm2" in problem


def test_a_worker_that_can_not_run_is_reported_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(WORKER_PYTHON, str(tmp_path / "no/python"))
    (absent,) = missing_for_worker(worker_python())
    (without_sdk,) = missing_for_worker(Path(sys.executable))

    assert f"{tmp_path}/no/python" in absent
    assert "make demo MODE=pull" in absent
    assert "RunPod's SDK is not installed" in without_sdk


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ((), set()),
        (("MODEL=smollm2",), {"model"}),
        (("MODE=pull",), {"worker"}),
        (("MODE=pull", "MODEL=smollm2"), {"worker", "model"}),
    ],
    ids=["neither", "model", "worker", "both"],
)
def test_an_environment_is_made_only_when_it_is_asked_for(
    options: tuple[str, ...], made: set[str]
) -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo", *options],  # noqa: S607 - the user's own
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert {name for name in ("model", "worker") if f"requirements/{name}.txt" in shown} == made

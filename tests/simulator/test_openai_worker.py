"""The worker that asks a model server, against a small one in this process."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CHAT = {
    "openai_route": "/v1/chat/completions",
    "openai_input": {
        "model": "big",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 9,
    },
}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "big",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "One is done. Two is done. Three is done. Four is done.",
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 12, "total_tokens": 15},
}


class ModelServer:
    def __init__(self) -> None:
        self.asked: list[tuple[str, dict, dict]] = []
        self.status, self.body = 200, json.dumps(ANSWER)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@pytest.fixture
def model() -> Iterator[ModelServer]:
    one = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
            one.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, sent))
            payload = one.body.encode()
            self.send_response(one.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        server.shutdown()
        thread.join()


def test_the_models_answer_is_the_output_in_a_list(start, model):
    caller = start(worker="openai", model_url=model.url, model_key="sk-1")

    done = caller.when_over(caller.run(job_input=CHAT))

    assert (done["status"], done["output"]) == ("COMPLETED", [ANSWER])
    ((path, headers, sent),) = model.asked
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer sk-1"
    assert sent == {**CHAT["openai_input"], "stream": False}


def test_a_model_name_of_ones_own_replaces_the_jobs(start, model):
    caller = start(worker="openai", model_url=model.url.removesuffix("/v1"), model_name="small")

    caller.when_over(caller.run(job_input=CHAT))

    assert model.asked[0][2]["model"] == "small"
    assert "authorization" not in model.asked[0][1]


@pytest.mark.parametrize(
    ("job_input", "path"),
    [
        (
            {"messages": [{"role": "user", "content": "Hi"}], "sampling_params": {"top_p": 1}},
            "/v1/chat/completions",
        ),
        ({"prompt": "Hi"}, "/v1/completions"),
        ({"route": "/v1/responses", "body": {"input": "Hi"}}, "/v1/responses"),
    ],
    ids=["messages", "prompt", "route and body"],
)
def test_every_input_of_worker_vllm_finds_its_route(start, model, job_input, path):
    caller = start(worker="openai", model_url=model.url)

    caller.when_over(caller.run(job_input=job_input))

    assert model.asked[0][0] == path


def test_a_refusal_of_the_server_fails_the_job_in_worker_vllms_words(start, model):
    caller = start(worker="openai", model_url=model.url)
    model.status, model.body = (
        400,
        '{"error": {"message": "This model\'s maximum context length is 8 tokens."}}',
    )

    done = caller.when_over(caller.run(job_input=CHAT))

    assert done["status"] == "FAILED"
    assert done["error"] == str(
        {"message": f"vLLM returned HTTP 400: {model.body}", "type": "worker_error", "code": None}
    )


@pytest.mark.parametrize("body", ["no JSON", "[1]"])
def test_an_answer_that_makes_no_sense_fails_the_job(start, model, body):
    caller = start(worker="openai", model_url=model.url)
    model.body = body

    done = caller.when_over(caller.run(job_input=CHAT))

    assert done["status"] == "FAILED"
    assert "Request to vLLM failed:" in done["error"]


def test_a_server_that_is_away_fails_the_job(start):
    caller = start(worker="openai", model_url="http://127.0.0.1:9")

    done = caller.when_over(caller.run(job_input=CHAT))

    assert "Request to vLLM failed:" in done["error"]


@pytest.mark.parametrize(
    ("scenario", "finish_reason", "text"),
    [
        ("too-short=0.5", "stop", "One is done. Two is done."),
        ("truncated", "length", "One is done. Two is done. Three"),
    ],
)
def test_length_scenarios_shorten_the_models_text(start, model, scenario, finish_reason, text):
    caller = start(worker="openai", model_url=model.url)

    (output,) = caller.when_over(caller.run(job_input=CHAT, simulate=scenario))["output"]

    choice = output["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == (finish_reason, text)


def test_the_native_shape_is_made_of_the_models_answer(start, model):
    caller = start(worker="openai", model_url=model.url, output_shape="native")

    (output,) = caller.when_over(caller.run(job_input=CHAT))["output"]

    text = ANSWER["choices"][0]["message"]["content"]
    assert output == {"choices": [{"tokens": [text]}], "usage": {"input": 3, "output": 12}}

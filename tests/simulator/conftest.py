"""A fast simulator, somebody to receive its webhooks, and a transcript long enough to summarise."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from runpod_simulator import Config, Simulator, running_simulator
from tests.simulator.pod import NEVER_SECONDS, Pod

FAST = Config(time_scale=0.01, queue_delay_seconds=1.0, execution_seconds=1.0)
HELLO = {"messages": [{"role": "user", "content": "Good morning, this is a short text."}]}


class Caller:
    """Talks to a simulator the way a client of RunPod does."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {simulator.api_key}"

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self._session.get(self.simulator.url + path, timeout=20, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        if body is not None:
            options["data"] = body if isinstance(body, bytes) else json.dumps(body)
        return self._session.post(self.simulator.url + path, timeout=20, **options)

    def run(
        self, webhook: str = "", *, simulate: Any = None, job_input: Any = None, **fields: Any
    ) -> str:
        answer = self.try_run(webhook, simulate=simulate, job_input=job_input, **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def try_run(
        self, webhook: str = "", *, simulate: Any = None, job_input: Any = None, **fields: Any
    ) -> requests.Response:
        body = {"input": job_input or HELLO, **fields}
        if webhook:
            body["webhook"] = webhook
        if simulate:
            body["simulate"] = simulate
        return self.post("/run", body)

    def status(self, job_id: str) -> dict[str, Any]:
        return dict(self.get(f"/status/{job_id}").json())

    def when_over(self, job_id: str, timeout_seconds: float = 10.0) -> dict[str, Any]:
        return self.when_status(
            job_id, "COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", timeout_seconds=timeout_seconds
        )

    def when_status(
        self, job_id: str, *wanted: Any, timeout_seconds: float = 10.0
    ) -> dict[str, Any]:
        ends_at = time.monotonic() + timeout_seconds
        while (body := self.status(job_id))["status"] not in wanted:
            assert time.monotonic() < ends_at, body
            time.sleep(0.005)
        return body


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Somebody who takes webhooks. Answers from `answers`, then 200."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    answer_after_seconds: float = 0.0
    busy: int = 0  # deliveries that are not answered yet
    busiest: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/t0ken"

    def wait_for(self, count: int, timeout_seconds: float = 10.0) -> list[Received]:
        ends_at = time.monotonic() + timeout_seconds
        while len(self.received) < count:
            assert time.monotonic() < ends_at, f"{len(self.received)} webhooks, not {count}"
            time.sleep(0.005)
        return self.received


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    taken, counting = Receiver(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with counting:
                taken.busy += 1
                taken.busiest = max(taken.busiest, taken.busy)
            taken.received.append(Received(self.path, headers, body, time.monotonic()))
            time.sleep(taken.answer_after_seconds)
            with counting:
                taken.busy -= 1
            self.send_response(taken.answers.pop(0) if taken.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        taken.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield taken
        server.shutdown()
        thread.join()


@pytest.fixture
def start() -> Iterator[Callable[..., Caller]]:
    """Starts a simulator with the given settings; every one is stopped at the end of the test."""
    with ExitStack() as stack:

        def starter(**settings: Any) -> Caller:
            caller = Caller(stack.enter_context(running_simulator(replace(FAST, **settings))))
            stack.callback(caller.close)
            return caller

        yield starter


@pytest.fixture
def caller(start: Callable[..., Caller]) -> Caller:
    return start()


@pytest.fixture
def platform(start: Callable[..., Caller]) -> Callable[..., Caller]:
    """Starts a simulator whose jobs wait for workers; no worker is lost and no poll ends by itself."""

    def starter(**settings: Any) -> Caller:
        given = {"heartbeat_timeout_seconds": NEVER_SECONDS, "long_poll_seconds": NEVER_SECONDS}
        return start(**(given | {"worker": "platform", "queue_delay_seconds": 0.0} | settings))

    return starter


@pytest.fixture
def new_pod() -> Iterator[Callable[[Caller], Pod]]:
    pods: list[Pod] = []

    def starter(caller: Caller) -> Pod:
        pods.append(Pod(caller.simulator))
        return pods[-1]

    yield starter
    for pod in pods:
        pod.close()


_SUBJECTS = {
    "bicycle": (
        "the bicycle lane on Mill Road|the bicycle parking near the station|our new bicycle counter"
        "|a protected bicycle crossing|the bicycle repair stand|every bicycle rider we interviewed"
    ),
    "library": (
        "the library in the old school|the library opening hours|a Sunday shift at the library"
        "|the children's library corner|our library volunteers|the library heating bill"
    ),
    "flood": (
        "the flood wall by the weir|the flood warning sirens|our flood insurance"
        "|the flood meadow upstream|the flood survey of last winter|each flood gate on the canal"
    ),
}
_VERBS = (
    "needs|has attracted|cannot do without|was praised for|may suffer from|competes with|depends on"
    "|has been delayed by|was paid out of|will finally get"
)
_OBJECTS = (
    "a stronger foundation|the careful attention of engineers|three separate inspections"
    "|a grant from the county|nineteen thousand euros|the patience of our neighbours"
    "|fresh asphalt and better lamps|two part-time caretakers|an honest timetable"
    "|the letters that schools have written"
)
_REASONS = (
    "because rain came early this autumn|although nobody expected it in spring"
    "|which surprised several shopkeepers|so that older residents feel safe"
    "|while contractors finish their drawings|as the auditors suggested in June"
    "|unless prices for timber rise again|since the survey showed a clear majority"
    "|even where pavements are narrow|before the festival weekend begins"
)
_CLOSINGS = {
    "bicycle": (
        "Ada Okafor: We have agreed to fund the bicycle plan this year.",
        "Bruno Keller: I will send the counter figures to everyone by Friday.",
        "Chen Wei: We still don't know whether the railway lets us use its land.",
    ),
    "library": (
        "Chen Wei: It was decided that the doors stay open on Sundays from March.",
        "Ada Okafor: I will write to the caretakers about their new hours.",
        "Bruno Keller: It remains to be seen how many volunteers return.",
    ),
    "flood": (
        "Bruno Keller: The final decision is to build in stone rather than steel.",
        "Chen Wei: We'll draft a letter to the insurers before the next meeting.",
        "Ada Okafor: I am not sure whether the sirens reach the upper village.",
    ),
}


def town_meeting(words: int, seed: int = 7) -> str:
    """Three people on three subjects, one after the other."""
    rng = random.Random(seed)  # noqa: S311 (the same text each time)
    lines: list[str] = []
    for subject, phrases in _SUBJECTS.items():
        count = 0
        while count < words / 3:
            sentences = [
                " ".join(
                    rng.choice(part.split("|")) for part in (phrases, _VERBS, _OBJECTS, _REASONS)
                )
                for _ in range(rng.randint(1, 4))
            ]
            speaker = rng.choice(("Ada Okafor", "Bruno Keller", "Chen Wei"))
            said = " ".join(f"{one[0].upper()}{one[1:]}." for one in sentences)
            lines.append(f"{speaker}: {said}")
            count += len(said.split())
        lines += _CLOSINGS[subject]
    return "\n".join(lines)


@pytest.fixture
def meeting() -> Callable[..., str]:
    return town_meeting


@pytest.fixture
def chat() -> Callable[..., dict[str, Any]]:
    """A job's input as for worker-vllm: a task, a transcript in its marks, a token limit."""

    def build(
        transcript: str, task: str = "Summarise in about 1,000 words.", **body: Any
    ) -> dict[str, Any]:
        material = f'<transcript id="t1">\n{transcript}\n</transcript id="t1">'
        messages = [
            {"role": "system", "content": "You write minutes."},
            {"role": "user", "content": f"{task}\n{material}"},
        ]
        openai_input = {"model": "some-model", "messages": messages, "max_tokens": 6000, **body}
        return {"openai_route": "/v1/chat/completions", "openai_input": openai_input}

    return build

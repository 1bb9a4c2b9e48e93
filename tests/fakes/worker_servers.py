"""What a worker talks to, on loopback: a bucket's presigned URLs and a model's server."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.model import FakeModel, PromptTooLong

SECRET = "X-Amz-Signature=a-signature-that-must-not-leak"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: tests break connections on purpose."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Bucket:
    """One object to get and one to put, and what is answered instead, in order."""

    body: bytes = b""
    url: str = ""
    get_answers: list[Any] = field(default_factory=list)  # a status, "cut", or headers of a 200
    put_answers: list[int] = field(default_factory=list)
    gets: list[Mapping[str, str]] = field(default_factory=list)  # their headers
    puts: list[bytes] = field(default_factory=list)

    @property
    def get_url(self) -> str:
        return f"{self.url}/get?{SECRET}"

    @property
    def put_url(self) -> str:
        return f"{self.url}/put?{SECRET}"


@contextmanager
def bucket_served(bucket: Bucket) -> Iterator[Bucket]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bucket.gets.append({name.lower(): value for name, value in self.headers.items()})
            answer = bucket.get_answers.pop(0) if bucket.get_answers else {}
            if isinstance(answer, int):
                self._end(answer, {"Location": f"{bucket.url}/elsewhere?{SECRET}"})
                return
            more = answer if isinstance(answer, dict) else {}
            self.send_response(200)
            for name, value in ({"Content-Length": str(len(bucket.body))} | more).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(
                bucket.body[: len(bucket.body) // 2] if answer == "cut" else bucket.body
            )

        def do_PUT(self) -> None:
            bucket.puts.append(self.rfile.read(int(self.headers["content-length"])))
            self._end(bucket.put_answers.pop(0) if bucket.put_answers else 200, {})

        def _end(self, status: int, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with served(Handler) as bucket.url:
        yield bucket


@dataclass
class ModelService:
    """`FakeModel` behind the routes of an OpenAI-compatible server."""

    model: FakeModel = field(default_factory=FakeModel)
    max_model_len: int | None = None
    url: str = ""
    answers: list[Any] = field(default_factory=list)  # a status, (status, text) or "cut", in order
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def models(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": "a/model", "object": "model"}
        if self.max_model_len:
            entry["max_model_len"] = self.max_model_len
        return {"object": "list", "data": [{"id": "another", "max_model_len": 7}, entry]}

    def answer(self, request: Mapping[str, Any]) -> tuple[int, Any]:
        with self.lock:
            self.requests.append(request)
            instead = self.answers.pop(0) if self.answers else None
            if instead is not None:
                status, text = instead if isinstance(instead, tuple) else (instead, "no")
                return status, text if isinstance(text, dict) else {"error": {"message": text}}
            try:
                return 200, self.model.completion(request)
            except PromptTooLong as exc:
                return 400, {"error": {"message": str(exc)}}


@contextmanager
def model_served(service: ModelService) -> Iterator[ModelService]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._end(200, service.models())

        def do_POST(self) -> None:
            with service.lock:
                service.at_once += 1
                service.most_at_once = max(service.most_at_once, service.at_once)
                service.keys.add(self.headers["authorization"])
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = service.answer(json.loads(body))
            with service.lock:
                service.at_once -= 1
            if status:
                self._end(status, answer)

        def _end(self, status: int, answer: Any) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with served(Handler) as service.url:
        yield service


@dataclass(frozen=True)
class Asked:
    """One request as it came, its headers' names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def recorded(answer: bytes) -> Iterator[tuple[str, list[Asked]]]:
    """Answer everything with the same and keep what was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked.append(Asked(self.command, self.path, headers, body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with served(Handler) as url:
        yield url, asked

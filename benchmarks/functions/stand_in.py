"""Answers like AWS, RunPod and a webhook's receiver, from a tape: a server in a process of its own.

An answer is found by the operation that is asked for; the same operation asked for again gets the next
answer, and after the last one the first. So an invocation can be repeated as often as one likes.
"""

import base64
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.functions.recording import HEALTH, SECRETS, Exchange

_S3 = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_OF_THE_CONNECTION = {"connection", "transfer-encoding", "content-length", "date", "server"}


@contextmanager
def standing_in(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Play a tape on a free port of this machine; yields the server's origin."""
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "tape.json"
        tape.write_text(json.dumps([_written(each) for each in exchanges]))
        command = [sys.executable, "-m", "benchmarks.functions.stand_in", str(tape)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                yield server.stdout.readline().strip()
            finally:
                server.terminate()


def _written(each: Exchange) -> dict[str, Any]:
    headers = {
        name: value
        for name, value in each.headers.items()
        if name.lower() not in _OF_THE_CONNECTION
    }
    return {
        "operation": each.operation,
        "status": each.status,
        "headers": headers,
        "body": base64.b64encode(each.body).decode(),
    }


class _Tape:
    def __init__(self, written: Sequence[dict[str, Any]]) -> None:
        self._answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = defaultdict(list)
        for each in written:
            body = base64.b64decode(each["body"])
            self._answers[each["operation"]].append((each["status"], each["headers"], body))
        self._asked: Counter[str] = Counter()

    def next(self, operation: str) -> tuple[int, dict[str, str], bytes]:
        answers = self._answers[operation]
        assert answers, f"{operation} was not asked for when the tape was recorded"
        number = self._asked[operation] % len(answers)
        self._asked[operation] += 1
        return answers[number]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # an answer in one piece, else the client's side waits for the second
    tape: _Tape

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Expect"):
            self.wfile.flush()
        status, headers, body = self._found(self.rfile.read(length))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _found(self, asked: bytes) -> tuple[int, dict[str, str], bytes]:
        if target := self.headers.get("X-Amz-Target"):
            operation = str(target).rpartition(".")[2]
            if operation == "GetSecretValue":  # a warm function did not ask, a fresh one does
                name = json.loads(asked)["SecretId"]
                answer = {"Name": name, "SecretString": SECRETS[name]}
                return 200, _JSON, json.dumps(answer).encode()
            return self.tape.next(operation)
        if self.path == "/hook":
            return 204, {}, b""
        if self.path.endswith("/run"):
            return 200, _JSON, json.dumps({"id": "rp-1", "status": "IN_QUEUE"}).encode()
        if self.path.endswith("/health"):
            return 200, _JSON, json.dumps(HEALTH).encode()
        return self.tape.next(_S3[self.command])

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


_JSON = {"Content-Type": "application/json"}


def main(tape: Path) -> None:
    handler = type("Handler", (_Handler,), {"tape": _Tape(json.loads(tape.read_text()))})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

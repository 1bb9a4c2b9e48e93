"""RunPod and DynamoDB as a sweep needs them, over HTTP on loopback, in a process of their own.

    python -m benchmarks.answering 500 --patient

prints its port. What is due is a table of benchmarks/due_table.py. Answers come at once, or with
`--patient` after the time that benchmarks/virtual_time.py supposes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import click

from benchmarks.due_table import DueTable
from benchmarks.virtual_time import SECONDS_OF
from tests.builders import status_body

STATUS = "status"


@contextmanager
def answering(due: int, *, is_patient: bool) -> Iterator[str]:
    """Run it; yield its address."""
    patient = ["--patient"] if is_patient else []
    command = [sys.executable, "-m", __name__, str(due), *patient]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet; else the kernel may hold back the second one for 40 ms
    table: ClassVar[DueTable]
    is_patient: ClassVar[bool]

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or STATUS
        answer = self._answer(operation, asked)
        if self.is_patient:
            time.sleep(SECONDS_OF[operation])
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def _answer(self, operation: str, asked: bytes) -> dict[str, Any]:
        match operation:
            case "Query":
                return next(self.table.paginate(**json.loads(asked)))
            case "BatchGetItem":
                return self.table.batch_get_item(**json.loads(asked))
            case "UpdateItem":
                return self.table.update_item(**json.loads(asked))
            case _:
                return status_body("IN_PROGRESS", id=self.path.rpartition("/")[2])

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # connections at once


@click.command()
@click.argument("due", type=int)
@click.option("--patient", "is_patient", is_flag=True)
def main(due: int, is_patient: bool) -> None:
    """Answer until it is ended."""
    table = DueTable(jobs=due, due=due, now=datetime.now(UTC))
    members = {"table": table, "is_patient": is_patient}
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), members)) as server:
        click.echo(server.server_address[1])
        server.serve_forever()


if __name__ == "__main__":
    main()

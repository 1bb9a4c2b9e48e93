"""What `status` and `list` cost with a hundred thousand jobs in the table: seconds, read units, requests.

    python -m benchmarks.many_jobs
    python -m benchmarks.many_jobs --jobs 1000000 --times 10

Commands run as processes of their own, against a server in this one that answers like AWS and RunPod and
builds each page as it is asked for. So the seconds of a command's CPU are ours; the time on the clock has
this server's in it, and no network.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import click
from rich.console import Console
from rich.table import Table

from tests.builders import API_KEY
from tests.fakes.big_table import BigTable

_ROOT = Path(__file__).parents[1]
_COMMANDS = (
    ("status",),
    ("status", "--within", "90d"),
    ("list",),
    ("list", "--state", "failed", "--since", "7d"),
    ("list", "--key", "customers/007/"),
    ("--help",),
)
_OUTPUTS = {
    "JobsTable": "jobs",
    "SubmitterFunction": "submitter",
    "SweeperFunction": "sweeper",
    "UploadQueueUrl": "https://sqs.invalid/1/uploads",
    "UploadDeadLetterQueueUrl": "https://sqs.invalid/1/dead",
    "NoticeDeadEndUrl": "https://sqs.invalid/1/dead-end",
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    command: str
    least_seconds: float  # CPU of the command's process, when least disturbed
    own_seconds: float  # the median of it
    seconds: float  # on the clock, the median
    read_units: float
    requests: Counter[str] = field(default_factory=Counter)


@dataclass
class Account:
    """What the commands ask, and what it is answered with."""

    table: BigTable
    requests: Counter[str] = field(default_factory=Counter)
    address: str = ""

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[str, bytes]:
        operation = _operation(handler, body)
        self.requests[operation] += 1
        if operation in _XML:
            return "text/xml", _XML[operation].encode()
        return "application/x-amz-json-1.0", json.dumps(self._told(operation, body)).encode()

    def _told(self, operation: str, body: bytes) -> dict[str, Any]:
        match operation:
            case "Query":
                return self.table.query(**json.loads(body))
            case "GetQueueAttributes":
                return {"Attributes": {"ApproximateNumberOfMessages": "0"}}
            case "FilterLogEvents":
                return {"events": []}
            case "GetSecretValue":
                return {"Name": "runpod/api-key", "SecretString": API_KEY}
            case "GetFunctionConfiguration":
                variables = {
                    "RUNPOD_API_ENDPOINT": f"{self.address}/v2/e",
                    "RUNPOD_API_KEY_SECRET": "runpod/api-key",
                }
                return {"Environment": {"Variables": variables}}
            case "ListEventSourceMappings":
                arn = "arn:aws:sqs:us-east-1:123456789012:uploads"
                return {"EventSourceMappings": [{"EventSourceArn": arn, "State": "Enabled"}]}
            case "GetSchedule":
                return {"Name": "sweep", "State": "ENABLED"}
            case "GET /health":
                return {"jobs": {"inQueue": 0}, "workers": {"idle": 1, "running": 2}}
        raise AssertionError(f"{operation} is not expected of these commands")


_PATHS = {  # of what is asked by its address alone
    "/configuration": "GetFunctionConfiguration",
    "/event-source-mappings": "ListEventSourceMappings",
    "/schedules/": "GetSchedule",
    "/health": "GET /health",
}


def _operation(handler: BaseHTTPRequestHandler, body: bytes) -> str:
    if target := handler.headers.get("X-Amz-Target", ""):
        return str(target).rpartition(".")[2]
    asked = parse_qs(body.decode()).get("Action")
    if asked:
        return asked[0]
    return next((name for part, name in _PATHS.items() if part in handler.path), handler.path)


def _answered(operation: str, inner: str) -> str:
    return (
        f'<{operation}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<{operation}Result>{inner}</{operation}Result></{operation}Response>"
    )


_XML = {
    "DescribeStacks": _answered(
        "DescribeStacks",
        "<Stacks><member><Outputs>"
        + "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in _OUTPUTS.items()
        )
        + "</Outputs></member></Stacks>",
    ),
    "DescribeStackResource": _answered(
        "DescribeStackResource",
        "<StackResourceDetail><PhysicalResourceId>sweep</PhysicalResourceId></StackResourceDetail>",
    ),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    account: ClassVar[Account]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind, answer = self.account.answer(self, body)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(account: Account) -> Iterator[int]:
    """Answer on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"account": account})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        port = server.server_address[1]
        account.address = f"http://127.0.0.1:{port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()


def measure(account: Account, port: int, command: tuple[str, ...], times: int) -> Measured:
    environment = {**os.environ, "LOCAL_PORT": str(port), "SUMMARIES_STACK": "local"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else all that is imported is compiled anew
    cpu, clock = [], []
    for number in range(times + 1):
        account.requests.clear()
        account.table.read_units = 0.0
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        told = subprocess.run(
            [Path(sys.executable).parent / "summaries", *command],
            env=environment, cwd=_ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if number:  # the first one compiles
            clock.append(seconds)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if told.returncode not in (0, 1) or "Traceback" in told.stderr:
            raise click.ClickException(f"{' '.join(command)} did not succeed: {told.stderr}")
    return Measured(
        command=" ".join(command),
        least_seconds=min(cpu),
        own_seconds=statistics.median(cpu),
        seconds=statistics.median(clock),
        read_units=account.table.read_units,
        requests=Counter(account.requests),
    )


@click.command()
@click.option("--jobs", default=100_000, show_default=True, help="So many are in the table.")
@click.option("--times", default=5, show_default=True, help="Each command runs so often.")
def main(jobs: int, times: int) -> None:
    """Measure the commands that read the table by its index."""
    account = Account(BigTable(jobs, datetime.now(UTC)))
    shown = Table(title=f"{jobs:,} jobs of 90 days", box=None, title_justify="left")
    shown.add_column("command", no_wrap=True)
    for column in ("CPU s", "median", "clock s", "units", "queries", "others"):
        shown.add_column(column, justify="right", no_wrap=True)
    with serving(account) as port:
        for command in _COMMANDS:
            measured = measure(account, port, command, times)
            others = measured.requests.total() - measured.requests["Query"]
            shown.add_row(
                measured.command,
                f"{measured.least_seconds:.2f}",
                f"{measured.own_seconds:.2f}",
                f"{measured.seconds:.2f}",
                f"{measured.read_units:,.1f}",
                str(measured.requests["Query"]),
                str(others),
            )
    Console().print(shown)


if __name__ == "__main__":
    main()

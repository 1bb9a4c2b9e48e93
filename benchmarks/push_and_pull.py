"""Push against pull, on the deployed local stack: requests, bytes, billed time, memory.

    WORKER_PYTHON=.venv-worker/bin/python python -m benchmarks.push_and_pull
    WORKER_PYTHON=.venv-worker/bin/python python -m benchmarks.push_and_pull --megabytes 200

A model that answers at once stands in for the GPU, so it measures what is ours. The second command sends
one file of that size in pull mode. Functions run as processes of the emulator: their billed time is that of
this machine and of cold starts, for comparing the two modes and not for a bill.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from aiohttp import web
from rich.console import Console
from rich.table import Table

from benchmarks.traffic import Traffic, counted
from core.jobs.job import JobState
from core.summaries.options import Mode
from local.stack import needs
from local.stack.loopback import checked_port
from local.stack.model import Model as ModelAddress
from local.stack.processes import Processes
from local.stack.setup import Setup
from local.stack.simulator import RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from local.stack.worker import WorkerProcess, start_worker
from runpod_simulator import Config, Simulator, running_simulator
from tests.builders import chat_completion
from tests.fakes.model import FakeModel, a_transcript
from tests.fakes.served import served

SIZES_WORDS = (10_000, 1_000_000)
FUNCTIONS = ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction")
_LONGEST_SECONDS = 3_600.0
_MB = 1_000_000
_BILLED = re.compile(r"Billed Duration: ([\d.]+) ms")


@dataclass(frozen=True, kw_only=True)
class Row:
    mode: Mode
    words: int
    file_bytes: int
    aws_requests: int  # of the functions
    runpod_requests: int
    lambda_bytes: int  # of bodies, in and out of the functions
    worker_bytes: int  # of S3 objects, in and out of the worker
    invocations: int
    billed_ms: float
    submitter_peak_mb: float
    worker_peak_mb: float
    seconds: float


@dataclass(frozen=True)
class Bench:
    stack: LocalStack
    simulator: Simulator
    traffic: Traffic
    worker: WorkerProcess

    def measured(self, body: bytes, mode: Mode) -> Row:
        words = len(body.split())
        upload = self.stack.upload(body, f"{words}.txt")
        began_at = time.monotonic()
        history = self.stack.wait_for_job(upload, timeout_seconds=_LONGEST_SECONDS)
        seconds = time.monotonic() - began_at
        assert history.job.state is JobState.SUCCEEDED, history.job.reason
        billed = [float(each) for line in self._logs() for each in _BILLED.findall(line)]
        asked = self.simulator.requests()
        return Row(
            mode=mode,
            words=words,
            file_bytes=len(body),
            aws_requests=self.traffic.of("functions"),
            runpod_requests=sum(asked.get(name, 0) for name in ("run", "status", "cancel")),
            lambda_bytes=self.traffic.size_bytes["functions"] + self._runpod_bytes(),
            worker_bytes=self.traffic.size_bytes["worker"],
            invocations=len(billed),
            billed_ms=sum(billed),
            submitter_peak_mb=self._submitter_peak_mb(),
            worker_peak_mb=_peak_mb(self.worker.child.popen.pid),
            seconds=seconds,
        )

    def _logs(self) -> Iterator[str]:
        for name in FUNCTIONS:
            yield from self.stack.logs(name)

    def _runpod_bytes(self) -> int:
        """Return what the functions sent to RunPod, and what its callbacks brought them."""
        sent = sum(len(str(job.input)) for job in self.simulator.jobs())
        return sent + sum(len(each.body) for each in self.simulator.deliveries())

    def _submitter_peak_mb(self) -> float:
        """Return the most that a process of the emulator took which runs the submitter."""
        name = self.stack.outputs["SubmitterFunction"].encode()
        marked = b"AWS_LAMBDA_FUNCTION_NAME=" + name
        peaks = [0.0]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if marked in (process / "environ").read_bytes().split(b"\0"):
                    peaks.append(_peak_mb(int(process.name)))
            except OSError:
                continue  # it has ended meanwhile, or is somebody else's
        return max(peaks)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / _MB


@contextmanager
def bench(mode: Mode) -> Iterator[Bench]:
    """A stack of its own in this mode, whose AWS calls are counted."""
    with ExitStack() as running:
        config = Config(worker="platform", time_scale=0.1, webhook_timeout_seconds=120.0)
        simulator = running.enter_context(running_simulator(config))
        model_url = running.enter_context(served(instant_model()))
        processes = running.enter_context(Processes())
        port = checked_port(0)
        origin, traffic = running.enter_context(counted(f"http://127.0.0.1:{port}"))
        worker = start_worker(
            processes,
            python=needs.worker_python(),
            runpod_environment=simulator.worker_environment(),
            model=ModelAddress(url=model_url),
        )
        setup = Setup(
            port=port,
            enforce_iam=False,
            functions_endpoint=origin,
            runpod=RunPodEndpoint(simulator.url, simulator.api_key),
            parameters={"Mode": mode.value, "SweepScheduleMinutes": "5"},
        )
        stack = running.enter_context(local_stack(setup))
        worker.wait_until_it_polls(simulator.url)
        yield Bench(stack, simulator, traffic, worker)


def instant_model() -> web.Application:
    """A model server that writes as many words as it is asked for, at once."""
    model = FakeModel()

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "instant", "max_model_len": 32_768}]})

    async def chat(request: web.Request) -> web.Response:
        text, reason = model.write(await request.json())
        return web.json_response(chat_completion(text, finish_reason=reason))

    app = web.Application(client_max_size=1 << 26)
    app.add_routes([web.get("/v1/models", models), web.post("/v1/chat/completions", chat)])
    return app


def table_of(rows: list[Row]) -> Table:
    table = Table(title="Push and pull on the local stack; the model answers at once")
    names = (
        "words", "file MB", "mode", "AWS requests", "RunPod requests", "MB through Lambda",
        "MB worker and S3", "invocations", "billed ms", "submitter MB", "worker MB", "seconds",
    )  # fmt: skip
    for name in names:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            f"{row.words:,}",
            f"{row.file_bytes / _MB:.2f}",
            row.mode.value,
            f"{row.aws_requests:,}",
            f"{row.runpod_requests:,}",
            f"{row.lambda_bytes / _MB:.3f}",
            f"{row.worker_bytes / _MB:.3f}",
            f"{row.invocations:,}",
            f"{row.billed_ms:,.0f}",
            f"{row.submitter_peak_mb:.0f}",
            f"{row.worker_peak_mb:.0f}",
            f"{row.seconds:.1f}",
        )
    return table


@click.command()
@click.option("--megabytes", type=int, help="Instead: one plain text of this size, in pull mode.")
def main(megabytes: int | None) -> None:
    """Print a table."""
    rows = []
    if megabytes:
        line = a_transcript(10_000).encode() + b"\n"
        body = (line * (megabytes * _MB // len(line) + 1))[: megabytes * _MB]
        with bench(Mode.PULL) as one:
            rows.append(one.with_counts(body, Mode.PULL))
    else:
        for words in SIZES_WORDS:
            for mode in Mode:
                with bench(mode) as one:
                    rows.append(one.with_counts(a_transcript(words).encode(), mode))
    Console(width=160).print(table_of(rows))


if __name__ == "__main__":
    main()

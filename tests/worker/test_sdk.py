"""The worker as RunPod runs it: the SDK's job loop, against the simulator as the platform."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from core.runpod.work_order import parse_manifest
from runpod_simulator import Config, Simulator, running_simulator
from tests.fakes.model import a_transcript
from tests.fakes.worker_servers import SECRET
from tests.simulator.conftest import Caller, Receiver
from tests.simulator.conftest import receiver as receiver  # noqa: PLC0414 (a fixture)
from tests.worker.conftest import KEY, WorkerSetup

ROOT = Path(__file__).parents[2]
WORKER_PYTHON = "WORKER_PYTHON"  # names an interpreter with requirements/worker.txt installed
LONG_SECONDS = 120.0


@pytest.fixture(scope="module")
def worker_python() -> str:
    python = os.environ.get(WORKER_PYTHON, "")
    if not python:
        pytest.skip(f"name an interpreter that has RunPod's SDK in {WORKER_PYTHON}")
    return python


@pytest.fixture
def platform() -> Iterator[Caller]:
    config = Config(
        worker="platform",
        time_scale=0.01,
        queue_delay_seconds=0,
        heartbeat_timeout_seconds=20.0,
        long_poll_seconds=0.5,
    )
    with running_simulator(config) as simulator:
        caller = Caller(simulator)
        yield caller
        caller.close()


@pytest.fixture
def start_worker(worker_python: str, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Starts a worker of a simulator and returns where it logs."""
    with ExitStack() as stack:

        def starter(simulator: Simulator, model_url: str) -> Path:
            log = tmp_path / "worker.log"
            environment = simulator.worker_environment() | {
                "HOME": str(tmp_path),
                "MODEL_URL": model_url,
                "MODEL_KEY": KEY,
                "MODEL_START_SECONDS": "5",
                "PYTHONDONTWRITEBYTECODE": "1",
                "RUNPOD_LOG_LEVEL": "DEBUG",  # as it is on RunPod where nobody says otherwise
            }
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [worker_python, "-m", "worker"],
                    cwd=ROOT,
                    env=environment,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            stack.callback(_end, process)
            return log

        yield starter


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ended(platform: Caller, job_input: Any, **options: Any) -> dict[str, Any]:
    return platform.when_over(
        platform.run(job_input=job_input, **options), timeout_seconds=LONG_SECONDS
    )


def test_an_order_goes_in_and_a_manifest_comes_out(
    platform: Caller, start_worker: Callable[..., Path], receiver: Receiver, setup: WorkerSetup
) -> None:
    setup.bucket.body = a_transcript(40_000).encode()
    log = start_worker(platform.simulator, setup.service.url)

    done = ended(platform, setup.order().as_input(), webhook=receiver.url)
    (callback,) = receiver.wait_for(1, timeout_seconds=LONG_SECONDS)
    setup.bucket.put_answers = [403]
    unput = ended(platform, setup.order().as_input())
    setup.bucket.get_answers = [403]
    expired = ended(platform, setup.order().as_input())
    none = ended(platform, {"prompt": "Say hello."})

    manifest, other = parse_manifest(done["output"]), parse_manifest(unput["output"])
    assert (done["status"], unput["status"]) == ("COMPLETED", "COMPLETED")
    assert manifest is not None
    assert other is not None
    assert (len(setup.bucket.puts[0]), manifest.text) == (manifest.size_bytes, "")
    assert callback.json()["output"] == done["output"]
    assert len(json.dumps(callback.json()["output"])) < 1_000
    assert other.text.encode() == setup.bucket.puts[0]
    assert (expired["status"], expired["error"]) == ("FAILED", "transcript-worker: fetch-expired")
    assert (none["status"], none["error"]) == ("FAILED", "transcript-worker: bad-work-order")
    said = log.read_text()
    assert "transcript-worker: fetch-expired" in said
    for secret in (SECRET, KEY, "pumps", "MARK", "word word"):
        assert secret not in said


def test_progress_is_reported_while_the_model_works(
    platform: Caller, start_worker: Callable[..., Path], setup: WorkerSetup
) -> None:
    start_worker(platform.simulator, setup.service.url)
    setup.service.lock.acquire()  # so the model does not answer
    try:
        job_id = platform.run(job_input=setup.order().as_input())
        platform.simulator.wait_until(
            lambda _: "stage" in platform.status(job_id).get("output", {}), LONG_SECONDS
        )
        under_way = platform.status(job_id)
    finally:
        setup.service.lock.release()

    assert under_way["status"] == "IN_PROGRESS"
    assert under_way["output"] == {"stage": 1, "doing": "compose", "calls": 1, "done": 0}
    done = platform.when_over(job_id, timeout_seconds=LONG_SECONDS)
    assert parse_manifest(done["output"]) is not None


def test_a_cancelled_order_stops_using_the_model_and_frees_its_slot(
    platform: Caller, start_worker: Callable[..., Path], setup: WorkerSetup
) -> None:
    setup.bucket.body = a_transcript(100_000).encode()
    start_worker(platform.simulator, setup.service.url)
    setup.service.lock.acquire()
    try:
        job_id = platform.run(job_input=setup.order().as_input())
        platform.simulator.wait_until(
            lambda _: "stage" in platform.status(job_id).get("output", {}), LONG_SECONDS
        )
        platform.post(f"/cancel/{job_id}")
        platform.when_status(job_id, "CANCELLED", timeout_seconds=LONG_SECONDS)
        platform.simulator.wait_until(lambda one: one.requests()["job-stop"] > 3, LONG_SECONDS)
    finally:
        setup.service.lock.release()
    puts = len(setup.bucket.puts)
    setup.bucket.body = a_transcript(1_000).encode()

    after = ended(platform, setup.order().as_input())

    assert parse_manifest(after["output"]) is not None
    assert puts == 0
    assert len(setup.bucket.puts) == 1

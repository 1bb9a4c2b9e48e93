"""The handler that RunPod's SDK is given, tested without the SDK."""

import asyncio
import logging
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from core.runpod.work_order import parse_manifest
from tests.worker.conftest import WorkerSetup
from worker.handler import handler_of, start
from worker.job import Worker

ROOT = Path(__file__).parents[2]


def test_the_handler_returns_the_result_of_the_order_and_logs_the_job_by_its_id(
    setup: WorkerSetup,
) -> None:
    reports: list[Any] = []
    handler = handler_of(Worker(settings=setup.settings), lambda *update: reports.append(update))

    job = {"id": "rp-1", "input": setup.order().as_input()}
    output = asyncio.run(handler(job))

    assert parse_manifest(output) is not None
    assert reports[0] == ({"id": "rp-1"}, {"doing": "fetch"})


def test_a_cancelled_job_is_stopped(setup: WorkerSetup) -> None:
    begun, stopped = threading.Event(), threading.Event()

    class Waiting(Worker):
        def work(self, job_input: object, **options: Any) -> dict[str, Any]:
            begun.set()
            if options["stop"].wait(60):
                stopped.set()
            return {}

    async def cancelled() -> None:
        handler = handler_of(Waiting(settings=setup.settings), lambda *_: None)
        task = asyncio.ensure_future(handler({"id": "rp-1", "input": {}}))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())

    assert stopped.is_set()


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A stand-in for RunPod's SDK that notes what it is started with."""
    started: list[dict[str, Any]] = []
    module = ModuleType("runpod")
    module.serverless = SimpleNamespace(  # type: ignore[attr-defined]
        start=started.append, progress_update=lambda *_: None
    )
    monkeypatch.setitem(sys.modules, "runpod", module)
    monkeypatch.setenv("RUNPOD_LOG_LEVEL", "DEBUG")
    monkeypatch.setattr(logging.getLogger("urllib3"), "propagate", True)
    return started


def test_the_sdk_is_started_with_as_many_orders_at_a_time_as_the_settings_say(
    sdk: list[dict[str, Any]],
) -> None:
    start({"MAX_PARALLEL_ORDERS": "3"})

    (config,) = sdk
    assert config["concurrency_modifier"](1) == 3
    assert callable(config["handler"])


PROGRAM = """
import logging, sys
from types import ModuleType, SimpleNamespace
sys.modules["runpod"] = runpod = ModuleType("runpod")
runpod.serverless = SimpleNamespace(start=lambda _: None, progress_update=None)
from worker.handler import start
start({})
logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=secret)")
logging.getLogger("worker").info("a line of ours")
"""


def test_libraries_print_nothing_that_could_name_a_url() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert (ran.stdout, ran.stderr) == ("INFO a line of ours\n", "")


def test_wrong_settings_end_the_worker_with_their_name(sdk: list[dict[str, Any]]) -> None:
    with pytest.raises(SystemExit, match="MAX_PARALLEL_CALLS"):
        start({"MAX_PARALLEL_CALLS": "many"})
    assert sdk == []

"""Between RunPod's SDK and the use case."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from threading import Event
from typing import Any

from core.errors import SettingsError
from worker.job import Worker
from worker.settings import WorkerSettings
from worker.summarize import Progress

ProgressUpdate = Callable[[dict[str, Any], dict[str, int | str]], None]


def handler_of(
    worker: Worker, progress_update: ProgressUpdate
) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any] | list[Any]]]:
    """Return the handler that the SDK calls with each of its jobs.

    It is async, with the work in a thread: a plain one would keep the SDK from hearing that a job was
    cancelled. What has been asked of the model by then is finished, nothing more is asked.
    """

    async def handler(job: dict[str, Any]) -> dict[str, Any] | list[Any]:
        stop = Event()
        try:
            return await asyncio.to_thread(
                worker.work,
                job.get("input"),
                runpod_id=str(job.get("id")),
                progress=_progress_of(job, progress_update),
                stop=stop,
            )
        finally:
            stop.set()

    return handler


def _progress_of(job: dict[str, Any], progress_update: ProgressUpdate) -> Progress:
    # The SDK sends its job along with the update's address: an id is all that it needs.
    named = {"id": job.get("id")}
    return lambda counts: progress_update(named, counts)


def start(environment: Mapping[str, str]) -> None:
    """Take jobs from RunPod until it wants no more."""
    _log_to_stdout()
    try:
        settings = WorkerSettings.from_environment(environment)
    except SettingsError as exc:
        raise SystemExit(str(exc)) from None
    # Below INFO the SDK prints what handlers return, and it reads this when it is imported.
    os.environ["RUNPOD_LOG_LEVEL"] = "INFO"
    import runpod  # noqa: PLC0415 (the one place that needs it)

    runpod.serverless.start(
        {
            "handler": handler_of(Worker(settings=settings), runpod.serverless.progress_update),
            "concurrency_modifier": lambda _: settings.parallel_orders,
        }
    )


def _log_to_stdout() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
    # Some of its warnings name the URL.
    logging.getLogger("urllib3").propagate = False

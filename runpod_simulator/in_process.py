"""Runs the simulator inside a test process: its own thread, its own event loop, a free port."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from runpod_simulator.config import Config
from runpod_simulator.records import JobRecord
from runpod_simulator.scenarios import Rule
from runpod_simulator.server import Server
from runpod_simulator.webhooks import Delivery
from runpod_simulator.workers.remote import RemoteWorker

_T = TypeVar("_T")
_CALL_MAX_SECONDS = 30.0
_POLL_SECONDS = 0.01


class Simulator:
    """A running simulator. Its methods may be called from any thread."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self.config = server.config
        self.url = server.url  # base of the endpoint
        self.origin = server.origin
        self.api_key = server.config.api_key

    def jobs(self) -> list[JobRecord]:
        """Return the jobs, oldest first, without removed ones."""
        return self._call(self._server.endpoint.records)

    def deliveries(self) -> list[Delivery]:
        """Return every attempt to deliver a webhook, oldest first, with URL and body."""
        return self._call(self._server.endpoint.deliveries)

    def workers(self) -> list[RemoteWorker]:
        """Return the remote workers seen so far, with Config(worker="platform")."""
        return self._call(lambda: [replace(one) for one in self._server.endpoint.workers()])

    def worker_environment(self) -> dict[str, str]:
        """Return the variables that make a process with RunPod's SDK a worker; each call, another worker.

        subprocess.Popen([python, "handler.py"], env={**os.environ, **simulator.worker_environment()})
        """
        return self._server.worker_environment()

    def requests(self) -> dict[str, int]:
        """Return the number of requests by operation, rejected ones too: {"run": 1, "status": 3}."""
        return self._call(lambda: dict(self._server.endpoint.request_counts))

    def use(
        self,
        *scenarios: str,
        next_jobs: int | None = None,
        containing: str = "",
        share: float = 1.0,
    ) -> None:
        """Apply scenarios to jobs from now on: all, the next few, a share, or those whose body has a text.

        Raises:
            UnknownScenario: a name is not in SCENARIOS, or the share is not from 0 to 1.
        """
        rule = Rule(scenarios=scenarios, next_jobs=next_jobs, containing=containing, share=share)
        self._call(lambda: self._server.endpoint.rules.add(rule))

    def clear(self) -> None:
        """Remove every scenario chosen with `use` or in the Config."""
        self._call(self._server.endpoint.rules.clear)

    def set_stock(self, **levels: str) -> None:
        """Say how many GPUs of a pool are free: `set_stock(ADA_80_PRO="NONE")`; without any, as usual."""
        stock = self._server.endpoint.stock
        self._call(lambda: stock.update(levels) if levels else stock.clear())

    def show_workers(self, **counts: int) -> None:
        """Have /health say so many workers in some states, whatever there is; without any, what is."""
        shown = self._server.endpoint.shown_workers
        self._call(lambda: shown.update(counts) if counts else shown.clear())

    def wait_until(
        self, condition: Callable[["Simulator"], bool], timeout_seconds: float = 10.0
    ) -> None:
        """
        Raises:
            TimeoutError: the condition stayed false.
        """
        ends_at = time.monotonic() + timeout_seconds
        while not condition(self):
            if time.monotonic() > ends_at:
                states = ", ".join(f"{job.status}" for job in self.jobs()) or "none"
                raise TimeoutError(
                    f"the condition is still false after {timeout_seconds} s; jobs: {states}"
                )
            time.sleep(_POLL_SECONDS)

    def _call(self, function: Callable[[], _T]) -> _T:
        async def call() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_CALL_MAX_SECONDS)


@contextmanager
def running_simulator(config: Config | None = None) -> Iterator[Simulator]:
    """Start a simulator; stop it afterwards and wait until it has stopped."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="runpod-simulator", daemon=True)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(_started(config or Config()), loop).result(
            _CALL_MAX_SECONDS
        )
        try:
            yield Simulator(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(_CALL_MAX_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _started(config: Config) -> Server:
    server = Server(config)
    await server.start()
    return server

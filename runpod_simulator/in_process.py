"""The simulator inside a test: a thread of its own with its own event loop, on a free port."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from .config import Config
from .records import JobRecord
from .scenarios import Rule
from .server import Server
from .webhooks import Delivery
from .workers.fleet import RemoteWorker

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
        """Oldest first; removed ones are gone."""
        return self._call(self._server.endpoint.records)

    def deliveries(self) -> list[Delivery]:
        """Every attempt to deliver a webhook, oldest first, with URL and body."""
        return self._call(self._server.endpoint.deliveries)

    def workers(self) -> list[RemoteWorker]:
        """Those that have called so far, with Config(worker="platform")."""
        return self._call(lambda: [replace(one) for one in self._server.endpoint.workers()])

    def worker_environment(self) -> dict[str, str]:
        """The variables that make a process with RunPod's SDK a worker; each call is another worker.

        subprocess.Popen([python, "handler.py"], env={**os.environ, **simulator.worker_environment()})
        """
        return self._server.worker_environment()

    def requests(self) -> dict[str, int]:
        """How often each operation was called, refused calls too: {"run": 1, "status": 3}."""
        return self._call(lambda: dict(self._server.endpoint.calls))

    def use(
        self,
        *scenarios: str,
        next_jobs: int | None = None,
        containing: str = "",
        share: float = 1.0,
    ) -> None:
        """Applies scenarios to jobs from now on: all, the next few, some, those with a text in their body.

        Raises:
            UnknownScenarioError: for a name that is not in SCENARIOS, or a share that is none.
        """
        rule = Rule(scenarios=scenarios, next_jobs=next_jobs, containing=containing, share=share)
        self._call(lambda: self._server.endpoint.rulebook.add(rule))

    def clear(self) -> None:
        """Ends every scenario chosen with `use` or in the Config."""
        self._call(self._server.endpoint.rulebook.clear)

    def wait_until(
        self, condition: Callable[["Simulator"], bool], timeout_seconds: float = 10.0
    ) -> None:
        """
        Raises:
            TimeoutError: the condition did not come true.
        """
        ends_at = time.monotonic() + timeout_seconds
        while not condition(self):
            if time.monotonic() > ends_at:
                states = ", ".join(f"{job.status}" for job in self.jobs()) or "none"
                msg = f"not so after {timeout_seconds} s; jobs: {states}"
                raise TimeoutError(msg)
            time.sleep(_POLL_SECONDS)

    def _call(self, function: Callable[[], _T]) -> _T:
        async def call() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_CALL_MAX_SECONDS)


@contextmanager
def running_simulator(config: Config | None = None) -> Iterator[Simulator]:
    """Starts a simulator, stops it afterwards and waits until it has stopped."""
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

"""A model server in a thread of the test: it can be made terse, and remembers what it was asked."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from local.extractive_model import ExtractiveModel

_CALL_MAX_SECONDS = 30.0


@dataclass
class ModelServer:
    model: ExtractiveModel
    requests: list[dict[str, Any]] = field(default_factory=list)  # bodies, oldest first
    url: str = ""

    def prompts(self, marker: str) -> list[str]:
        """Return what the user's messages said, of the requests that hold a text."""
        said = [request["messages"][-1]["content"] for request in list(self.requests)]
        return [each for each in said if marker in each]


@contextmanager
def running_model(**settings: Any) -> Iterator[ModelServer]:
    """Start the extractive model, stop it afterwards; `settings` are those of ExtractiveModel."""
    requests: list[dict[str, Any]] = []
    server = ModelServer(ExtractiveModel(heard=requests.append, **settings), requests)
    runner = web.AppRunner(server.model.application(), access_log=None, shutdown_timeout=1.0)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="model-server", daemon=True)
    thread.start()

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    async def stop() -> None:
        await runner.cleanup()
        await loop.shutdown_default_executor()

    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result(_CALL_MAX_SECONDS)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(_CALL_MAX_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

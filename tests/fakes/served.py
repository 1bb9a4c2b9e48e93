"""An aiohttp application in a thread of the test, on a free port of 127.0.0.1."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

_CALL_MAX_SECONDS = 30.0


@contextmanager
def served(app: web.Application) -> Iterator[str]:
    """Serve it and return its origin; stop it afterwards and wait until it has stopped."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="served", daemon=True)
    thread.start()

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def stop() -> None:
        await runner.cleanup()
        await loop.shutdown_default_executor()

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(_CALL_MAX_SECONDS)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(_CALL_MAX_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

"""A broadcast to everybody who waits at this moment; `asyncio.Event` would stay set afterwards."""

import asyncio
import contextlib


class Notifier:
    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.is_closed = False

    def notify_all(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    def close(self) -> None:
        """Wake everybody; loops that wait must check `is_closed` and end."""
        self.is_closed = True
        self.notify_all()

    async def wait(self, timeout_seconds: float | None) -> None:
        """Wait for the next notification, at most so many real seconds; None waits without limit."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()

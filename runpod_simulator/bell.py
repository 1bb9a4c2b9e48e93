"""Wakes everybody who waits, once."""

import asyncio
import contextlib


class Bell:
    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.is_over = False  # nobody need wait any more

    def ring(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def ring_for_good(self) -> None:
        self.is_over = True
        self.ring()

    async def wait(self, seconds: float | None) -> None:
        """Until the next ring, at most so many real seconds; None: however long it takes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()

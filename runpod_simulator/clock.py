"""RunPod seconds, which may pass faster than real ones."""

import asyncio
import math
import time


class Clock:
    def __init__(self, time_scale: float) -> None:
        self._time_scale = time_scale
        self._started_at = time.monotonic()

    def now(self) -> float:
        """Return the RunPod seconds since the simulator started."""
        return (time.monotonic() - self._started_at) / self._time_scale

    def real_seconds(self, seconds: float) -> float | None:
        """Convert RunPod seconds; None is for ever."""
        return None if math.isinf(seconds) else max(0.0, seconds * self._time_scale)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds * self._time_scale))

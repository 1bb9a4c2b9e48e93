"""RunPod's seconds, which may pass faster than ours."""

import asyncio
import math
import time


class Clock:
    def __init__(self, time_scale: float) -> None:
        self._time_scale = time_scale
        self._started_at = time.monotonic()

    def now(self) -> float:
        """RunPod seconds since the simulator started."""
        return (time.monotonic() - self._started_at) / self._time_scale

    def real_seconds(self, seconds: float) -> float | None:
        """None for ever."""
        return None if math.isinf(seconds) else max(0.0, seconds * self._time_scale)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds * self._time_scale))

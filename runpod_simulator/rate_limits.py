"""RunPod's rate limits: requests per ten seconds, and at once. Pure: the time is passed in."""

from collections import deque

from runpod_simulator.config import Limit

_WINDOW_SECONDS = 10.0


class RateLimiter:
    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._acquired_at: deque[float] = deque()
        self._active = 0

    def acquire(self, now: float) -> bool:
        """True if the request may proceed; then call `release`. Rejected requests do not count."""
        while self._acquired_at and self._acquired_at[0] <= now - _WINDOW_SECONDS:
            self._acquired_at.popleft()
        if (
            len(self._acquired_at) >= self._limit.per_10_seconds
            or self._active >= self._limit.concurrent
        ):
            return False
        self._acquired_at.append(now)
        self._active += 1
        return True

    def release(self) -> None:
        self._active -= 1

"""RunPod's rate limits: so many requests in ten seconds, so many at once. Pure: the time is passed in."""

from collections import deque

from .config import Limit

_WINDOW_SECONDS = 10.0


class RateLimiter:
    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._entered_at: deque[float] = deque()
        self._inside = 0

    def enter(self, now: float) -> bool:
        """True if the request may go on; then `leave` must follow. Refused requests do not count."""
        while self._entered_at and self._entered_at[0] <= now - _WINDOW_SECONDS:
            self._entered_at.popleft()
        if (
            len(self._entered_at) >= self._limit.per_10_seconds
            or self._inside >= self._limit.concurrent
        ):
            return False
        self._entered_at.append(now)
        self._inside += 1
        return True

    def leave(self) -> None:
        self._inside -= 1

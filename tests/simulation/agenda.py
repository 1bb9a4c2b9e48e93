"""A clock that only what is on its agenda moves."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.builders import NOON


@dataclass(kw_only=True)
class Agenda:
    now_seconds: float = 0.0
    _coming: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.now_seconds)

    def seconds(self) -> float:
        return self.now_seconds

    def after(self, delay_seconds: float, what: Callable[[], object]) -> None:
        at = self.now_seconds + delay_seconds
        heapq.heappush(self._coming, (at, next(self._numbers), what))

    def do_next(self) -> bool:
        """Move the clock to what comes next, and do it; False if nothing does."""
        if not self._coming:
            return False
        self.now_seconds, _, what = heapq.heappop(self._coming)
        what()
        return True

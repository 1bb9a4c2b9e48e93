"""Reads what is due, longest overdue first: a batch of the index, and what it names in the table."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from core.jobs.ports import JobStore
from sweeper.results import Due, DueItem

_BATCH = 100  # of calls; each of other jobs they are 200 items, in two reads


class Reading:
    """What is due at one time. Read by one thread at a time."""

    def __init__(self, store: JobStore, now: datetime) -> None:
        self._store = store
        self._now = now
        self._due: Iterator[tuple[str, str]] | None = None
        self.is_done = False

    def next_batch(self) -> Due:
        """Return the next that are due; with none of them nothing more is."""
        if self._due is None:
            self._due = self._store.due(self._now)
        keys = list(islice(self._due, _BATCH))
        self.is_done = len(keys) < _BATCH
        return Due(tuple(self._items(keys)))

    def _items(self, keys: list[tuple[str, str]]) -> Iterator[DueItem]:
        try:
            jobs, calls = self._store.load_many(keys)
        except Exception:
            # Of one of them, perhaps: each is looked at without it, reads for itself, and fails alone.
            jobs, calls = {}, {}
        for job_id, call_id in keys:
            yield DueItem(job_id, call_id, jobs.get(job_id), calls.get((job_id, call_id)))

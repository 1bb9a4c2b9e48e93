"""A JobStore that tells what each write moved, once it is written.

A move is written by one, however many come to the same result: repeated callbacks and messages, late
results and sweeps that lose a race find it written, or are refused. So what is told here is counted once.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from core.jobs.model import AuditEvent, Call, Job
from core.jobs.ports import JobStore


class ObservedJobStore:
    """A store, and who is told of jobs and calls with the news that were written with them."""

    def __init__(self, store: JobStore, tell: Callable[[Job | Call], None]) -> None:
        self._store = store
        self._tell = tell

    def create(self, job: Job, calls: Sequence[Call]) -> None:
        self._store.create(job, calls)
        items: list[Job | Call] = [job, *calls]
        for item in items:
            self._tell(item)

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        return self._store.load(job_id, call_id)

    def load_job(self, job_id: str) -> Job:
        return self._store.load_job(job_id)

    def save_call(self, call: Call) -> Call:
        saved = self._store.save_call(call)
        self._tell(call)
        return saved

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        saved = self._store.save(job, call)
        self._tell(job)
        self._tell(call)
        return saved

    def save_job(self, job: Job) -> Job:
        saved = self._store.save_job(job)
        self._tell(job)
        return saved

    def count_done(self, call: Call, *, stage: int, due_at: datetime) -> Job:
        return self._store.count_done(call, stage=stage, due_at=due_at)

    def begin_stage(self, job: Job, calls: Sequence[Call]) -> Job:
        saved = self._store.begin_stage(job, calls)
        self._tell(job)
        return saved

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        return self._store.due(now)

    def history(self, job_id: str) -> tuple[Job, list[Call], list[AuditEvent]]:
        return self._store.history(job_id)

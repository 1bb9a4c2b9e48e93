"""A JobStore that reports the transitions of each write, once it is written.

A transition is written by one, however many come to the same result: repeated callbacks and messages,
late results and sweeps that lose a race find it written, or are refused. So each is reported once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.job import Job
from core.jobs.ports import JobStore


class ObservedJobStore:
    """A store, and a function that is given each job and call with the events written with it."""

    def __init__(self, store: JobStore, report: Callable[[Job | Call], None]) -> None:
        self._store = store
        self._report = report

    def create(self, job: Job, calls: Sequence[Call]) -> bool:
        are_new = self._store.create(job, calls)
        items: list[Job | Call] = [job, *calls]
        for item in items:
            self._report(item)
        return are_new

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        return self._store.load(job_id, call_id)

    def load_job(self, job_id: str) -> Job:
        return self._store.load_job(job_id)

    def load_many(
        self, keys: Sequence[tuple[str, str]]
    ) -> tuple[Mapping[str, Job], Mapping[tuple[str, str], Call]]:
        return self._store.load_many(keys)

    def save_call(self, call: Call) -> Call:
        saved = self._store.save_call(call)
        self._report(call)
        return saved

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        saved = self._store.save(job, call)
        self._report(job)
        self._report(call)
        return saved

    def save_job(self, job: Job) -> Job:
        saved = self._store.save_job(job)
        self._report(job)
        return saved

    def count_done(self, job: Job, call: Call, *, due_at: datetime) -> Job:
        return self._store.count_done(job, call, due_at=due_at)

    def record_calls(self, calls: Sequence[Call]) -> bool:
        return self._store.record_calls(calls)

    def begin_stage(self, job: Job) -> Job:
        saved = self._store.begin_stage(job)
        self._report(job)
        return saved

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        return self._store.due(now)

    def history(self, job_id: str) -> tuple[Job, list[Call], list[AuditEvent]]:
        return self._store.history(job_id)

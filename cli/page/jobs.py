"""A page of jobs, the newest first, with how far those are that move.

Read from the index by state, and one item for each active job that is shown: what a look costs does not
depend on how many jobs there are, unless somebody filters by what the index does not know. A page says
how long to wait before the next look, so that a dear one is taken less often.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click

from cli.operating.desk import Desk
from cli.operating.finding import MOST_LOOKED_AT
from cli.operating.listing import selected, told
from core.aws.items import ListedJob
from core.aws.job_index import JobIndex
from core.errors import UnknownCall
from core.jobs.job import Job, JobState

MOST_JOBS = 100  # of a page
_SECONDS_WHERE_JOBS_MOVE, _SECONDS_WHERE_NONE_DOES, _MOST_SECONDS = 2.0, 5.0, 60.0
_UNITS_PER_SECOND = 25.0  # read units that an open page may cost
_UNITS_OF_A_JOB = 2.0  # about
_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class Filters:
    states: tuple[str, ...] = ()
    text: str = ""  # in the key, or what an id begins with
    reason: str = ""
    since: timedelta | None = None
    older: timedelta | None = None
    doubts: bool = False
    limit: int = 25
    after: str = ""  # where the page before has ended


@dataclass(frozen=True)
class Cursor:
    """Where a page has ended: the time of its last job, and the jobs of that very time already shown."""

    at: datetime
    shown: tuple[str, ...]

    @property
    def text(self) -> str:
        return "~".join([self.at.isoformat(), *self.shown])

    @classmethod
    def parsed(cls, text: str) -> "Cursor":
        at, *shown = text.split("~")
        try:
            return cls(datetime.fromisoformat(at), tuple(shown))
        except ValueError:
            raise click.UsageError("there is no such page of jobs: begin with the newest") from None

    @classmethod
    def after(cls, jobs: Sequence[ListedJob], before: "Cursor | None") -> "Cursor":
        last = jobs[-1].created_at
        shown = before.shown if before and before.at == last else ()
        return cls(last, (*shown, *(job.id for job in jobs if job.created_at == last)))


def page_of_jobs(desk: Desk, filters: Filters) -> dict[str, Any]:
    """Raises UsageError."""
    index = desk.index
    cursor = Cursor.parsed(filters.after) if filters.after else None
    found = list(islice(_jobs(desk, index, filters, cursor), filters.limit + 1))
    jobs, has_more = found[: filters.limit], len(found) > filters.limit
    moving = _as_recorded(desk, [job.id for job in jobs if job.state is JobState.ACTIVE])
    read_units = index.read_units + _UNITS_OF_A_JOB * len(moving)
    return {
        "jobs": [_fields(job, moving.get(job.id)) for job in jobs],
        "next": Cursor.after(jobs, cursor).text if has_more else None,
        "looked_at_most_at": MOST_LOOKED_AT,
        "read_units": read_units,
        "again_seconds": again_seconds(read_units, is_moving=bool(moving)),
    }


def again_seconds(read_units: float, *, is_moving: bool) -> float:
    """Return how long to wait before the next look."""
    least = _SECONDS_WHERE_JOBS_MOVE if is_moving else _SECONDS_WHERE_NONE_DOES
    return min(max(least, read_units / _UNITS_PER_SECOND), _MOST_SECONDS)


def _jobs(
    desk: Desk, index: JobIndex, filters: Filters, cursor: Cursor | None
) -> Iterator[ListedJob]:
    found = selected(
        desk,
        index,
        most=filters.limit + 1 + (len(cursor.shown) if cursor else 0),
        states=filters.states,
        since=filters.since,
        older=filters.older,
        reason=filters.reason,
        doubts=filters.doubts,
        holding=filters.text,
        until=cursor.at if cursor else None,
    )
    for job in found:
        if not cursor or job.created_at != cursor.at or job.id not in cursor.shown:
            yield job


def _as_recorded(desk: Desk, job_ids: Sequence[str]) -> dict[str, Job]:
    """Return the jobs as they stand in the table, which the index is a moment behind."""
    if not job_ids:
        return {}
    with ThreadPoolExecutor(_THREADS) as pool:
        loaded = pool.map(lambda job_id: _loaded(desk, job_id), job_ids)
        return {job.id: job for job in loaded if job}


def _loaded(desk: Desk, job_id: str) -> Job | None:
    with suppress(UnknownCall):
        return desk.deployment.store.load_job(job_id)
    return None


def _fields(listed: ListedJob, job: Job | None) -> dict[str, Any]:
    fields = told(listed)
    fields["deadline"] = listed.deadline.isoformat()
    fields["progress"] = job and {
        "round": job.stage,
        "calls": job.stage_calls,
        "calls_done": job.calls_done,
        "is_publishing": job.is_publishing,
    }
    return fields

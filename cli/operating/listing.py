"""`list`: jobs by state, age, key and reason, newest first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import MOST_LOOKED_AT, newest_jobs
from cli.operating.spans import SpanType, now, short
from core.aws.items import ListedJob
from core.aws.job_index import JobIndex
from core.jobs.job import JobState

_COLOURS = {JobState.ACTIVE: "yellow", JobState.SUCCEEDED: "green", JobState.FAILED: "red"}
_SHOWN_OF_ID = 8


@click.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice(list(JobState)),
    multiple=True,
    help="Only jobs in it; can be repeated.",
)
@click.option("--since", type=SpanType(), help="Only jobs recorded within it, for example 2h.")
@click.option("--older", type=SpanType(), help="Only jobs recorded before it.")
@click.option("--key", "prefix", default="", help="Only files whose key begins so.")
@click.option("--reason", default="", help="Only jobs that failed with this code.")
@click.option("--doubts", is_flag=True, help="Only summaries with a check in doubt.")
@click.option("--oldest", is_flag=True, help="The oldest first.")
@click.option("--limit", default=20, show_default=True, help="So many at most.")
@at_a_desk
def list_command(desk: Desk, limit: int, **filters: Any) -> None:
    """Show jobs, newest first."""
    index = desk.index
    jobs = list(islice(selected(desk, index, most=limit + 1, **filters), limit + 1))
    has_more = len(jobs) > limit
    jobs = jobs[:limit]
    desk.tell(
        {
            "jobs": [told(job) for job in jobs],
            "has_more": has_more,
            "looked_at_most_at": MOST_LOOKED_AT,
            "read_units": index.read_units,
        },
        lambda console: _show(console, jobs, has_more=has_more, read_units=index.read_units),
    )


def selected(
    desk: Desk,
    index: JobIndex | None = None,
    *,
    most: int | None = None,
    states: tuple[str, ...] = (),
    since: timedelta | None = None,
    older: timedelta | None = None,
    prefix: str = "",
    reason: str = "",
    doubts: bool = False,
    oldest: bool = False,
    holding: str = "",
    until: datetime | None = None,
) -> Iterator[ListedJob]:
    """Yield the jobs that pass every filter that was given, of the newest (or oldest) twenty thousand.

    The index knows state and age. Whoever filters by more looks at whole pages; without that, `most` jobs
    of a state are all that is read. `holding` is a part of a key, or what an id begins with; `until` is
    where an earlier page has ended.
    """
    filters_here = bool(prefix or reason or doubts or holding)
    wanted = tuple(JobState(state) for state in states) or tuple(JobState)
    if reason:
        wanted = (JobState.FAILED,)
    jobs = newest_jobs(
        desk,
        wanted,
        since=now() - since if since else None,
        until=_earlier(now() - older if older else None, until),
        oldest_first=oldest,
        index=index,
        page_size=None if filters_here else most,
    )
    for job in islice(jobs, MOST_LOOKED_AT):
        is_doubtful = job.summary is not None and job.summary.doubts > 0
        if (
            job.key.startswith(prefix)
            and _holds(job, holding)
            and (not reason or job.reason_code == reason)
            and (is_doubtful or not doubts)
        ):
            yield job


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each), default=None)


def _holds(job: ListedJob, text: str) -> bool:
    return text.casefold() in job.key.casefold() or job.id.startswith(text)


def told(job: ListedJob) -> dict[str, Any]:
    summary = job.summary
    return {
        "job_id": job.id,
        "state": job.state.value,
        "key": job.key,
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "reason_code": job.reason_code or None,
        "words_in": job.words_in,
        "words_out": summary.words if summary else None,
        "doubts": summary.doubts if summary else None,
    }


def _show(console: Console, jobs: list[ListedJob], *, has_more: bool, read_units: float) -> None:
    if not jobs:
        console.print(f"No such jobs among {MOST_LOOKED_AT:,}; --since and --older look elsewhere.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("job", "state", "age", "took"):
        table.add_column(column, no_wrap=True)
    table.add_column("words", justify="right", no_wrap=True)
    table.add_column("file", overflow="fold")
    for job in jobs:
        state = job.reason_code or job.state.value
        table.add_row(
            job.id[:_SHOWN_OF_ID],
            f"[{_COLOURS[job.state]}]{escape(state)}[/]",
            short(now() - job.created_at),
            short(job.finished_at - job.created_at) if job.finished_at else "",
            _words(job),
            escape(job.key),
        )
    console.print(table)
    more = "there are more: --limit; " if has_more else ""
    console.print(f"[dim]{more}{read_units:g} read units[/]")


def _words(job: ListedJob) -> str:
    if job.summary is None:
        return f"{job.words_in:,}" if job.words_in else ""
    doubt = " ?" if job.summary.doubts else ""
    return f"{job.words_in:,} → {job.summary.words:,}{doubt}"

"""`watch`: the jobs that move, live, until Ctrl-C."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.deployment import History
from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import newest_jobs
from cli.operating.spans import now, short
from core.aws.items import ListedJob
from core.jobs.call import CallState
from core.jobs.job import JobState
from core.summaries.rounds import in_words

_SHOWN_OF_ID = 8
_KEPT = timedelta(minutes=2)  # how long a job is shown that has ended
_MARKS = {JobState.SUCCEEDED: "[green]✓[/]", JobState.FAILED: "[red]✗[/]"}


@click.command("watch")
@click.option("--every", default=2.0, show_default=True, help="Seconds between two looks.")
@click.option("--limit", default=20, show_default=True, help="So many jobs at most.")
@click.option("--once", is_flag=True, help="Look once and end, as where there is no terminal.")
@at_a_desk
def watch_command(desk: Desk, every: float, limit: int, *, once: bool) -> None:
    """Show the jobs that move, live, until Ctrl-C: what each is at, and how far.

    With --json, with --once, or where there is no terminal, it looks once.
    """
    if once or not is_live(desk):
        jobs = moving(desk, limit)
        desk.tell(
            {"jobs": [told(history) for history in jobs]},
            lambda console: console.print(shown(jobs, now())),
        )
        return
    try:
        with Live(console=desk.console, auto_refresh=False, screen=False) as live:
            while True:
                live.update(shown(moving(desk, limit), now()), refresh=True)
                time.sleep(max(every, 0.2))
    except KeyboardInterrupt:
        return


def is_live(desk: Desk) -> bool:
    """Is there somebody to watch?"""
    return sys.stdout.isatty() and not desk.as_json


def moving(desk: Desk, limit: int) -> list[History]:
    """Return the jobs that are active, or ended a moment ago, newest first, as they are recorded now."""
    at = now()
    active = islice(newest_jobs(desk, (JobState.ACTIVE,)), limit)
    ended = (
        job
        for job in islice(newest_jobs(desk, _ENDED, since=at - timedelta(days=1)), limit)
        if _ended_lately(job, at)
    )
    listed = sorted([*active, *ended], key=lambda job: job.created_at, reverse=True)[:limit]
    found = (desk.deployment.history_of(job.id) for job in listed)
    return [history for history in found if history]


_ENDED = (JobState.SUCCEEDED, JobState.FAILED)


def _ended_lately(job: ListedJob, at: datetime) -> bool:
    return job.finished_at is not None and at - job.finished_at < _KEPT


def told(history: History) -> dict[str, Any]:
    job = history.job
    return {
        "job_id": job.id,
        "key": job.source.key,
        "state": job.state.value,
        "round": job.stage,
        "calls": len(_current(history)),
        "calls_done": sum(call.is_final for call in _current(history)),
        "at": doing(history),
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


def _current(history: History) -> list[Any]:
    return [call for call in history.calls if call.stage == history.job.stage]


def doing(history: History) -> str:
    """Say what a job is at, in a few words."""
    job, calls = history.job, _current(history)
    if job.state is JobState.FAILED:
        return f"failed: {job.reason_code}"
    if job.summary:
        return f"{job.summary.words:,} words" + (", in doubt" if job.summary.doubts else "")
    if job.is_publishing:
        return "writing the summary"
    if not calls:
        return "recorded"
    held = next((call.hold for call in calls if call.hold), "")
    if held:
        return f"held: {held}"
    asks = [call.ask for call in calls if call.ask]
    what = in_words(asks) if asks else "the whole summary"
    at_runpod = sum(call.state is CallState.SUBMITTED for call in calls)
    return what + (f", {at_runpod} at RunPod" if at_runpod else "")


def shown(jobs: Sequence[History], at: datetime) -> RenderableType:
    if not jobs:
        return Text.from_markup(
            "[dim]No job moves. Upload a transcript, or `list` what has ended.[/]"
        )
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("", "job", "for"):
        table.add_column(name, no_wrap=True)
    table.add_column("round", no_wrap=True)
    table.add_column("at", ratio=1, overflow="fold")
    table.add_column("file", ratio=1, overflow="fold")
    for history in jobs:
        job, calls = history.job, _current(history)
        done = sum(call.is_final for call in calls)
        table.add_row(
            _MARKS.get(job.state, "[yellow]…[/]"),
            job.id[:_SHOWN_OF_ID],
            short((job.finished_at or at) - job.created_at),
            f"{job.stage}: {done}/{len(calls)}" if calls and not job.is_final else "",
            escape(doing(history)),
            escape(job.source.key),
        )
    active = sum(not history.job.is_final for history in jobs)
    return Group(table, Text.from_markup(f"[dim]{active} moving; {at:%H:%M:%S} UTC[/]"))

"""`status`: is it healthy, at a glance. Exit code 1 if something wants a person."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
import requests
from rich.console import Console
from rich.table import Table

from cli.operating.desk import Desk, at_a_desk
from cli.operating.spans import SpanType, now, short
from core.aws.items import ListedJob
from core.aws.secrets import SecretReader
from core.errors import SecretUnusable
from core.jobs.job import JobState

_MOST_COUNTED = 10_000  # jobs of a state; a page of the index holds some 1,500
_HEALTH_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Status:
    within: timedelta
    counts: dict[str, int]
    is_counted_in_full: bool
    oldest_active: ListedJob | None
    reasons: dict[str, int]  # of the failed
    doubtful: int
    seconds_to_summary: dict[str, float]  # p50, p95
    dead_letters: int
    waiting_messages: int
    endpoint: dict[str, Any]
    read_units: float
    problems: list[str] = field(default_factory=list)


@click.command("status")
@click.option(
    "--within", type=SpanType(), default="1d", show_default=True, help="Jobs recorded within it."
)
@at_a_desk
def status_command(desk: Desk, within: timedelta) -> None:
    """Say whether it is healthy: jobs, dead letters, the endpoint, times to a summary."""
    status = read_status(desk, within)
    desk.tell(_told(status), lambda console: _show(console, status))
    if status.problems:
        sys.exit(1)


def read_status(desk: Desk, within: timedelta) -> Status:
    index = desk.index
    since = now() - within
    jobs = {
        state: list(islice(index.jobs(state, since=since), _MOST_COUNTED)) for state in JobState
    }
    oldest = next(index.jobs(JobState.ACTIVE, oldest_first=True, page_size=1), None)
    reasons: dict[str, int] = {}
    for job in jobs[JobState.FAILED]:
        reasons[job.reason_code] = reasons.get(job.reason_code, 0) + 1
    dead_letters, waiting = _queues(desk)
    status = Status(
        within=within,
        counts={state.value: len(of_state) for state, of_state in jobs.items()},
        is_counted_in_full=all(len(of_state) < _MOST_COUNTED for of_state in jobs.values()),
        oldest_active=oldest,
        reasons=dict(sorted(reasons.items(), key=lambda pair: -pair[1])),
        doubtful=sum(bool(job.summary and job.summary.doubts) for job in jobs[JobState.SUCCEEDED]),
        seconds_to_summary=_percentiles(jobs[JobState.SUCCEEDED]),
        dead_letters=dead_letters,
        waiting_messages=waiting,
        endpoint=_endpoint(desk),
        read_units=index.read_units,
    )
    status.problems.extend(_problems(status, now()))
    return status


def _problems(status: Status, at: datetime) -> list[str]:
    problems = []
    if status.dead_letters:
        problems.append(
            f"{status.dead_letters} dead letters: look at them with `redrive --dry-run`"
        )
    oldest = status.oldest_active
    if oldest and at > oldest.deadline:
        problems.append(
            f"job {oldest.id[:8]} is past its deadline and still active: does the sweeper run?"
            f" see `show {oldest.id[:8]}`"
        )
    if "problem" in status.endpoint:
        problems.append(f"endpoint: {status.endpoint['problem']}")
    elif status.waiting_for_gpu and not status.endpoint.get("workers_running"):
        problems.append("requests wait at RunPod and no worker runs: see `endpoint drift`")
    return problems


def _percentiles(jobs: Sequence[ListedJob]) -> dict[str, float]:
    seconds = sorted(
        (job.finished_at - job.created_at).total_seconds() for job in jobs if job.finished_at
    )
    if not seconds:
        return {}
    return {
        f"p{percent}": seconds[min(len(seconds) - 1, math.ceil(len(seconds) * percent / 100) - 1)]
        for percent in (50, 95)
    }

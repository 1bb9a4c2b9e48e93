"""`status`: is it healthy, at a glance. Exit code 1 if something wants a person.

What it reads is bounded, however many jobs there are: the index by state counts up to ten thousand of a
state, and tells more of the newest three hundred; the queues, the sweeper's log and RunPod answer in one
request or a few each. All of it at once.
"""

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.operating import runpod
from cli.operating.desk import Desk, at_a_desk
from cli.operating.function_logs import Truncated, lines
from cli.operating.spans import SpanType, now, short
from cli.operating.switches import Switch, switched_off
from core.aws.items import ListedJob
from core.aws.job_index import JobIndex
from core.jobs.job import JobState

_MOST_COUNTED = 10_000  # jobs of a state
_MOST_READ = 300  # of which more is known than that they are there
_SHOWN_OF_ID = 8
_LOST = "lost callback"  # as the sweeper's log line counts them
_UNKNOWN = "not known: the sweeper's log is too long, or may not be read"
_SERVICES = ("dynamodb", "sqs", "logs", "lambda", "secretsmanager", "cloudformation", "scheduler")


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """What the index by state says."""

    counts: Mapping[str, int]
    oldest_active: ListedJob | None
    reasons: Mapping[str, int]  # of the newest failed jobs
    doubtful: int  # of the newest summaries
    seconds_to_summary: Mapping[str, float]  # p50 and p95, of the newest summaries
    read_units: float


@dataclass(frozen=True, kw_only=True)
class Status:
    within: timedelta
    jobs: Jobs
    lost_callbacks: int | None  # None where the log is too long, or may not be read
    dead_letters: int
    dead_notices: int
    waiting_messages: int
    endpoint: runpod.Health
    switched_off: Sequence[Switch] | None  # by `stop`, or otherwise; None where it may not be read
    problems: Sequence[str] = ()


@click.command("status")
@click.option(
    "--within",
    type=SpanType(),
    default="1d",
    show_default=True,
    envvar="SUMMARIES_WITHIN",
    show_envvar=True,
    help="Jobs recorded within it.",
)
@at_a_desk
def status_command(desk: Desk, within: timedelta) -> None:
    """Say whether it is healthy: jobs, dead letters, the endpoint, times to a summary.

    Exit code 1 means that something wants a person; what it is stands at the end.
    """
    status = read_status(desk, within)
    desk.tell(as_fields(status), lambda console: _show(console, status))
    if status.problems:
        sys.exit(1)


def read_status(desk: Desk, within: timedelta) -> Status:
    since = now() - within
    for service in _SERVICES:  # clients are made one after another: boto3 asks for that
        desk.deployment.client(service)
    with ThreadPoolExecutor() as pool:
        jobs = pool.submit(_jobs, desk, since)
        lost = pool.submit(_lost_callbacks, desk, since)
        dead = pool.submit(_messages, desk, "UploadDeadLetterQueueUrl")
        dead_notices = pool.submit(_messages, desk, "NoticeDeadEndUrl")
        waiting = pool.submit(_messages, desk, "UploadQueueUrl")
        endpoint = pool.submit(runpod.health, desk)
        off = pool.submit(switched_off, desk.deployment)
    status = Status(
        within=within,
        jobs=jobs.result(),
        lost_callbacks=lost.result(),
        dead_letters=dead.result(),
        dead_notices=dead_notices.result(),
        waiting_messages=waiting.result(),
        endpoint=endpoint.result(),
        switched_off=off.result(),
    )
    return Status(**{**vars(status), "problems": tuple(_problems(status, now()))})


def _jobs(desk: Desk, since: datetime) -> Jobs:
    index = desk.index
    newest = {
        state: list(islice(index.jobs(state, since=since, page_size=_MOST_READ), _MOST_READ))
        for state in (JobState.SUCCEEDED, JobState.FAILED)
    }
    counts = {state.value: _count(index, state, since, newest.get(state)) for state in JobState}
    reasons = Counter(job.reason_code for job in newest[JobState.FAILED])
    summaries = [job.summary for job in newest[JobState.SUCCEEDED] if job.summary]
    return Jobs(
        counts=counts,
        oldest_active=next(index.jobs(JobState.ACTIVE, oldest_first=True, page_size=1), None),
        reasons=dict(reasons.most_common()),
        doubtful=sum(summary.doubts > 0 for summary in summaries),
        seconds_to_summary=_percentiles(newest[JobState.SUCCEEDED]),
        read_units=index.read_units,
    )


def _count(
    index: JobIndex, state: JobState, since: datetime, newest: Sequence[ListedJob] | None
) -> int:
    if newest is not None and len(newest) < _MOST_READ:  # these are all
        return len(newest)
    return index.count(state, since=since, at_most=_MOST_COUNTED)


def _percentiles(jobs: Sequence[ListedJob]) -> dict[str, float]:
    seconds = sorted(
        (job.finished_at - job.created_at).total_seconds() for job in jobs if job.finished_at
    )
    if not seconds:
        return {}
    return {
        f"p{percent}": seconds[math.ceil(len(seconds) * percent / 100) - 1] for percent in (50, 95)
    }


def _lost_callbacks(desk: Desk, since: datetime) -> int | None:
    try:
        swept = [line.fields for line in lines(desk, "sweeper", holding=_LOST, since=since)]
    except (Truncated, ClientError):
        return None
    return sum(int(fields.get("found", {}).get(_LOST, 0)) for fields in swept)


def _messages(desk: Desk, output: str) -> int:
    name = "ApproximateNumberOfMessages"
    if output not in desk.deployment.outputs:  # the stack is older than the queue
        return 0
    answer = desk.deployment.client("sqs").get_queue_attributes(
        QueueUrl=desk.deployment.outputs[output], AttributeNames=[name]
    )
    return int(answer["Attributes"][name])


def _problems(status: Status, at: datetime) -> list[str]:
    problems = []
    if status.switched_off:
        names = " and ".join(f"the {each.name}" for each in status.switched_off)
        problems.append(f"stopped: {names}; `resume` when it is to go on")
    if status.dead_letters:
        problems.append(f"dead letters: {status.dead_letters}; `redrive --dry-run` shows them")
    if status.dead_notices:
        problems.append(f"notices not told: {status.dead_notices}; `notices list` shows them")
    oldest = status.jobs.oldest_active
    if oldest and at > oldest.deadline:
        problems.append(
            f"job {oldest.id[:_SHOWN_OF_ID]} is active past its deadline: does the sweeper run?"
            f" `show {oldest.id[:_SHOWN_OF_ID]}` has its story"
        )
    health = status.endpoint
    if health.problem:
        problems.append(f"endpoint: {health.problem}")
    elif health.waiting and not health.workers_up:
        problems.append(
            f"requests wait at RunPod ({health.waiting}) and no worker runs or starts: `endpoint drift`"
        )
    return problems


def as_fields(status: Status) -> dict[str, Any]:
    jobs, health = status.jobs, status.endpoint
    oldest = jobs.oldest_active
    return {
        "healthy": not status.problems,
        "problems": list(status.problems),
        "within_seconds": status.within.total_seconds(),
        "jobs": dict(jobs.counts),
        "counted_up_to": _MOST_COUNTED,
        "oldest_active": oldest
        and {
            "job_id": oldest.id,
            "key": oldest.key,
            "created_at": oldest.created_at.isoformat(),
            "deadline": oldest.deadline.isoformat(),
        },
        "failed_by_reason": dict(jobs.reasons),
        "summaries_in_doubt": jobs.doubtful,
        "seconds_to_summary": dict(jobs.seconds_to_summary),
        "lost_callbacks": status.lost_callbacks,
        "dead_letters": status.dead_letters,
        "dead_notices": status.dead_notices,
        "waiting_messages": status.waiting_messages,
        "switched_off": status.switched_off
        if status.switched_off is None
        else [each.name for each in status.switched_off],
        "endpoint": {
            "problem": health.problem or None,
            "jobs": dict(health.jobs),
            "workers": dict(health.workers),
        },
        "read_units": jobs.read_units,
    }


def _show(console: Console, status: Status) -> None:
    jobs, health = status.jobs, status.endpoint
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    rows = (
        (f"jobs, {short(status.within)}", ", ".join(_counts(jobs))),
        ("oldest active", _oldest(jobs.oldest_active)),
        ("to a summary", _times(jobs)),
        ("why failed", _reasons(jobs)),
        ("lost callbacks", str(_UNKNOWN if status.lost_callbacks is None else status.lost_callbacks)),
        ("dead letters", str(status.dead_letters)),
        ("notices not told", str(status.dead_notices)),
        ("waiting", f"messages: {status.waiting_messages}"),
        ("stopped", _stopped(status.switched_off)),
        ("workers", health.problem or _named(health.workers)),
        ("requests", _named(health.jobs)),
        ("cost of this", f"{jobs.read_units:g} read units"),
    )  # fmt: skip
    for name, value in rows:
        if value:
            table.add_row(name, escape(value))
    console.print(table, highlight=False)
    for problem in status.problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False)
    if not status.problems:
        console.print("[green]✓[/] nothing wants you", highlight=False)


def _stopped(switches: Sequence[Switch] | None) -> str:
    if switches is None:
        return "not known: the queue's and the sweep's switches may not be read"
    return ", ".join(
        f"the {each.name}{f', {short(now() - each.changed_at)} ago' if each.changed_at else ''}"
        for each in switches
    )


def _counts(jobs: Jobs) -> list[str]:
    return [
        f"{count:,}{'+' if count == _MOST_COUNTED else ''} {state}"
        for state, count in jobs.counts.items()
    ]


def _oldest(job: ListedJob | None) -> str:
    return f"{short(now() - job.created_at)}, {job.id[:_SHOWN_OF_ID]} {job.key}" if job else "none"


def _times(jobs: Jobs) -> str:
    told = [
        f"{name} {short(timedelta(seconds=seconds))}"
        for name, seconds in jobs.seconds_to_summary.items()
    ]
    doubts = [f"with a check in doubt: {jobs.doubtful}"] if jobs.doubtful else []
    return ", ".join([*told, *doubts])


def _reasons(jobs: Jobs) -> str:
    return f"{_named(jobs.reasons)}; `list --state failed` shows them" if jobs.reasons else ""


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"

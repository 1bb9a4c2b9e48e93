"""`retry`: starts failed jobs anew, by making a new version of their files.

A job is one version of a file, and nothing leaves its end. So its file is copied onto itself: S3 announces
the new version like any upload, and it gets a job of its own, with the options that it was uploaded with.
docs/decisions.md says why.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice

import click
from botocore.exceptions import ClientError

from cli.deployment import History
from cli.operating.asking import Leave, asks_leave
from cli.operating.awaiting import await_ends
from cli.operating.copying import (
    CopiedAlready,
    FileGone,
    FileReplaced,
    check_newest,
    copied_onto_itself,
)
from cli.operating.deployed import lifecycle_of, settings_of
from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import found_history, newest_jobs
from cli.operating.listing import selected
from cli.operating.outcomes import Outcome, show_outcomes, standing, tell_outcomes
from cli.operating.spans import SpanType, now
from core.errors import Conflict, UnknownCall
from core.failures import FAILURES
from core.jobs.job import Job, JobState, Source, job_id_for
from core.jobs.lifecycle import Lifecycle

_MOST_TRIES = 5
_MOST_LOOKED_AT = 20_000  # jobs, newest first


@click.command("retry")
@click.argument("names", nargs=-1, metavar="[JOB|KEY]...")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    help="All jobs that failed with this code; can be repeated.",
)
@click.option(
    "--succeeded",
    is_flag=True,
    help="All jobs that succeeded, as after a bad prompt: new summaries replace the old.",
)
@click.option(
    "--since",
    type=SpanType(),
    default="1d",
    show_default=True,
    help="With --reason or --succeeded: only jobs recorded within it.",
)
@click.option(
    "--key", "prefix", default="", help="With --reason or --succeeded: only keys that begin so."
)
@click.option(
    "--limit",
    default=100,
    show_default=True,
    help="With --reason or --succeeded: so many jobs at most.",
)
@click.option(
    "--again", is_flag=True, help="Also a job that succeeded: a new summary replaces the old."
)
@click.option("--wait", is_flag=True, help="Stay until the new jobs have ended.")
@at_a_desk
@asks_leave
def retry_command(
    desk: Desk,
    names: tuple[str, ...],
    reasons: tuple[str, ...],
    since: timedelta,
    prefix: str,
    limit: int,
    leave: Leave,
    *,
    succeeded: bool,
    again: bool,
    wait: bool,
) -> None:
    """Start failed jobs anew: by name, or all that failed for a reason. Or have summaries written again.

    The file is copied onto itself, which makes a new version of it and a new job.
    """
    if (bool(names), bool(reasons), succeeded).count(True) != 1:
        raise click.UsageError(
            "name jobs, or say --reason CODE for all that failed with it, or --succeeded for all summaries"
        )
    for each in reasons:
        if each not in FAILURES:
            raise click.UsageError(f"{each} is no reason; they are {', '.join(FAILURES)}")
    if names:
        histories = [found_history(desk, name) for name in names]
    else:
        states = (JobState.SUCCEEDED if succeeded else JobState.FAILED,)
        wanted = selected(desk, states=states, since=since, prefix=prefix)
        chosen = (job for job in wanted if succeeded or job.reason_code in reasons)
        found = islice(chosen, limit + 1)
        histories = list(_with_history(desk, (job.id for job in found)))
    has_more = not names and len(histories) > limit
    histories = histories[:limit] if has_more else histories
    unique = {each.job.id: each for each in histories}.values()
    planned = [plan_retry(desk, history, again=again or succeeded) for history in unique]
    if is_shown := leave.will_ask and not desk.as_json:
        show_outcomes(desk.console, planned)
    count = sum(not each.conflict for each in planned)
    if count and leave.given(f"Start {count} {'job' if count == 1 else 'jobs'} anew?"):
        lifecycle = lifecycle_of(desk, settings_of(desk))
        planned = [
            each if each.conflict else retried(desk, lifecycle, each.job) for each in planned
        ]
        planned = _awaited(desk, planned) if wait else planned
        tell_outcomes(desk, planned, is_dry_run=False, has_more=has_more)
    elif not is_shown:
        tell_outcomes(desk, planned, is_dry_run=leave.is_dry_run, has_more=has_more)
    if any(each.detail.get("new_state") == JobState.FAILED.value for each in planned):
        sys.exit(1)
    # Of many chosen by their reason some are always superseded; of those named each was meant.
    if names and any(each.conflict for each in planned):
        sys.exit(1)


def _with_history(desk: Desk, job_ids: Iterator[str]) -> Iterator[History]:
    for job_id in job_ids:
        history = desk.deployment.history_of(job_id)
        if history:
            yield history


def plan_retry(desk: Desk, history: History, *, again: bool) -> Outcome:
    """Say what starting a job anew would do, or why it is not to be; changes nothing."""
    job = history.job
    conflict = _conflict(desk, history, again=again)
    if conflict:
        return Outcome(job=job, conflict=conflict)
    notes = [standing(history, now())]
    if job.reason_code:
        notes.append(job.reason)
    if job.state is JobState.SUCCEEDED:
        notes.append("its summary stays until a new one is published over it")
    return Outcome(job=job, did="would start anew", notes=tuple(notes))


def _conflict(desk: Desk, history: History, *, again: bool) -> str:
    """Return why a job is not to be started anew; "" if it may be."""
    job = history.job
    if job.state is JobState.ACTIVE:
        return f"{standing(history, now())}; wait for it, or `cancel` it first"
    if job.state is JobState.SUCCEEDED and not again:
        return f"{standing(history, now())}; say --again for a new summary in place of the old"
    try:
        check_newest(desk.deployment.client("s3"), job)
    except (FileGone, CopiedAlready) as exc:
        return str(exc)
    except FileReplaced as exc:
        return f"{exc}{_of_newer(desk, exc.newest)}"
    except ClientError as exc:
        return _refused(exc)
    newer = None if job.source.version_id else _newer_job(desk, job)
    return f"a newer job of its file is on record: {newer}" if newer else ""


def _newer_job(desk: Desk, job: Job) -> str:
    """Return the id of a later job of the same file; without versions nothing else tells of one."""
    for each in islice(newest_jobs(desk, since=job.created_at), _MOST_LOOKED_AT):
        if each.key == job.source.key and each.id != job.id:
            return each.id
    return ""


def _of_newer(desk: Desk, newest: Source | None) -> str:
    """Say what became of a newer version of a file, where its job is on record."""
    if newest is None or not newest.version_id:
        return "; `list --key` shows its job"
    with suppress(UnknownCall):
        history = History(*desk.deployment.store.history(job_id_for(newest)))
        return f", job {history.job.id[:8]}: {standing(history, now())}"
    return ", which has no job yet"


def retried(desk: Desk, lifecycle: Lifecycle, job: Job) -> Outcome:
    """Start a job anew: copy its file onto itself, and note it on the job."""
    try:
        version = copied_onto_itself(desk.deployment.client("s3"), job)
    except (FileGone, FileReplaced, CopiedAlready) as exc:
        return Outcome(job=job, conflict=str(exc))
    except ClientError as exc:
        return Outcome(job=job, conflict=_refused(exc))
    new_id = job_id_for(version) if version.version_id else ""
    for _ in range(_MOST_TRIES):
        with suppress(Conflict, UnknownCall):
            detail = {"new_job": new_id} if new_id else {}
            job = lifecycle.note(
                lifecycle.store.load_job(job.id), "started anew", detail, now=now()
            )
            break
    how = f"as job {new_id[:8]}" if new_id else "`list --key` shows its new job in a moment"
    return Outcome(
        job=job,
        did=f"started anew, {how}",
        detail={"new_job_id": new_id or None, "new_version_id": version.version_id or None},
    )


def _awaited(desk: Desk, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Add what has become of the new jobs. Without versions their ids are not known beforehand."""
    ids = {
        each.job.source.key: str(each.detail["new_job_id"])
        for each in outcomes
        if each.detail.get("new_job_id")
    }
    histories = await_ends(
        {key: partial(desk.deployment.history_of, job_id) for key, job_id in ids.items()}
    )
    return [
        replace(
            each,
            notes=(*each.notes, standing(history, now()), *filter(None, [history.job.reason])),
            detail={**each.detail, "new_state": history.job.state.value},
        )
        if each.detail.get("new_job_id") and (history := histories[each.job.source.key])
        else each
        for each in outcomes
    ]


def _refused(exc: ClientError) -> str:
    code = exc.response["Error"]["Code"]
    return f"its file can't be read or copied: S3 says {code}; upload it again"

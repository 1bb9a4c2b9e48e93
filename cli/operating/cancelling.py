"""`cancel`: ends jobs that nobody wants any more, and their requests at RunPod.

The record first, for RunPod calls back about what is cancelled. What can't be cancelled at RunPod from here
is left to the sweeper: the job is due at once.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import click

from cli.deployment import History
from cli.operating.asking import Leave, asks_leave
from cli.operating.deployed import lifecycle_of, runpod_of, settings_of
from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import found_history
from cli.operating.listing import selected
from cli.operating.outcomes import Outcome, show_outcomes, standing, tell_outcomes
from cli.operating.spans import now
from core.errors import Conflict, RunPodError
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from core.jobs.lifecycle import Lifecycle
from core.jobs.ports import RunPod
from core.summaries.options import Mode

_MOST_TRIES = 5


@click.command("cancel")
@click.argument("names", nargs=-1, metavar="[JOB|KEY]...")
@click.option("--all", "is_all", is_flag=True, help="All active jobs.")
@click.option("--key", "prefix", default="", help="With --all: only files whose key begins so.")
@click.option("--limit", default=200, show_default=True, help="With --all: so many at most.")
@at_a_desk
@asks_leave
def cancel_command(
    desk: Desk, names: tuple[str, ...], prefix: str, limit: int, leave: Leave, *, is_all: bool
) -> None:
    """End active jobs, and their requests at RunPod.

    A cancelled job has failed with `cancelled-by-operator`; `retry` starts it anew. Before you cancel all,
    `stop`: uploads that wait would become jobs meanwhile.
    """
    if bool(names) == is_all:
        raise click.UsageError("name jobs, or say --all for all that are active")
    chosen = (
        _active(desk, prefix, limit + 1)
        if is_all
        else [found_history(desk, name) for name in names]
    )
    has_more = is_all and len(chosen) > limit
    histories = {each.job.id: each for each in (chosen[:limit] if has_more else chosen)}
    planned = [plan_cancel(history) for history in histories.values()]
    open_to = [each for each in planned if not each.conflict]
    if is_shown := leave.will_ask and not desk.as_json:
        show_outcomes(desk.console, planned)
    if open_to and leave.given(f"Cancel {_jobs(len(open_to))}?"):
        cancelling = cancelling_of(desk)
        done = [each if each.conflict else cancelling.cancel(each.job.id) for each in planned]
        tell_outcomes(desk, done, is_dry_run=False, has_more=has_more)
        planned = done
    elif not is_shown:
        tell_outcomes(desk, planned, is_dry_run=leave.is_dry_run, has_more=has_more)
    # Of all some end by themselves meanwhile; of those named each was meant.
    if names and any(each.conflict for each in planned):
        sys.exit(1)


def _active(desk: Desk, prefix: str, most: int) -> list[History]:
    jobs = islice(selected(desk, states=(JobState.ACTIVE,), prefix=prefix), most)
    found = (desk.deployment.history_of(job.id) for job in jobs)
    return [history for history in found if history]


def why_not(history: History, at: datetime) -> str:
    """Return why a job can't be cancelled; "" if it can."""
    job = history.job
    if job.is_final:
        return f"nothing to cancel: {standing(history, at)}"
    is_pull = job.options.mode is Mode.PULL
    is_delivered = is_pull and any(call.state is CallState.PUBLISHING for call in history.calls)
    if job.is_publishing or is_delivered:
        return f"too late: its summary is being published; {standing(history, at)}"
    return ""


def plan_cancel(history: History) -> Outcome:
    """Say what cancelling a job would do, or why it can't be; changes nothing."""
    at = now()
    conflict = why_not(history, at)
    if conflict:
        return Outcome(job=history.job, conflict=conflict)
    requests = _requests(history.calls)
    notes = (standing(history, at), f"requests at RunPod: {len(requests)}")
    return Outcome(job=history.job, did="would be cancelled", notes=notes)


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    lifecycle: Lifecycle
    runpod: RunPod
    clock: Callable[[], datetime]

    def cancel(self, job_id: str) -> Outcome:
        """End a job as it is by now: it may have moved since it was looked at. Raises UnknownCall."""
        for _ in range(_MOST_TRIES):
            history = History(*self.lifecycle.store.history(job_id))
            conflict = why_not(history, self.clock())
            if conflict:
                return Outcome(job=history.job, conflict=conflict)
            with suppress(Conflict):
                job = self.lifecycle.cancel(history.job, now=self.clock())
                return self._with_requests_ended(job)
        return Outcome(job=history.job, conflict="others are writing to it; try again in a moment")

    def _with_requests_ended(self, job: Job) -> Outcome:
        ended, left = [], []
        trouble = ""
        for call in self.lifecycle.store.history(job.id)[1]:
            if call.is_final:
                continue
            is_at_runpod = call.state is CallState.SUBMITTED
            if not is_at_runpod and call.state is not CallState.WAITING:
                left.append(call.id)  # somebody is at it at this instant; it is due itself
                continue
            try:
                if is_at_runpod:
                    self.runpod.cancel(call.attempt.runpod_id)
                    ended.append(call.attempt.runpod_id)
                self.lifecycle.close(job, call, now=self.clock())
            except RunPodError as exc:
                trouble = str(exc)
                left.append(call.id)
            except Conflict:
                left.append(call.id)
        notes = [f"requests cancelled at RunPod: {len(ended)}"]
        if left:
            why = f" ({trouble})" if trouble else ""
            notes.append(
                f"calls left to the sweeper, which ends them within minutes: {len(left)}{why}"
            )
        detail = {"cancelled_requests": ended, "left_calls": left}
        return Outcome(job=job, did="cancelled", notes=tuple(notes), detail=detail)


def cancelling_of(desk: Desk) -> Cancelling:
    settings = settings_of(desk)
    return Cancelling(
        lifecycle=lifecycle_of(desk, settings), runpod=runpod_of(desk, settings), clock=now
    )


def _requests(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.state is CallState.SUBMITTED]


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"

"""What came, or would come, of a command for each job it was given; and why not, where nothing did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli.deployment import History
from cli.operating.desk import Desk
from cli.operating.spans import short
from core.jobs.job import Job, JobState

_SHOWN_OF_ID = 8


@dataclass(frozen=True, kw_only=True)
class Outcome:
    job: Job
    conflict: str = ""  # why nothing is done about it
    did: str = ""  # in words: "would be cancelled", "cancelled"
    notes: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)  # for a program

    def told(self) -> dict[str, Any]:
        return {
            "job_id": self.job.id,
            "key": self.job.source.key,
            "state": self.job.state.value,
            "reason_code": self.job.reason_code or None,
            "did": self.did or None,
            "conflict": self.conflict or None,
            "notes": list(self.notes),
            **self.detail,
        }


def show_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        console.print("No such jobs.")
    for each in outcomes:
        what = f"[red]{escape(each.conflict)}[/]" if each.conflict else escape(each.did)
        console.print(f"[bold]{each.job.id[:_SHOWN_OF_ID]}[/]  {escape(each.job.source.key)}")
        for line in (what, *map(escape, each.notes)):
            console.print(f"  {line}", highlight=False)


def tell_outcomes(
    desk: Desk, outcomes: Sequence[Outcome], *, is_dry_run: bool, has_more: bool = False
) -> None:
    def show(console: Console) -> None:
        show_outcomes(console, outcomes)
        if has_more:
            console.print("[dim]there are more: --limit[/]")

    jobs = [each.told() for each in outcomes]
    desk.tell({"is_dry_run": is_dry_run, "jobs": jobs, "has_more": has_more}, show)


def standing(history: History, at: datetime) -> str:
    """Say what state a job is in, since when, and who moved it there."""
    job = history.job
    if job.state is JobState.ACTIVE:
        last = history.events[-1] if history.events else None
        moved = (
            f"; last moved by the {last.by.replace('_', ' ')} {_ago(last.at, at)}" if last else ""
        )
        done = f", {job.calls_done} of {job.stage_calls} calls done" if job.stage_calls else ""
        lasts = f"it has been active for {short(at - job.created_at)} (since {_at(job.created_at)})"
        return f"{lasts}, in round {job.stage}{done}{moved}"
    moves = [event for event in history.events if event.to_state == job.state.value]
    ended = job.finished_at or job.created_at
    by = f", by the {moves[-1].by.replace('_', ' ')}" if moves else ""
    code = f" ({job.reason_code})" if job.reason_code else ""
    return f"it {job.state.value}{code} {_ago(ended, at)}{by}"


def _ago(then: datetime, at: datetime) -> str:
    return f"{short(at - then)} ago ({_at(then)})"


def _at(then: datetime) -> str:
    return f"{then:%Y-%m-%d %H:%M:%S} UTC"

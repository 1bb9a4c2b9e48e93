"""`stop` and `resume`: nothing new begins until it is to go on, and no upload is lost meanwhile.

Both say what waits where, and for how long. Neither touches what RunPod has: `cancel` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from cli.operating.asking import Leave, asks_leave
from cli.operating.desk import Desk, at_a_desk
from cli.operating.spans import now, short
from cli.operating.switches import Switch, SwitchBusy, SwitchGone, queue_switch, sweep_switch
from core.jobs.job import JobState

_MOST_COUNTED = 10_000

_MEANINGS = {
    ("queue", True): "uploads become jobs, and jobs get their next requests",
    (
        "queue",
        False,
    ): "uploads wait in the queue, up to 4 days; jobs that need another request wait, up to"
    " their deadline; what RunPod has, it finishes and bills",
    ("sweep", True): "lost callbacks are found, and jobs past their deadline end",
    (
        "sweep",
        False,
    ): "lost callbacks are not found, and after 30 minutes RunPod forgets their results;"
    " deadlines run on, and count when it resumes",
}


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a stop holds up."""

    messages: int
    active_jobs: int

    @property
    def text(self) -> str:
        jobs = f"{self.active_jobs:,}{'+' if self.active_jobs == _MOST_COUNTED else ''}"
        return f"messages in the queue: {self.messages:,}; active jobs: {jobs}"


@click.command("stop")
@click.option(
    "--keep-sweeping",
    is_flag=True,
    help="Leave the sweep on: lost callbacks are still found, and deadlines still end jobs.",
)
@at_a_desk
@asks_leave
def stop_command(desk: Desk, leave: Leave, *, keep_sweeping: bool) -> None:
    """Let nothing new begin: no upload becomes a job, no request goes to RunPod, until `resume`.

    Nothing is lost within 4 days. Requests that RunPod has go on; `cancel --all` ends those too. A
    deployment may switch it on again.
    """
    switches = [queue_switch, *(() if keep_sweeping else (sweep_switch,))]
    _turn(desk, leave, [_found(desk, each) for each in switches], is_on=False)


@click.command("resume")
@at_a_desk
@asks_leave
def resume_command(desk: Desk, leave: Leave) -> None:
    """Go on after a `stop`, with what has waited meanwhile.

    The sweep first, so that what RunPod has done is known before anything is sent again.
    """
    _turn(desk, leave, [_found(desk, each) for each in (sweep_switch, queue_switch)], is_on=True)


def _found(desk: Desk, switch_of: Any) -> Switch:
    try:
        switch: Switch = switch_of(desk.deployment)
    except SwitchGone as exc:
        raise click.ClickException(str(exc)) from None
    return switch


def _turn(desk: Desk, leave: Leave, switches: Sequence[Switch], *, is_on: bool) -> None:
    turning = [each for each in switches if each.is_on is not is_on]
    waiting = _waiting(desk)
    verb = "Resume" if is_on else "Stop"
    is_done = bool(turning) and leave.given(
        f"{verb} {' and '.join(f'the {each.name}' for each in turning)} ({waiting.text})?"
    )
    if is_done:
        for each in turning:
            _turn_one(each, is_on=is_on)
        switches = [replace(each, is_on=is_on) for each in switches]
    told = {
        "is_dry_run": leave.is_dry_run,
        "turned": [each.name for each in turning] if is_done else [],
        "switches": {each.name: "on" if each.is_on else "off" for each in switches},
        "waiting_messages": waiting.messages,
        "active_jobs": waiting.active_jobs,
    }
    desk.tell(told, lambda console: _show(console, switches, turning, waiting, is_done=is_done))


def _turn_one(switch: Switch, *, is_on: bool) -> None:
    try:
        switch.turn(is_on)
    except SwitchBusy as exc:
        raise click.ClickException(f"{exc}; run it again in a minute") from None


def _waiting(desk: Desk) -> Waiting:
    name = "ApproximateNumberOfMessages"
    answer = desk.deployment.client("sqs").get_queue_attributes(
        QueueUrl=desk.deployment.outputs["UploadQueueUrl"], AttributeNames=[name]
    )
    active = desk.index.count(JobState.ACTIVE, at_most=_MOST_COUNTED)
    return Waiting(messages=int(answer["Attributes"][name]), active_jobs=active)


def _show(
    console: Console,
    switches: Sequence[Switch],
    turning: Sequence[Switch],
    waiting: Waiting,
    *,
    is_done: bool,
) -> None:
    names = {each.name for each in turning}
    for each in switches:
        state = "[green]on[/]" if each.is_on else "[yellow]off[/]"
        since = ""
        if each.name not in names and each.changed_at and not each.is_on:
            since = f", since {short(now() - each.changed_at)}"
        meaning = escape(_MEANINGS[each.name, each.is_on])
        console.print(f"{each.name}  {state}{since}: {meaning}", highlight=False)
    console.print(f"[dim]{waiting.text}[/]", highlight=False)
    if turning and not is_done:
        verb = "off" if turning[0].is_on else "on"
        console.print(f"{' and '.join(sorted(names))} would be switched {verb}.", highlight=False)
    elif not turning:
        console.print("Nothing to do: it is so already.")

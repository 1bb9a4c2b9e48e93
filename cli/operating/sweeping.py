"""`sweep`: has the sweeper look at all that is due now, and says what it found.

The schedule does the same every few minutes, so nobody is asked.
"""

import click
from rich.console import Console
from rich.markup import escape

from cli.operating.desk import Desk, at_a_desk
from cli.operating.spans import now

_MOST_DUE_SHOWN = 1_000

_MEANINGS = {
    "lost callback": "RunPod had ended the request, and no callback had come",
    "taken over": "whoever was publishing the result had died",
    "still running": "RunPod is at it, or it waits there",
    "resent": "another attempt was asked for",
    "given up": "past its deadline, or asked about too often: the job has failed",
    "settled already": "somebody else had settled it, or there was only to tidy up",
    "left for the next sweep": "RunPod could not be asked, or others were writing",
}


@click.command("sweep")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Say what is due, and stop.")
@at_a_desk
def sweep_command(desk: Desk, *, is_dry_run: bool) -> None:
    """Settle now what nobody called back about, as the schedule does every few minutes."""
    if is_dry_run:
        _tell_due(desk)
        return
    try:
        found = desk.deployment.invoke_sweeper()
    except RuntimeError as exc:
        raise click.ClickException(
            f"{exc}: it settled what it could; the lines of its log group say about which calls"
        ) from None
    desk.tell({"found": found}, lambda console: _show(console, found))


def _tell_due(desk: Desk) -> None:
    due = []
    for job_id, call_id in desk.deployment.store.due(now()):
        due.append({"job_id": job_id, "call_id": call_id or None})
        if len(due) == _MOST_DUE_SHOWN:
            break

    def show(console: Console) -> None:
        if not due:
            console.print("Nothing is due.")
        for each in due:
            console.print(f"{each['job_id']}  {each['call_id'] or 'the job itself'}", markup=False)

    desk.tell({"is_dry_run": True, "due": due}, show)


def _show(console: Console, found: dict[str, int]) -> None:
    if not found:
        console.print("Nothing was due.")
    for kind, count in found.items():
        console.print(f"{count:>5}  {escape(kind)}  [dim]{escape(_MEANINGS.get(kind, ''))}[/]")

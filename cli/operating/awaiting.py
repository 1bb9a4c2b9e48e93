"""Waiting for jobs that a command has begun, until each has ended."""

import time
from collections.abc import Collection

import click
from rich.console import Console

from cli.deployment import History
from cli.operating.desk import Desk
from cli.operating.spans import now, short

_pause = time.sleep
_SECONDS_BETWEEN_LOOKS = 1.0
_LONGEST_UNTIL_RECORDED_SECONDS = 300.0


def await_ends(desk: Desk, job_ids: Collection[str]) -> dict[str, History]:
    """Look at jobs until all have ended. Raises ClickException if one is not even recorded."""
    begun_at = now()
    ended: dict[str, History] = {}
    recorded: set[str] = set()
    with Console(stderr=True).status("waiting", spinner="dots") as status:
        while waiting := [each for each in job_ids if each not in ended]:
            for job_id in waiting:
                history = desk.deployment.history_of(job_id)
                if history:
                    recorded.add(job_id)
                if history and history.job.is_final:
                    ended[job_id] = history
            lasted = now() - begun_at
            status.update(f"{short(lasted)}  {len(ended)} of {len(job_ids)} have ended")
            missing = [each for each in waiting if each not in recorded]
            if missing and lasted.total_seconds() > _LONGEST_UNTIL_RECORDED_SECONDS:
                raise click.ClickException(
                    f"job {missing[0][:8]} was not recorded: does the submitter run, and is the queue not"
                    " stopped? `status` and `doctor` say"
                )
            if len(ended) < len(job_ids):
                _pause(_SECONDS_BETWEEN_LOOKS)
    return ended

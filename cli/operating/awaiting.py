"""Waiting for jobs that a command has begun, until each has ended."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import click
from rich.console import Console
from rich.markup import escape

from cli.deployment import History
from cli.operating.spans import now, short

Look = Callable[[], History | None]  # at a job; None as long as it is not recorded

_pause = time.sleep
_SECONDS_BETWEEN_LOOKS = 1.5
_LONGEST_UNTIL_RECORDED = timedelta(minutes=5)
_MOST_SHOWN = 3


def await_ends(
    looks: Mapping[str, Look], *, until: datetime | None = None
) -> dict[str, History | None]:
    """Look at jobs, each by the key of its file, until all have ended or the time is up.

    Raises ClickException if one is not even recorded after five minutes.
    """
    begun_at = now()
    seen: dict[str, History | None] = dict.fromkeys(looks)
    with Console(stderr=True).status("waiting", spinner="dots") as status:
        while True:
            seen |= {key: looks[key]() for key in _waiting(seen)}
            waiting = _waiting(seen)
            if not waiting or (until and now() >= until):
                return seen
            lasted = now() - begun_at
            status.update(f"{short(lasted)}  {_in_words(waiting)}")
            missing = [key for key, history in waiting.items() if history is None]
            if missing and lasted > _LONGEST_UNTIL_RECORDED:
                raise click.ClickException(
                    f"{missing[0]} is uploaded, and no job was recorded for it: is the stack stopped, does"
                    " the submitter run, and does the bucket tell it of uploads? See `status`,"
                    " `redrive --dry-run` and `doctor`"
                )
            _pause(_SECONDS_BETWEEN_LOOKS)


def _waiting(seen: Mapping[str, History | None]) -> dict[str, History | None]:
    return {key: each for key, each in seen.items() if each is None or not each.job.is_final}


def _in_words(waiting: Mapping[str, History | None]) -> str:
    told = [f"{escape(key)}: {_how(each)}" for key, each in [*waiting.items()][:_MOST_SHOWN]]
    more = f" and {len(waiting) - len(told)} more" if len(waiting) > len(told) else ""
    return f"{'; '.join(told)}{more}"


def _how(history: History | None) -> str:
    if history is None:
        return "not recorded yet"
    job = history.job
    if job.is_publishing:
        return "publishing"
    return f"round {job.stage}, {job.calls_done} of {job.stage_calls} calls done"

"""`logs JOB`: one job's lines from all functions, in order. `logs --errors`: what went wrong in any."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import found_history
from cli.operating.function_logs import FUNCTIONS, Line, Truncated, lines, troubles
from cli.operating.spans import SpanType, now
from core.jobs.job import Job

_MARGIN = timedelta(minutes=2)  # between clocks
_AFTERWARDS = timedelta(days=1)  # results come late
_NO_LINES = "No lines: the job is older than the logs are kept, or only DEBUG would tell."
_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
# Told already, or of no use to a person.
_NOT_SHOWN = frozenset(
    {"level", "location", "message", "timestamp", "service", "job_id", "key", "exception", "stack_trace"}
    | {"cold_start", "function_name", "function_memory_size", "function_arn", "function_request_id"}
    | {"xray_trace_id", "exception_name", "api_request_id"}
)  # fmt: skip


@click.command("logs")
@click.argument("job", metavar="[JOB|KEY]", required=False)
@click.option(
    "--errors", is_flag=True, help="Only warnings and errors; without a job, of all jobs."
)
@click.option(
    "--since",
    type=SpanType(),
    default="1h",
    show_default=True,
    help="With --errors and no job: only lines written within it.",
)
@at_a_desk
def logs_command(desk: Desk, job: str | None, since: timedelta, *, errors: bool) -> None:
    """Print one job's log lines from all functions, in order; or all that went wrong.

    Lines are kept for as long as the log groups keep them. With --json, fields are as they were logged.
    """
    if not job and not errors:
        raise click.UsageError("name a job, or say --errors for what went wrong in all of them")
    found = found_history(desk, job).job if job else None
    has_more = []
    told: list[Line] = []
    for function in FUNCTIONS:
        try:
            told += (
                _of_job(desk, function, found)
                if found
                else troubles(desk, function, since=now() - since)
            )
        except Truncated:
            has_more.append(function)
    told = sorted(
        (each for each in told if each.is_trouble or not errors), key=lambda line: line.at
    )
    fields = {
        "job_id": found.id if found else None,
        "lines": [_as_fields(line) for line in told],
        "not_read_to_the_end": has_more,
    }
    show = _show_errors if errors else _show
    desk.tell(fields, lambda console: show(console, told, has_more))


def _of_job(desk: Desk, function: str, job: Job) -> Iterator[Line]:
    until = (job.finished_at or now()) + _AFTERWARDS
    return lines(desk, function, holding=job.id, since=job.created_at - _MARGIN, until=until)


def _as_fields(line: Line) -> dict[str, Any]:
    told = dict(line.fields) or {"message": line.message}
    return {"at": line.at.isoformat(), "function": line.function, "line": told}


def _show(console: Console, told: list[Line], has_more: list[str]) -> None:
    if not told:
        console.print(_NO_LINES)
    for line in told:
        exception = f" {line.fields['exception']}" if line.fields.get("exception") else ""
        text = f"{_at(line)} {_for_a_person(line)}{escape(exception)}"
        console.print(text, highlight=False, soft_wrap=True)
    _show_more(console, has_more)


def _show_errors(console: Console, told: list[Line], has_more: list[str]) -> None:
    """Show what went wrong, each thing once: the latest time, and how often it was."""
    if not told:
        console.print("No warnings and no errors.")
    alike: dict[tuple[str, str], list[Line]] = {}
    for line in told:
        words = (str(line.fields.get("message", line.message)), _last_line(line))
        alike.setdefault((line.function, " ".join(words)), []).append(line)
    for lines_alike in sorted(alike.values(), key=lambda each: each[-1].at):
        latest = lines_alike[-1]
        often = f" [bold]({len(lines_alike)} times)[/]" if len(lines_alike) > 1 else ""
        text = f"{_at(latest)} {_for_a_person(latest)}{often}"
        console.print(text, highlight=False, soft_wrap=True)
        if _last_line(latest):
            console.print(f"  {_last_line(latest)}", markup=False, highlight=False, soft_wrap=True)
        job = " ".join(
            str(latest.fields[name]) for name in ("job_id", "key") if latest.fields.get(name)
        )
        if job:
            console.print(f"  {job}", markup=False, highlight=False, style="dim", soft_wrap=True)
    _show_more(console, has_more)


def _show_more(console: Console, has_more: list[str]) -> None:
    for function in has_more:
        console.print(f"[yellow]the {function}'s log is too long to be read to its end[/]")


def _last_line(line: Line) -> str:
    """Return the end of a traceback: what it was."""
    return str(line.fields.get("exception") or "").strip().rpartition("\n")[2]


def _at(line: Line) -> str:
    return f"[dim]{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03}[/] {line.function:<9}"


def _for_a_person(line: Line) -> str:
    fields = line.fields
    if not fields:
        return escape(line.message)
    colour = _COLOURS.get(str(fields.get("level")))
    message = escape(str(fields.get("message", "")))
    message = f"[{colour}]{message}[/]" if colour else message
    more = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _NOT_SHOWN)
    return f"{message} [dim]{escape(more)}[/]"

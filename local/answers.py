"""The answers of a job's model requests, read from RunPod's /status while it keeps results."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from cli.deployment import History
from core.errors import BadBody
from core.jobs.call import Call
from core.runpod.reports import RunPodReport, parse_report
from local.stack.loopback import http_session
from local.stack.simulator import RunPodEndpoint

_STATUS_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    call: Call
    report: RunPodReport
    tokens_per_second: float  # of writing alone; 0 where the model's server does not say


def given(history: History, runpod: RunPodEndpoint) -> list[Answer]:
    """Ask RunPod about every request of a job, and leave out expired results."""
    with http_session() as session:
        session.headers["Authorization"] = f"Bearer {runpod.api_key}"
        return list(_answers(session, history, runpod.url))


def _answers(session: requests.Session, history: History, url: str) -> Iterator[Answer]:
    calls = sorted(history.calls, key=lambda call: (call.stage, call.id))
    for call in calls:
        for attempt in call.attempts:
            if not attempt.runpod_id:
                continue
            answer = session.get(f"{url}/status/{attempt.runpod_id}", timeout=_STATUS_SECONDS)
            try:
                body = answer.json()
                report = parse_report(body)
            except (ValueError, BadBody):
                continue
            yield Answer(call=call, report=report, tokens_per_second=_speed(body))


def _speed(body: dict[str, Any]) -> float:
    """Return the figure that llama.cpp's server adds to its answers."""
    try:
        return float(body["output"][0]["timings"]["predicted_per_second"])
    except (KeyError, IndexError, TypeError, ValueError):
        return 0.0


def models(answers: list[Answer]) -> list[str]:
    """Return the names of the models that answered, each once."""
    named = (
        one.report.manifest.model if one.report.manifest else one.report.model for one in answers
    )
    return sorted({name for name in named if name})


def show(console: Console, answers: list[Answer]) -> None:
    """Print a line for each request, under the names of the models that answered."""
    names = models(answers)
    console.print()
    console.print(f"[bold]Answered by[/] {', '.join(names) or 'nobody'}", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("request", header_style="dim")
    table.add_column("asked for", header_style="dim")
    for column in ("tokens read", "written", "a second", "at work"):
        table.add_column(column, header_style="dim", justify="right")
    table.add_column("finish reason", header_style="dim")
    for one in answers:
        table.add_row(*_row(one))
    console.print(table)


def _row(one: Answer) -> tuple[str, ...]:
    call, report = one.call, one.report
    failure = report.failure.code if report.failure else ""
    return (
        report.runpod_id[:8],
        f"{call.ask}, about {call.words:,} words" if call.words else call.ask or "all of them",
        f"{report.prompt_tokens:,}",
        f"{report.completion_tokens:,}",
        f"{one.tokens_per_second:.0f}" if one.tokens_per_second else "",
        f"{report.ran.total_seconds():.1f} s",
        report.finish_reason or failure,
    )

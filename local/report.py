"""Prints the result of a job: the audit, where the summary is, how it begins."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.segment import Segments
from rich.table import Table

from cli.copy_names import copy_name
from cli.deployment import History, StoredSummary
from core.jobs.audit import AuditEvent
from core.jobs.call import CallState, is_result
from core.jobs.job import Job
from core.summaries.options import Mode
from local.outcome import outcome_lines
from runpod_simulator import EXTRACTIVE_MODEL, LLM_LIKE_MODEL

_BEGINNING_LINES = 25
_MOST_CALLS_IN_FULL = 2
_COLUMNS_OF_A_DETAIL = 76  # of a terminal; with fewer, the audit's details are left out
_NOT_SHOWN = {"runpod_id", "runpod_status"}  # in the steps above


@dataclass(frozen=True)
class Copies:
    """The local copies of a summary and its facts."""

    text: Path
    facts: Path


def save_copies(summary: StoredSummary, job: Job, folder: Path) -> Copies:
    """Save both under the folders and the name of the upload: no two files share their copies."""
    name = copy_name(job.source.key, job.summary_key)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    copies = Copies(folder / f"{name}-summary.md", folder / f"{name}-summary.json")
    copies.text.write_text(summary.text, encoding="utf-8")
    facts = json.dumps(summary.facts, indent=2, ensure_ascii=False)
    copies.facts.write_text(facts + "\n", encoding="utf-8")
    return copies


def show_audit(console: Console, history: History) -> None:
    table = Table(title="Audit", title_justify="left", title_style="bold", box=None, pad_edge=False)
    is_narrow = console.width < _COLUMNS_OF_A_DETAIL
    columns = ("time (UTC)", "by", "what") if is_narrow else ("time (UTC)", "by", "what", "detail")
    for column in columns:
        table.add_column(column, no_wrap=column != "detail", header_style="dim")
    for event in _shown(history):
        at = event.at.strftime("%H:%M:%S.%f")[:-3]
        row = (at, event.by.replace("_", " "), event.what, _detail(event))
        table.add_row(*row[: len(columns)])
    console.print()
    console.print(table)


def _shown(history: History) -> list[AuditEvent]:
    """Return the audit, without the transitions of each call if there are many calls."""
    if len(history.calls) <= _MOST_CALLS_IN_FULL:
        return history.events
    return [event for event in history.events if event.from_state not in set(CallState)]


def _share(job: Job) -> float:
    return job.summary.words / max(job.target_words, 1) if job.summary else 0.0


def tokens(history: History) -> tuple[int, int]:
    """Return how many tokens all requests of a job read and wrote, according to the audit."""
    results = [event.detail for event in history.events if is_result(event)]
    read, written = (
        sum(int(each.get(name, 0)) for each in results)
        for name in ("prompt_tokens", "completion_tokens")
    )
    return read, written


def show_outcome(
    console: Console,
    history: History,
    summary: StoredSummary,
    copies: Copies,
    *,
    writers: Sequence[str],
    seconds: float,
) -> None:
    """Print a summary's figures and places; `writers` are the models that answered."""
    job = history.job
    console.print()
    console.print("[bold]Summary[/]", highlight=False)
    written = job.summary.words if job.summary else 0
    words = (
        f"{written:,} of about {job.target_words:,} asked for ({_share(job):.0%}),"
        f" from {job.words_in:,}"
    )
    read_tokens, written_tokens = tokens(history)
    requests = sum(len(call.attempts) for call in history.calls)
    rows = (
        ("mode", _mode(history)),
        ("writer", _writers(writers, job)),
        ("words", words),
        (
            "tokens",
            f"{read_tokens:,} read and {written_tokens:,} written; requests in all: {requests}",
        ),
        ("in S3", f"s3://{summary.bucket}/{summary.key}"),
        ("facts", f"s3://{summary.bucket}/{summary.facts_key}"),
        ("copies", f"{copies.text}"),
        ("", f"{copies.facts}"),
        ("in all", f"{seconds:.1f} s"),
    )  # fmt: skip
    for name, value in rows:
        # Paths are not broken into lines: they are there to be copied.
        console.print(f"  {name:7} {value}", markup=False, highlight=False, soft_wrap=True)


def _writers(names: Sequence[str], job: Job) -> str:
    writer = ", ".join(names) or (job.summary.model if job.summary else "")
    if EXTRACTIVE_MODEL in names:
        return f"{writer}: the simulator, with sentences of the transcript; no language model"
    if LLM_LIKE_MODEL in names:
        return f"{writer}: the simulator, as unreliable as a language model, which it is not"
    return writer


def _mode(history: History) -> str:
    job = history.job
    if job.options.mode is Mode.PUSH:
        return "push: the transcript's words were sent to RunPod"
    details = [event.detail for event in history.events if "model_calls" in event.detail]
    worker = details[-1] if details else {}
    return (
        f"pull: {job.source.size_bytes:,} bytes, read as {worker.get('read_as', 'unknown')} by the worker,"
        f" that no Lambda function saw; requests to the model: {worker.get('model_calls', 0)}"
    )


def show_checks(console: Console, summary: StoredSummary) -> None:
    """Print how the checks of a summary ended, in two lines."""
    checked, rest = outcome_lines(summary.facts.get("writing", {}))
    console.print()
    console.print(f"[bold]Checked[/] {checked}", highlight=False, soft_wrap=True)
    console.print(f"        {rest}", markup=False, highlight=False, soft_wrap=True)


def show_beginning(console: Console, text: str) -> None:
    console.print()
    console.rule("how it begins", style="dim")
    options = console.options.update(width=min(console.width, 100))
    lines = console.render_lines(Markdown(text), options, pad=False, new_lines=True)
    console.print(Segments([segment for line in lines[:_BEGINNING_LINES] for segment in line]))
    if len(lines) > _BEGINNING_LINES:
        console.print(f"... {len(lines) - _BEGINNING_LINES:,} lines more", style="dim")


def _detail(event: AuditEvent) -> str:
    told = {name: value for name, value in event.detail.items() if name not in _NOT_SHOWN}
    shown = [_figure(name, value) for name, value in told.items() if value != 0]
    return ", ".join(([event.why] if event.why else []) + shown)


def _figure(name: str, value: str | int) -> str:
    if isinstance(value, str):
        return f"{name.replace('_', ' ')} {value}"
    if name.endswith("_ms"):
        return f"{name.removesuffix('_ms')} {value / 1000:.1f} s"
    return f"{name.replace('_', ' ')} {value:,}"

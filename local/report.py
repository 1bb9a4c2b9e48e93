"""Shows what became of a job: the audit, where the summary is, how it begins."""

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.segment import Segments
from rich.table import Table

from core.jobs import CallState, Event, Mode
from local.round_trip import History, StoredSummary

_BEGINNING_LINES = 25
_MOST_CALLS_IN_FULL = 2
_NOT_SHOWN = {"runpod_id", "runpod_status"}  # in the steps above


@dataclass(frozen=True)
class Copies:
    """The local copies of a summary and its facts."""

    text: Path
    facts: Path


def save_copies(summary: StoredSummary, name: str, folder: Path) -> Copies:
    folder.mkdir(parents=True, exist_ok=True)
    copies = Copies(folder / f"{name}-summary.md", folder / f"{name}-summary.json")
    copies.text.write_text(summary.text, encoding="utf-8")
    facts = json.dumps(summary.facts, indent=2, ensure_ascii=False)
    copies.facts.write_text(facts + "\n", encoding="utf-8")
    return copies


def show_audit(console: Console, history: History) -> None:
    table = Table(title="Audit", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("time (UTC)", "by", "what", "detail"):
        table.add_column(column, no_wrap=column != "detail", header_style="dim")
    for event in _shown(history):
        table.add_row(
            event.at.strftime("%H:%M:%S.%f")[:-3],
            event.by.replace("_", " "),
            event.what,
            _detail(event),
        )
    console.print()
    console.print(table)


def _shown(history: History) -> list[Event]:
    """Return the audit, without each call's own moves where there are many calls."""
    if len(history.calls) <= _MOST_CALLS_IN_FULL:
        return history.events
    moves = {f"{state} -> " for state in CallState}
    return [event for event in history.events if not event.what.startswith(tuple(moves))]


def show_outcome(
    console: Console, history: History, summary: StoredSummary, copies: Copies, seconds: float
) -> None:
    job = history.job
    written, asked = len(summary.text.split()), job.target_words
    console.print()
    console.print("[bold]Summary[/]", highlight=False)
    words = (
        f"{written:,} of about {asked:,} asked for ({written / asked:.0%}), from {job.words_in:,}"
    )
    rows = (
        ("mode", _mode(history)),
        ("words", words),
        ("in S3", f"s3://{summary.bucket}/{summary.key}"),
        ("facts", f"s3://{summary.bucket}/{summary.facts_key}"),
        ("copies", f"{copies.text}"),
        ("", f"{copies.facts}"),
        ("in all", f"{seconds:.1f} s"),
    )  # fmt: skip
    for name, value in rows:
        # Paths are not broken into lines: they are there to be copied.
        console.print(f"  {name:7} {value}", markup=False, highlight=False, soft_wrap=True)


def _mode(history: History) -> str:
    job = history.job
    if job.request.mode is Mode.PUSH:
        return "push: the transcript's words were sent to RunPod"
    [told] = [event.detail for event in history.events if "model_calls" in event.detail][-1:] or [
        {}
    ]
    return (
        f"pull: {job.source.size_bytes:,} bytes, read as {told.get('read_as', 'unknown')} by the worker,"
        f" that no Lambda function saw; requests to the model: {told.get('model_calls', 0)}"
    )


def show_beginning(console: Console, text: str) -> None:
    console.print()
    console.rule("how it begins", style="dim")
    options = console.options.update(width=min(console.width, 100))
    lines = console.render_lines(Markdown(text), options, pad=False, new_lines=True)
    console.print(Segments([segment for line in lines[:_BEGINNING_LINES] for segment in line]))
    if len(lines) > _BEGINNING_LINES:
        console.print(f"... {len(lines) - _BEGINNING_LINES:,} lines more", style="dim")


def _detail(event: Event) -> str:
    shown = [_figure(*each) for each in event.detail.items() if each[0] not in _NOT_SHOWN]
    return ", ".join(([event.why] if event.why else []) + shown)


def _figure(name: str, value: str | int) -> str:
    if isinstance(value, str):
        return f"{name.replace('_', ' ')} {value}"
    if name.endswith("_ms"):
        return f"{name.removesuffix('_ms')} {value / 1000:.1f} s"
    return f"{name.replace('_', ' ')} {value:,}"

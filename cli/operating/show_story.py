"""A job's story as a person reads it, at 80 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.operating.prices import Dollars
from cli.operating.spans import now, short
from cli.operating.story import ARRIVING, CALLBACK, WAITING, CallStory, Story
from core.jobs.call import SUCCEEDED
from core.jobs.durations import GPU, OURS, QUEUE
from core.jobs.job import Job, JobState
from core.summaries.facts import Outcome

_WHERE = {
    ARRIVING: "on its way to us",
    QUEUE: "waiting for a worker",
    GPU: "on the GPU",
    CALLBACK: "until we knew",
    WAITING: "until sent again",
    OURS: "ours",
}
_COLOURS = {JobState.ACTIVE: "yellow", JobState.SUCCEEDED: "green", JobState.FAILED: "red"}
_MARKS = {
    Outcome.DOUBT: "[red]?[/]",
    Outcome.NOTED: "[yellow]![/]",
    Outcome.MENDED: "[green]+[/]",
    Outcome.PASSED: "[green]✓[/]",
    Outcome.NOT_APPLICABLE: "[dim]-[/]",
}
_OUTCOMES = frozenset(map(str, Outcome))
_BAR = 24  # columns


@dataclass(frozen=True)
class Told:
    """A story, and what its GPU seconds cost."""

    story: Story
    dollars: Dollars | None


def checks_of(story: Story) -> Iterator[dict[str, Any]]:
    writing = story.facts.get("writing")
    held: Sequence[Any] = writing.get("checks", ()) if isinstance(writing, dict) else ()
    for check in held:
        if isinstance(check, dict) and check.get("code") and check.get("outcome") in _OUTCOMES:
            yield check


def show_story(console: Console, told: Told) -> None:
    story = told.story
    _show_head(console, story.job)
    _show_events(console, story)
    _show_rounds(console, story)
    _show_times(console, story)
    _show_checks(console, list(checks_of(story)))
    _show_cost(console, told)


def _show_head(console: Console, job: Job) -> None:
    ended = job.finished_at or now()
    lasted = f"{'after' if job.finished_at else 'for'} {short(ended - job.created_at)}"
    console.print(
        f"[bold]{job.id}[/] [{_COLOURS[job.state]}]{job.state.value}[/] {lasted}", highlight=False
    )
    if job.reason:
        console.print(f"[red]{escape(job.reason_code)}[/]: {escape(job.reason)}", highlight=False)
    got = f", got {job.summary.words:,}" if job.summary else ""
    rows = [
        ("file", f"{job.source.key} ({job.source.bucket}, {job.source.size_bytes:,} bytes)"),
        ("recorded", f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("words", f"{job.words_in:,} in, {job.target_words:,} asked for{got}"),
        ("model", f"{job.options.model}, {job.options.mode.value} mode"),
    ]
    if job.state is JobState.ACTIVE:
        rows.append(("deadline", f"{job.deadline:%Y-%m-%d %H:%M:%S} UTC"))
    if job.summary:
        rows.append(("summary", job.summary_key))
    _grid(console, rows)


def _show_events(console: Console, story: Story) -> None:
    """Show what became of the job itself, and who moved it."""
    table = Table.grid(padding=(0, 2))
    for style in ("dim", "dim", ""):
        table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    for event in story.events:
        begun = event.at - story.job.created_at
        # Why a job has failed stands above in full.
        why = "" if event.why == story.job.reason else event.why
        who = event.by.replace("_", " ")
        table.add_row(f"  {short(begun)}", who, escape(event.what), escape(why))
    console.print("\n[bold]Timeline[/]")
    console.print(table, highlight=False)


def _show_rounds(console: Console, story: Story) -> None:
    for each in story.rounds:
        begun = short(each.began_at - story.job.created_at)
        took = f", took {short(each.ended_at - each.began_at)}" if each.ended_at else ", under way"
        console.print(
            f"\n[bold]Round {each.number}[/]: {escape(each.what)} [dim](after {begun}{took})[/]",
            highlight=False,
        )
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("call", no_wrap=True)
        table.add_column("state", no_wrap=True)
        for name in ("words", "queued", "ran", "tokens"):
            table.add_column(name, justify="right", no_wrap=True)
        for call in each.calls:
            table.add_row(*_call_row(call))
        console.print(table)
        for call in each.calls:
            for line in amiss(call):
                console.print(f"  [yellow]{escape(line)}[/]", highlight=False)


def _call_row(call: CallStory) -> tuple[str, ...]:
    state = call.call.state.value
    tries = f" x{len(call.attempts)}" if len(call.attempts) > 1 else ""
    asked = f"{call.call.words:,}" if call.call.words else "-"
    came = "" if call.words_out is None else f" → {call.words_out:,}"
    queued = [each.queued_seconds for each in call.attempts if each.queued_seconds is not None]
    ran = [each.ran_seconds for each in call.attempts if each.ran_seconds is not None]
    tokens = (
        f"{call.prompt_tokens:,} → {call.completion_tokens:,}" if call.completion_tokens else ""
    )
    return (
        escape(call.call.ask or call.call.id),
        f"{state}{tries}",
        f"{asked}{came}",
        _seconds(sum(queued)) if queued else "",
        _seconds(sum(ran)) if ran else "",
        tokens,
    )


def amiss(call: CallStory) -> Iterator[str]:
    """Say what did not go as it should, attempt by attempt."""
    name = call.call.ask or call.call.id
    for attempt in call.attempts:
        if attempt.why and attempt.outcome != SUCCEEDED:
            yield f"{name}, attempt {attempt.number}: {attempt.outcome or 'ended'}: {attempt.why}"
        if attempt.found_by == "sweeper" and attempt.outcome == SUCCEEDED:
            yield f"{name}, attempt {attempt.number}: its callback was lost; the sweeper found the result"
    if call.call.hold:
        yield f"{name} is held: {call.call.hold}"


def _show_times(console: Console, story: Story) -> None:
    whole = sum(story.seconds.values())
    console.print(f"\n[bold]Where the time went[/]: {_seconds(whole)}", highlight=False)
    rows = [
        (_WHERE[kind], f"{_seconds(value):>8}  {'█' * round(_BAR * value / whole)}")
        for kind, value in story.seconds.items()
        if whole and value >= 0.05  # noqa: PLR2004 - what is shown has one digit
    ]
    _grid(console, rows)


def _show_checks(console: Console, checks: Sequence[Mapping[str, Any]]) -> None:
    if not checks:
        return
    console.print("\n[bold]Checks[/]")
    order = list(_MARKS)
    quiet = [str(Outcome.PASSED), str(Outcome.NOT_APPLICABLE)]
    for check in sorted(checks, key=lambda each: order.index(Outcome(each["outcome"]))):
        if check["outcome"] not in quiet:
            count = f" x{check['count']}" if check.get("count") else ""
            detail = f": {check['detail']}" if check.get("detail") else ""
            mark = _MARKS[Outcome(check["outcome"])]
            console.print(
                f"  {mark} {escape(check['code'])}{count} [dim]{check['outcome']}[/]{escape(detail)}",
                highlight=False,
            )
    passed = [check["code"] for check in checks if check["outcome"] == Outcome.PASSED]
    if passed:
        console.print(f"  {_MARKS[Outcome.PASSED]} {escape(', '.join(passed))}", highlight=False)


def _show_cost(console: Console, told: Told) -> None:
    story = told.story
    dollars = told.dollars.text if told.dollars else "not known: models.toml has no such model"
    tokens = (
        f"{story.prompt_tokens:,} read, {story.completion_tokens:,} written,"
        f" {story.discarded_tokens:,} thrown away"
    )
    gpu = (
        f"{_seconds(story.ran_seconds)} of requests; {_seconds(story.gpu_seconds_at_least)} if one worker"
        " ran them side by side"
    )
    rows = (
        ("requests", f"{story.requests}"),
        ("tokens", tokens),
        ("GPU", gpu),
        ("dollars", f"{dollars}; a worker's start and idle time are billed as well"),
    )
    console.print("\n[bold]Cost[/]")
    _grid(console, rows)


def _grid(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"  {name}", escape(value))
    console.print(table, highlight=False)


def _seconds(seconds: float) -> str:
    return short(timedelta(seconds=seconds))

"""Shows steps as they happen: a live table on a terminal, one line each elsewhere."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from local.steps import STACK_STEPS, TRANSCRIPT_STEPS, Step

_REFRESHES_PER_SECOND = 8
_ALL_THE_WAY = STACK_STEPS + TRANSCRIPT_STEPS


@dataclass(frozen=True)
class _Part:
    name: str
    seconds: float
    text: str


@dataclass
class _Row:
    begun_at: float
    spinner: Spinner
    ended_at: float | None = None
    has_failed: bool = False
    text: str = ""
    parts: list[_Part] = field(default_factory=list)  # that have ended

    @property
    def seconds(self) -> float:
        return (self.ended_at or time.monotonic()) - self.begun_at

    def end_part(self, name: str, text: str) -> _Part:
        before = sum(part.seconds for part in self.parts)
        self.parts.append(_Part(name, self.seconds - before, text))
        return self.parts[-1]


class Progress:
    """An Observer; use as a context manager. An error marks the steps that were running as failed."""

    def __init__(self, console: Console, steps: Sequence[Step] = _ALL_THE_WAY) -> None:
        self._console = console
        self._steps = steps  # shown from the start
        self._rows: dict[Step, _Row] = {}
        self._begun_at = time.monotonic()
        self._live = Live(
            self, console=console, refresh_per_second=_REFRESHES_PER_SECOND, transient=False
        )

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun_at

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error:
            self.fail()
        if self._console.is_terminal:
            self._live.stop()

    def begin(self, step: Step) -> None:
        self._rows.setdefault(step, _Row(time.monotonic(), Spinner("dots", style="cyan")))

    def note(self, step: Step, text: str) -> None:
        self._rows[step].text = text

    def part(self, step: Step, name: str, text: str) -> None:
        part = self._rows[step].end_part(name, text)
        self._print_line("ok", part.name, part.seconds, part.text)

    def end(self, step: Step, text: str = "") -> None:
        self.begin(step)
        row = self._rows[step]
        row.ended_at, row.text = time.monotonic(), text or row.text
        self._print_plainly(step, row)

    def fail(self) -> None:
        """Mark the running steps as failed."""
        for step, row in self._rows.items():
            if row.ended_at is None:
                row.ended_at, row.has_failed = time.monotonic(), True
                self._print_plainly(step, row)

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        # Only the last column shrinks where the terminal is narrow: rich takes no width off the others
        # as long as one has a ratio.
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(width=1, no_wrap=True)
        table.add_column(width=max(map(len, Step)), no_wrap=True)
        table.add_column(width=7, justify="right", no_wrap=True)
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True, style="dim")
        for step in Step:
            row = self._rows.get(step)
            if row is None and step not in self._steps:
                continue
            if row is None:
                table.add_row("·", step.value, "", "", style="dim")
                continue
            mark = row.spinner if row.ended_at is None else self._mark(row)
            table.add_row(mark, step.value, f"{row.seconds:.1f} s", row.text)
            for part in row.parts:
                table.add_row("", part.name, f"{part.seconds:.1f} s", part.text)
        yield table

    def _mark(self, row: _Row) -> Text:
        if row.has_failed:
            return Text("x" if self._console.options.ascii_only else "✘", style="bold red")
        return Text("+" if self._console.options.ascii_only else "✔", style="bold green")

    def _print_plainly(self, step: Step, row: _Row) -> None:
        self._print_line("failed" if row.has_failed else "ok", step.value, row.seconds, row.text)

    def _print_line(self, mark: str, name: str, seconds: float, text: str) -> None:
        if not self._console.is_terminal:
            line = f"{mark:6}  {name:17}  {seconds:5.1f} s  {text}"
            self._console.out(line.rstrip(), highlight=False)

"""Shows a soak's progress: a bar on a terminal, a line now and then elsewhere."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_SECONDS = 10.0


class SoakProgress:
    """Use as a context manager."""

    def __init__(self, console: Console, jobs: int) -> None:
        self._console = console
        self._jobs = jobs
        self._begun_at = time.monotonic()
        self._line_at = 0.0
        self._bar = Progress(
            TextColumn("jobs ended"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
        )
        self._task = self._bar.add_task("", total=jobs, note="")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun_at

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def update(self, ended: int, note: str) -> None:
        self._bar.update(self._task, completed=ended, note=note)
        if not self._console.is_terminal and self.seconds >= self._line_at:
            self._line_at = self.seconds + _LINE_EVERY_SECONDS
            line = f"{self.seconds:6.0f} s  {ended:5,} of {self._jobs:,} jobs ended; {note}"
            self._console.out(line, highlight=False)

"""Child processes that end with their parent, however it ends: normally, by an error, Ctrl-C or SIGKILL.

Each child leads its own process group, so its children end with it, and the terminal's Ctrl-C reaches only
the parent, which then ends them in order. All of them work in one temporary folder.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from local.waiting import NotInTime, wait_for

_GUARDIAN = Path(__file__).with_name("guardian.py")
# A child tells the guardian of itself before it does anything: its parent may be killed as soon as it has
# started it. Then it gives up the pipe, for whose end the guardian waits. One that was ended is missed only
# after SIGKILL, so nobody minds that it does not listen.
_REGISTERED = (
    "/bin/sh",
    "-c",
    """trap '' PIPE; echo "+$$" >&0 2>/dev/null; trap - PIPE; exec "$@" </dev/null""",
    "sh",
)
_GRACE_SECONDS = 2.0  # no child has anything to save
_LOG_TAIL_LINES = 20
_T = TypeVar("_T")
_DEFERRED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StackError(Exception):
    """The local stack can't do what was asked; the message is for the person who runs it."""


@dataclass(frozen=True)
class Child:
    name: str  # as messages name it
    popen: subprocess.Popen[bytes]
    log: Path  # its standard output and error

    def check_running(self) -> None:
        """Raises StackError if it has ended."""
        if self.popen.poll() is not None:
            raise StackError(self.report(f"{self.name} ended unexpectedly"))

    def check_succeeded(self) -> None:
        """Wait for its end. Raises StackError if it failed."""
        if self.popen.wait() != 0:
            raise StackError(self.report(f"{self.name} failed"))

    def wait_until(self, probe: Callable[[], _T | None], *, timeout_seconds: float) -> _T:
        """Return the first thing `probe` returns that is not None.

        Raises StackError if the process ends first, or if there is none in time.
        """

        def checked() -> _T | None:
            self.check_running()
            return probe()

        try:
            return wait_for(
                checked, what=f"the {self.name}'s start", timeout_seconds=timeout_seconds
            )
        except NotInTime as exc:
            raise StackError(self.report(str(exc))) from None

    def report(self, what: str) -> str:
        """Return what happened, with the exit code and the end of the log."""
        code = self.popen.poll()
        lines = self.log.read_bytes().decode(errors="replace").rstrip().split("\n")
        shown = [line.rstrip("\r").rpartition("\r")[2] for line in lines[-_LOG_TAIL_LINES:]]
        tail = "\n".join(f"    {line}" for line in shown)
        exited = "" if code is None else f" (exit code {code})"
        return f"{what}{exited}. The end of its output:\n{tail or '    (nothing)'}"


class Processes:
    """Starts children and ends them all; use as a context manager."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        with _signals_deferred():
            folder = tempfile.mkdtemp(prefix="transcript-summaries-")
            self.folder = Path(folder)
            self._guardian = subprocess.Popen(
                [sys.executable, "-S", "-E", _GUARDIAN, folder],
                stdin=subprocess.PIPE,
                bufsize=0,  # what it does not read any longer must not be left for `close` to write
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop_all()
        finally:  # also after a second Ctrl-C: the guardian does the rest
            if self._guardian.stdin:
                self._guardian.stdin.close()
            self._guardian.wait()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        working_folder: Path,
    ) -> Child:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output, _signals_deferred():
            popen = subprocess.Popen(
                [*_REGISTERED, *command],
                env=dict(environment),
                cwd=working_folder,
                stdin=self._guardian.stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            child = Child(name, popen, log)
            self._children.append(child)
        return child

    def stop_all(self) -> None:
        """End every child and what it started: with SIGTERM, then with SIGKILL."""
        children = [child.popen for child in reversed(self._children)]
        for popen in children:
            _signal_group(popen, signal.SIGTERM)
        ends_at = time.monotonic() + _GRACE_SECONDS
        for popen in children:
            with suppress(subprocess.TimeoutExpired):
                popen.wait(max(0.0, ends_at - time.monotonic()))
            _signal_group(popen, signal.SIGKILL)
            popen.wait()
            self._forget(popen.pid)
        self._children.clear()

    def _forget(self, group: int) -> None:
        """Let the guardian leave a process group alone that has ended: its number may come again."""
        if self._guardian.stdin:
            with suppress(BrokenPipeError):
                self._guardian.stdin.write(f"-{group}\n".encode())


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Defer signals, so that no child starts without being registered."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in the main thread only
        return
    received: list[int] = []
    handlers = {number: signal.getsignal(number) for number in _DEFERRED}
    for number in handlers:
        signal.signal(number, lambda number, _frame: received.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for caught in received:
            signal.raise_signal(caught)


def _signal_group(popen: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, for a zombie
        os.killpg(popen.pid, number)

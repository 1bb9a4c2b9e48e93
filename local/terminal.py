"""What every command on a terminal needs: signals, a console, and errors as messages with an exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from rich.console import Console

from local.stack.processes import StackError
from local.waiting import NotInTime

_STOPPED_BY_CTRL_C = 130
_PLAIN_COLUMNS = 120  # the width where there is no terminal


def end_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an orderly end: context managers stop what they started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # ignored under nohup: then it stays so
            signal.signal(number, _end)


def open_console() -> Console:
    # A terminal that can't show a character gets another one instead of a traceback.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    return Console() if sys.stdout.isatty() else Console(width=_PLAIN_COLUMNS)


@contextmanager
def errors_as_messages(console: Console) -> Iterator[None]:
    """Print an expected error as a message, and exit with a code."""
    try:
        yield
    except (StackError, NotInTime) as exc:
        fail(console, f"{exc}")
    except KeyboardInterrupt:
        console.print("\nStopped.")
        sys.exit(_STOPPED_BY_CTRL_C)


def fail(console: Console, message: str) -> NoReturn:
    console.print(f"\n{message}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)

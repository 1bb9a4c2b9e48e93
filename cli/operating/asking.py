"""Leave to change something: `--dry-run` and `--yes`, with the same meaning for every command.

A command that changes something first finds out what it would do, then asks. Without a terminal there is
nobody to ask, so it refuses unless `--yes` was said.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

_Any = TypeVar("_Any", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Leave:
    is_dry_run: bool = False
    is_sure: bool = False

    @property
    def will_ask(self) -> bool:
        """Whether a person has to see first what would be done."""
        return not self.is_dry_run and not self.is_sure

    def given(self, question: str) -> bool:
        """Say whether to go on: never in a dry run, at once with --yes, else as a person says.

        The question goes to stderr, for stdout may be a JSON document's.

        Raises UsageError without a terminal.
        """
        if self.is_dry_run:
            return False
        if self.is_sure:
            return True
        if not sys.stdin.isatty():
            raise click.UsageError(
                "there is no terminal to ask at: add --yes to do it, or --dry-run to see what would be done"
            )
        return click.confirm(question, err=True, abort=True)


def asks_leave(function: _Any) -> _Any:
    """Give a command `--dry-run` and `--yes`, and hand it the `leave` they make."""

    @click.option("--dry-run", "is_dry_run", is_flag=True, help="Say what would be done, and stop.")
    @click.option("--yes", "-y", "is_sure", is_flag=True, help="Do not ask.")
    @wraps(function)
    def run(*arguments: Any, is_dry_run: bool, is_sure: bool, **given: Any) -> Any:
        leave = Leave(is_dry_run=is_dry_run, is_sure=is_sure)
        return function(*arguments, leave=leave, **given)

    return run  # type: ignore[return-value]

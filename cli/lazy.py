"""A group whose commands are imported when one of them is run: `status` must not wait for what `get` needs.

Help and completion name every command, so what each does in a few words stands in the group's table too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from cli.twins import give_twins


@dataclass(frozen=True)
class Listed:
    """A command that is not imported yet."""

    module: str
    attribute: str
    short_help: str  # a test compares it with the command's own


class LazyGroup(click.Group):
    def __init__(
        self, *args: Any, listed: Mapping[str, Listed], twins_prefix: str, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._listed = listed
        self._twins_prefix = twins_prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted({*self.commands, *self._listed})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands and cmd_name in self._listed:
            listed = self._listed[cmd_name]
            command = getattr(import_module(listed.module), listed.attribute)
            give_twins(cmd_name, command, self._twins_prefix)
            self.add_command(command, cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._short_help(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=self._short_help(name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def _short_help(self, name: str) -> str:
        if name in self._listed:
            return self._listed[name].short_help
        return self.commands[name].get_short_help_str()

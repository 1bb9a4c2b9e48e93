"""`ui`: serves the page on this machine until Ctrl-C."""

import time
import webbrowser
from contextlib import suppress
from typing import Any

import click
from rich.console import Console

from cli.operating.desk import LOCAL, Desk, at_a_desk

_pause = time.sleep
_LONG_SECONDS = 3600.0


@click.command("ui")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 is a free one."
)
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@at_a_desk
def ui_command(desk: Desk, port: int, *, opens: bool) -> None:
    """Show jobs, stories and summaries in a browser, on this machine alone, until Ctrl-C.

    Retries, cancels and takes uploads as the commands do, with the same AWS credentials. The address
    holds a token of this run: whoever has it may do what you may.
    """
    from cli.page.server import serving  # noqa: PLC0415 - it loads more than most commands need

    with serving(desk.deployment, port=port) as page:
        stack = LOCAL if desk.deployment.is_local else desk.deployment.stack_name
        desk.tell(_told(stack, page.address), lambda console: _show(console, stack, page.address))
        if opens and not webbrowser.open(page.address):
            click.echo("no browser could be opened: open the address yourself", err=True)
        _wait()


def _wait() -> None:
    with suppress(KeyboardInterrupt):
        while True:
            _pause(_LONG_SECONDS)


def _told(stack: str, address: str) -> dict[str, Any]:
    return {"stack": stack, "address": address}


def _show(console: Console, stack: str, address: str) -> None:
    console.print(f"The page of [bold]{stack}[/] is at", highlight=False)
    console.print(f"  {address}", highlight=False, markup=False, soft_wrap=True)
    console.print("Ctrl-C ends it.", style="dim")

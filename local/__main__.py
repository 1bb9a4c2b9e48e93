"""Command line of the local stack: `python -m local --help`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.demo import Demo, JobFailedError, readable_file, show_next
from local.options import checked_setup, stack_options
from local.progress import Progress
from local.stack import needs
from local.stack.emulator import USUAL_PORT
from local.stack.loopback import checked_port
from local.stack.processes import StackError
from local.stack.stack import local_stack
from local.steps import STACK_STEPS
from local.terminal import end_on_signals, errors_as_messages, fail, open_console

_SAMPLE = needs.ROOT / "samples/product-planning-meeting.txt"
_SHORT_SAMPLE = needs.ROOT / "samples/weekly-standup.txt"  # a model on a CPU is slow


@click.group()
def main() -> None:
    """The whole pipeline on this machine, with no AWS account and no RunPod account."""
    end_on_signals()


@main.command()
@click.option(
    "--file",
    "transcript",
    type=click.Path(path_type=Path),
    envvar="LOCAL_FILE",
    help="The transcript; by default one of those in samples/.",
)
@click.option("--keep", is_flag=True, help="Keep the stack up afterwards, until Ctrl-C.")
@stack_options
def demo(transcript: Path | None, *, keep: bool, output_folder: Path, **options: Any) -> None:
    """A transcript becomes a summary: upload, queue, RunPod, callback, S3."""
    console = open_console()
    with errors_as_messages(console), ExitStack() as running:
        given = readable_file(transcript) if transcript else None
        setup = checked_setup(**options)
        transcript = given or (_SHORT_SAMPLE if setup.model_python else _SAMPLE)
        demonstration = Demo(transcript=transcript, output_folder=output_folder, console=console)
        try:
            stack = demonstration.run(setup, running)
        except JobFailedError as exc:
            fail(console, f"The job failed: {exc}")
        if keep:
            from local.up import keep_up  # noqa: PLC0415 - the page's server takes long to import

            keep_up(console, stack, output_folder / "inbox", output_folder)
        else:
            show_next(console)


@main.command()
@click.option(
    "--inbox",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder to upload transcripts from; by default `inbox` in the folder for copies.",
)
@stack_options
def up(inbox: Path | None, output_folder: Path, **options: Any) -> None:
    """Keep the stack up to play with."""
    from local.up import keep_up  # noqa: PLC0415 - as above

    console = open_console()
    with errors_as_messages(console):
        setup = checked_setup(**{**options, "port": _usual_port(console, options["port"])})
        with ExitStack() as running:
            with Progress(console, STACK_STEPS) as progress:
                stack = running.enter_context(local_stack(setup, progress))
            keep_up(console, stack, inbox or output_folder / "inbox", output_folder)


def _usual_port(console: Console, wanted: int | None) -> int:
    """Return the same port at each start, so that settings in other terminals stay valid."""
    if wanted is not None:
        return wanted
    try:
        return checked_port(USUAL_PORT)
    except StackError:
        console.print(
            f"Port {USUAL_PORT}, where this stack usually is, is in use: a free one is taken instead."
            " PORT= chooses one.",
            highlight=False,
            soft_wrap=True,
        )
        return 0


if __name__ == "__main__":
    main()

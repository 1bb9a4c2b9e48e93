"""Command line of the local stack: `python -m local --help`."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
from rich.console import Console

from local import up as up_command
from local.demo import Demo, JobFailedError
from local.progress import Progress
from local.soak.run import Soak, SoakFailedError
from local.stack import needs
from local.stack.processes import StackError
from local.stack.stack import Setup, local_stack
from local.steps import STACK_STEPS
from local.waiting import NotInTime

_SAMPLE = needs.ROOT / "samples/product-planning-meeting.txt"
_STOPPED_BY_CTRL_C = 130
_PLAIN_COLUMNS = 120  # where there is no terminal to ask

# A person waits for these, so the sweeper comes early; in the cloud it has time.
_IMPATIENT = {"CallbackOverdueSeconds": "15", "SweepScheduleMinutes": "1"}


def _options_of_a_stack(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=0,
            help="Port of the AWS emulator; by default a free one.",
        ),
        click.option(
            "--emulator-python",
            type=click.Path(path_type=Path),
            help=f"The emulator's interpreter; by default ${needs.EMULATOR_PYTHON}, or"
            " .venv-emulator/bin/python.",
        ),
        click.option(
            "--model-url",
            default="",
            help="Base URL of an OpenAI-compatible server (Ollama, llama.cpp, vLLM) that writes the"
            " summary; by default sentences of the transcript are chosen on this CPU.",
        ),
        click.option("--model-name", default="", help="With --model-url: the model to ask for."),
        click.option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME[=VALUE]",
            help="Let RunPod misbehave: python -m local.runpod_simulator --list-scenarios.",
        ),
        click.option(
            "--parameter",
            "parameters",
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter of template.yaml, as SummaryWords=800.",
        ),
        click.option(
            "--out",
            "output_folder",
            type=click.Path(path_type=Path, file_okay=False),
            default=Path("out"),
            show_default=True,
            help="Folder for copies of the summaries.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """The whole pipeline on this machine, with no AWS account and no RunPod account."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)


@main.command()
@click.option(
    "--file",
    "transcript",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
    default=_SAMPLE,
    help="The transcript; by default the meeting of 10,834 words in samples/.",
)
@click.option("--keep", is_flag=True, help="Keep the stack up afterwards, until Ctrl-C.")
@_options_of_a_stack
def demo(transcript: Path, *, keep: bool, output_folder: Path, **options: Any) -> None:
    """A transcript becomes a summary: upload, queue, RunPod, callback, S3."""
    console = _console()
    with _said_plainly(console), ExitStack() as running:
        setup = _checked_setup(**options)
        demonstration = Demo(transcript=transcript, output_folder=output_folder, console=console)
        stack = demonstration.run(setup, running)
        if keep:
            inbox = up_command.Inbox(output_folder / "inbox")
            up_command.explain(console, stack, inbox.folder)
            up_command.keep_up(console, stack, inbox, output_folder)


@main.command()
@click.option(
    "--inbox",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder to upload transcripts from; by default `inbox` in the folder for copies.",
)
@_options_of_a_stack
def up(inbox: Path | None, output_folder: Path, **options: Any) -> None:
    """Keep the stack up to play with."""
    console = _console()
    with _said_plainly(console):
        setup = _checked_setup(**options)
        with ExitStack() as running:
            with Progress(console, STACK_STEPS) as progress:
                stack = running.enter_context(local_stack(setup, progress))
            folder = up_command.Inbox(inbox or output_folder / "inbox")
            up_command.explain(console, stack, folder.folder)
            up_command.keep_up(console, stack, folder, output_folder)


_SHARE = click.FloatRange(0, 100)


@main.command()
@click.option(
    "--jobs", type=click.IntRange(6), default=300, show_default=True, help="Files to upload."
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Decides on texts and on RunPod's faults.",
)
@click.option(
    "--throttled",
    type=_SHARE,
    default=5.0,
    show_default=True,
    help="Of the functions' AWS calls, in percent.",
)
@click.option(
    "--lost", type=_SHARE, default=30.0, show_default=True, help="Of the callbacks, in percent."
)
@click.option(
    "--longest-minutes", type=float, default=30.0, show_default=True, help="Then it is over."
)
@click.option("--emulator-python", type=click.Path(path_type=Path))
def soak(
    *,
    jobs: int,
    seed: int,
    throttled: float,
    lost: float,
    longest_minutes: float,
    emulator_python: Path | None,
) -> None:
    """Hundreds of transcripts, with faults everywhere; fails if anything is lost or done twice."""
    console = _console()
    with _said_plainly(console):
        python = needs.emulator_python(emulator_python)
        _check_nothing_is_missing(python)
        Soak(
            jobs=jobs,
            seed=seed,
            throttled_share=throttled / 100,
            lost_share=lost / 100,
            longest_minutes=longest_minutes,
        ).run(console, emulator_python=python)


def _checked_setup(
    *,
    port: int,
    emulator_python: Path | None,
    model_url: str,
    model_name: str,
    scenarios: tuple[str, ...],
    parameters: tuple[str, ...],
) -> Setup:
    """Raises StackError for what is missing."""
    python = needs.emulator_python(emulator_python)
    _check_nothing_is_missing(python)
    simulator_options = [f"--scenario={scenario}" for scenario in scenarios]
    if model_url:
        simulator_options += ["--worker=openai", f"--model-url={model_url}"]
    if model_name:
        simulator_options.append(f"--model-name={model_name}")
    return Setup(
        port=port,
        emulator_python=python,
        simulator_options=tuple(simulator_options),
        parameters=_IMPATIENT | dict(map(_name_and_value, parameters)),
    )


def _check_nothing_is_missing(python: Path) -> None:
    missing = needs.missing(python)
    if missing:
        raise StackError("Something is missing:\n" + "\n".join(f"- {line}" for line in missing))


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--parameter takes NAME=VALUE, not {text!r}")
    return name, value


def _console() -> Console:
    # A terminal that can't show a character gets another one instead of a traceback.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    return Console() if sys.stdout.isatty() else Console(width=_PLAIN_COLUMNS)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Turn a signal into an orderly end: context managers stop what they started."""
    raise SystemExit(128 + number)


@contextmanager
def _said_plainly(console: Console) -> Iterator[None]:
    """Turn what may go wrong into a message and an exit code."""
    try:
        yield
    except (StackError, NotInTime) as exc:
        console.print(f"\n{exc}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except SoakFailedError as exc:
        console.print(f"\nThe soak failed:\n{exc}", style="red", markup=False, highlight=False)
        sys.exit(1)
    except JobFailedError as exc:
        console.print(f"\nThe job failed: {exc}", style="red", markup=False, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        sys.exit(_STOPPED_BY_CTRL_C)


if __name__ == "__main__":
    main()

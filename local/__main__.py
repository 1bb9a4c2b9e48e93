"""Command line of the local stack: `python -m local --help`."""

import os
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
from local.demo import Demo, JobFailedError, readable_file
from local.progress import Progress
from local.soak.run import Soak, SoakFailedError
from local.stack import needs
from local.stack.emulator import USUAL_PORT, checked_port
from local.stack.model import SMALL_MODEL_PARAMETERS, Model, looked_up
from local.stack.processes import StackError
from local.stack.setup import Setup
from local.stack.stack import local_stack
from local.steps import STACK_STEPS
from local.waiting import NotInTime

_SAMPLE = needs.ROOT / "samples/product-planning-meeting.txt"
_SHORT_SAMPLE = needs.ROOT / "samples/weekly-standup.txt"  # a model on a CPU needs its time
_SMALL_MODEL = "smollm2"
_MODEL_KEY = "MODEL_KEY"  # the variable that holds the key of --model-url
_STOPPED_BY_CTRL_C = 130
_PLAIN_COLUMNS = 120  # where there is no terminal to ask

# A person waits for these, so the sweeper comes early; in the cloud it has time.
_IMPATIENT = {"CallbackOverdueSeconds": "15", "SweepScheduleMinutes": "1"}


def _options_of_a_stack(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            envvar="LOCAL_PORT",
            help=f"Port of the AWS emulator; by default a free one, for `up` {USUAL_PORT} if it is free.",
        ),
        click.option(
            "--emulator-python",
            type=click.Path(path_type=Path),
            help=f"The emulator's interpreter; by default ${needs.EMULATOR_PYTHON}, or"
            " .venv-emulator/bin/python.",
        ),
        click.option(
            "--mode",
            type=click.Choice(["push", "pull"]),
            default="push",
            envvar="LOCAL_MODE",
            show_default=True,
            help="push: RunPod is sent the transcript; pull: its worker, worker/, fetches it.",
        ),
        click.option(
            "--model",
            type=click.Choice([_SMALL_MODEL]),
            envvar="LOCAL_MODEL",
            help="A real language model on this CPU, too small to write well; by default sentences of"
            " the transcript are chosen.",
        ),
        click.option(
            "--model-url",
            default="",
            envvar="LOCAL_MODEL_URL",
            help="Base URL of an OpenAI-compatible server (Ollama, llama.cpp, vLLM) that writes the"
            " summary; its key, if it has one, is read from $MODEL_KEY.",
        ),
        click.option(
            "--model-name",
            default="",
            envvar="LOCAL_MODEL_NAME",
            help="With --model-url: the model to ask for, if not the first it lists.",
        ),
        click.option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME[=VALUE]",
            help="Let RunPod misbehave: python -m runpod_simulator --list-scenarios.",
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
            envvar="LOCAL_OUT",
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
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup: then it stays ignored
            signal.signal(number, _end)


@main.command()
@click.option(
    "--file",
    "transcript",
    type=click.Path(path_type=Path),
    envvar="LOCAL_FILE",
    help="The transcript; by default one of those in samples/.",
)
@click.option("--keep", is_flag=True, help="Keep the stack up afterwards, until Ctrl-C.")
@_options_of_a_stack
def demo(transcript: Path | None, *, keep: bool, output_folder: Path, **options: Any) -> None:
    """A transcript becomes a summary: upload, queue, RunPod, callback, S3."""
    console = _console()
    with _said_plainly(console), ExitStack() as running:
        given = readable_file(transcript) if transcript else None
        setup = _checked_setup(**options)
        transcript = given or (_SHORT_SAMPLE if setup.model_python else _SAMPLE)
        demonstration = Demo(transcript=transcript, output_folder=output_folder, console=console)
        stack = demonstration.run(setup, running)
        if keep:
            inbox = up_command.Inbox(output_folder / "inbox")
            up_command.explain(console, stack, inbox)
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
        setup = _checked_setup(**{**options, "port": _usual_port(console, options["port"])})
        with ExitStack() as running:
            with Progress(console, STACK_STEPS) as progress:
                stack = running.enter_context(local_stack(setup, progress))
            folder = up_command.Inbox(inbox or output_folder / "inbox")
            up_command.explain(console, stack, folder)
            up_command.keep_up(console, stack, folder, output_folder)


def _usual_port(console: Console, wanted: int | None) -> int:
    """Return the same port at each start, so that what is set in other terminals goes on working."""
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
        _check_nothing_is_missing(needs.missing(python))
        Soak(
            jobs=jobs,
            seed=seed,
            throttled_share=throttled / 100,
            lost_share=lost / 100,
            longest_minutes=longest_minutes,
        ).run(console, emulator_python=python)


def _checked_setup(
    *,
    port: int | None,
    emulator_python: Path | None,
    mode: str,
    model: str | None,
    model_url: str,
    model_name: str,
    scenarios: tuple[str, ...],
    parameters: tuple[str, ...],
) -> Setup:
    """Raises StackError for what is missing."""
    if model and model_url:
        raise click.UsageError("--model and --model-url exclude each other")
    if model_name and not model_url:
        raise click.UsageError("--model-name goes with --model-url")
    python = needs.emulator_python(emulator_python)
    model_python = needs.model_python() if model else None
    worker_python = needs.worker_python() if mode == "pull" else None
    _check_nothing_is_missing(
        [
            *needs.missing(python),
            *(needs.missing_for_model(model_python) if model_python else []),
            *(needs.missing_for_worker(worker_python) if worker_python else []),
        ]
    )
    key = os.environ.get(_MODEL_KEY, "")  # not an option: a command line is for all to see
    asked = looked_up(Model(url=model_url, name=model_name, key=key)) if model_url else None
    fitting = SMALL_MODEL_PARAMETERS if model else asked.parameters if asked else {}
    if worker_python:
        # A worker asks for the model that it is told, the simulator for the one that there is.
        fitting = fitting | {"Mode": mode} | ({"ModelName": asked.name} if asked else {})
    return Setup(
        port=port or 0,
        emulator_python=python,
        simulator_options=tuple(f"--scenario={scenario}" for scenario in scenarios),
        parameters=_IMPATIENT | fitting | dict(map(_name_and_value, parameters)),
        model=asked,
        model_python=model_python,
        worker_python=worker_python,
    )


def _check_nothing_is_missing(missing: list[str]) -> None:
    """Raises StackError."""
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

"""The options of commands that start a local stack, and the Setup that they describe."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from local.stack import needs
from local.stack.emulator import USUAL_PORT
from local.stack.model import SMALL_MODEL_PARAMETERS, Model, look_up
from local.stack.processes import StackError
from local.stack.setup import Setup

_SMALL_MODEL, _LLM_LIKE = "smollm2", "llm-like"
_MODEL_KEY = "MODEL_KEY"  # the variable that holds the key of --model-url

# A person waits for these, so the sweeper comes early; in the cloud it has time.
_FAST_SWEEPS = {"CallbackOverdueSeconds": "15", "SweepScheduleMinutes": "1"}
# RunPod's own pace shows nothing either. Callbacks wait for one another: each that does not is a receiver
# more that has to start, and while many start on a few cores, many more callbacks arrive.
_QUICK = ("--webhooks-at-once=2", "--queue-delay-seconds=0.2", "--execution-seconds=0.2")


def stack_options(command: Callable[..., None]) -> Callable[..., None]:
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
            type=click.Choice([_SMALL_MODEL, _LLM_LIKE]),
            envvar="LOCAL_MODEL",
            help="smollm2: a real language model on this CPU, too small to write well; llm-like: the"
            " simulator's, as unreliable as one. By default sentences of the transcript are chosen.",
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
            help="Let RunPod or the model misbehave: python -m runpod_simulator --list-scenarios.",
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


def checked_setup(
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
    """Return what the options describe. Raises StackError for anything that is missing."""
    if model and model_url:
        raise click.UsageError("--model and --model-url exclude each other")
    if model_name and not model_url:
        raise click.UsageError("--model-name goes with --model-url")
    python = needs.emulator_python(emulator_python)
    model_python = needs.model_python() if model == _SMALL_MODEL else None
    worker_python = needs.worker_python() if mode == "pull" else None
    check_nothing_is_missing(
        [
            *needs.missing(python),
            *(needs.missing_for_model(model_python) if model_python else []),
            *(needs.missing_for_worker(worker_python) if worker_python else []),
        ]
    )
    key = os.environ.get(_MODEL_KEY, "")  # not an option: other users can see a command line
    served = look_up(Model(url=model_url, name=model_name, key=key)) if model_url else None
    model_parameters = (
        SMALL_MODEL_PARAMETERS if model_python else served.parameters if served else {}
    )
    if worker_python:
        model_parameters = {**model_parameters, "Mode": mode}
        if served:  # a worker requests the model of its configuration, the simulator this one
            model_parameters["ModelName"] = served.name
    return Setup(
        port=port or 0,
        emulator_python=python,
        simulator_options=(*_QUICK, *(f"--scenario={scenario}" for scenario in scenarios)),
        parameters=_FAST_SWEEPS | model_parameters | dict(map(_name_and_value, parameters)),
        simulated_model=_LLM_LIKE if model == _LLM_LIKE else "extractive",
        model=served,
        model_python=model_python,
        worker_python=worker_python,
    )


def check_nothing_is_missing(missing: list[str]) -> None:
    """Raises StackError."""
    if missing:
        raise StackError("Something is missing:\n" + "\n".join(f"- {line}" for line in missing))


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--parameter takes NAME=VALUE, not {text!r}")
    return name, value

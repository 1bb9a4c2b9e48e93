"""The options of `endpoint`: from the command line or environment, else deploy.toml, else by default."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from cli import answers as kept
from cli.answers import ENDPOINT, Answers, Choice
from cli.endpoint.api import RUNPOD_URL
from cli.endpoint.wanted import Choices, UnfitChoice
from cli.parameters import ROOT, parameters

_ANY = TypeVar("_ANY", bound=Callable[..., Any])
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SAFE_URL = re.compile(r"https://[^/@]+|http://(?:127\.0\.0\.1|localhost)(?::\d+)?(?:/|$)")
_ENV = "env"
_LISTS = frozenset({"pool", "data_center", _ENV})
_TEXTS = frozenset({"name", "variant", "image", "hf_token_secret"})
_NUMBERS: Mapping[str, type] = {
    "workers_min": int,
    "workers_max": int,
    "idle_timeout_seconds": int,
    "queue_delay_seconds": float,
}
# Parameters of the stack that the endpoint has to go with.
_OF_STACK = ("ModelProfile", "ModelName", "MaxModelLenTokens", "ExecutionTimeoutSeconds", "Mode")
_DEFAULT = Choices(name="")


class _SeveralTexts(click.types.StringParamType):
    """In the environment, separated by semicolons: values may hold spaces."""

    envvar_list_splitter = ";"


def option(flag: str, *names: str, envvar: str = "", **more: Any) -> Callable[[_ANY], _ANY]:
    """An option with a twin in the environment: --workers-max is SUMMARIES_ENDPOINT_WORKERS_MAX."""
    twin = envvar or f"SUMMARIES_ENDPOINT_{flag.removeprefix('--').replace('-', '_').upper()}"
    if more.get("multiple"):
        more["type"] = _SeveralTexts()
    return click.option(flag, *names, envvar=twin, show_envvar=True, **more)


_OPTIONS = (
    # Kept in deploy.toml's [endpoint] by these names. None and () are "not given".
    option("--name", help="Name of endpoint and template; by default the stack's."),
    option("--variant", help="Weights: bf16 (default), fp8 or w4a16; see docs/deploying.md."),
    option("--image", help="Worker image with its tag; by default RunPod's vLLM worker."),
    option(
        "--pool", multiple=True, help="GPU pool, first choice first; by default the cheapest first."
    ),
    option("--workers-min", type=int, help="Workers that never sleep, and are billed (0)."),
    option("--workers-max", type=int, help=f"Workers at most ({_DEFAULT.workers_max})."),
    option(
        "--idle-timeout-seconds",
        type=int,
        help=f"When a worker without work goes to sleep ({_DEFAULT.idle_timeout_seconds}).",
    ),
    option(
        "--queue-delay-seconds",
        type=float,
        help=f"Longest wait before a worker is added ({_DEFAULT.queue_delay_seconds:g}).",
    ),
    option("--data-center", multiple=True, help="Where workers may run; by default anywhere."),
    option("--hf-token-secret", help="Name of RunPod's secret with your Hugging Face token."),
    option(
        "--env",
        multiple=True,
        metavar="NAME=VALUE",
        help="A variable of the worker; a secret as '{{ RUNPOD_SECRET_NAME }}' only.",
    ),
    # The stack's own, kept in [parameters]
    option(
        "--parameter",
        "parameter",
        multiple=True,
        metavar="NAME=VALUE",
        help=f"Of the stack, as for deploy; one of {', '.join(_OF_STACK)}.",
    ),
    # Where it is
    option(
        "--endpoint-id",
        envvar="SUMMARIES_ENDPOINT_ID",
        default="",
        help="By default that of"
        " RunpodApiEndpoint in the answers; without one, it is found by its name.",
    ),
    option(
        "--answers",
        "file",
        envvar="SUMMARIES_ANSWERS",
        type=click.Path(path_type=Path, dir_okay=False),
        default=ROOT / "deploy.toml",
        help="Where answers are kept; by default deploy.toml, which git ignores.",
    ),
    option(
        "--region",
        envvar="SUMMARIES_REGION",
        default="",
        help="Of the key's secret; by default the AWS CLI's.",
    ),
    option(
        "--management-url",
        envvar="RUNPOD_MANAGEMENT_URL",
        default=RUNPOD_URL,
        help="Of RunPod's management API; another one for a simulator.",
    ),
    option("--json", "as_json", envvar="SUMMARIES_JSON", is_flag=True, help="Print JSON alone."),
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a command looks, and what it wants there."""

    file: Path
    answers: Answers
    management_url: str
    endpoint_id: str  # "" if it is to be found by its name
    as_json: bool
    chosen: Mapping[str, Choice]  # from options and deploy.toml; what is not here takes its default
    choices: Choices


def options(command: _ANY) -> _ANY:
    """Give a command the options that all commands of the group have."""
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


def setting(
    *,
    file: Path,
    region: str,
    management_url: str,
    endpoint_id: str,
    as_json: bool,
    parameter: Sequence[str],
    **given: Any,
) -> Setting:
    """
    Raises:
        UnfitChoice: deploy.toml, or an option, holds something that is no such value.
    """
    if not is_safe_url(management_url):
        raise UnfitChoice(
            "--management-url must be https: the key goes there (http on this machine)"
        )
    answers = kept.read(file)
    answers = replace(answers, region=region or answers.region)
    answers = answers.having(**_parameters_in(parameter))
    _refuse_unreadable(file, answers.endpoint)
    chosen = {**answers.endpoint, **_given(given)}
    return Setting(
        file=file,
        answers=answers,
        management_url=management_url,
        endpoint_id=endpoint_id or _id_in(answers.parameters.get(ENDPOINT, "")),
        as_json=as_json,
        chosen=chosen,
        choices=choices_of(answers, chosen),
    )


def _refuse_unreadable(file: Path, kept_choices: Mapping[str, Choice]) -> None:
    for name, value in kept_choices.items():
        if name not in {*_LISTS, *_NUMBERS, *_TEXTS}:
            raise UnfitChoice(f"[endpoint] of {file.name} holds {name}, which is no option")
        if name not in _LISTS and not isinstance(value, str):
            raise UnfitChoice(f"[endpoint] of {file.name} holds a list as {name}; give one value")


def _given(options: Mapping[str, Any]) -> dict[str, Choice]:
    return {
        name: tuple(value) if name in _LISTS else str(value)
        for name, value in options.items()
        if value not in (None, ())
    }


def is_safe_url(url: str) -> bool:
    """May a key be sent there?"""
    return bool(_SAFE_URL.match(url))


def choices_of(answers: Answers, chosen: Mapping[str, Choice]) -> Choices:
    asked = {name: value for name, value in chosen.items() if name not in _LISTS}
    options: dict[str, Any] = {
        name: _number(name, str(value)) if name in _NUMBERS else value
        for name, value in asked.items()
    }
    options.setdefault("name", answers.stack_name)
    return Choices(
        profile=_parameter(answers, "ModelProfile"),
        is_pull_mode=_parameter(answers, "Mode") == "pull",
        served_name=_parameter(answers, "ModelName"),
        context_tokens=_number("MaxModelLenTokens", _parameter(answers, "MaxModelLenTokens"), int),
        execution_timeout_seconds=_number(
            "ExecutionTimeoutSeconds", _parameter(answers, "ExecutionTimeoutSeconds"), int
        ),
        pools=_list("pool", chosen),
        data_centers=_list("data_center", chosen),
        environment=_environment(_list(_ENV, chosen)),
        **options,
    )


def _parameters_in(pairs: Sequence[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair or name not in _OF_STACK:
            raise UnfitChoice(f"--parameter takes NAME=VALUE, with one of {', '.join(_OF_STACK)}")
        if problem := parameters()[name].problem_with(value):
            raise UnfitChoice(problem)
        given[name] = value
    return given


def _parameter(answers: Answers, name: str) -> str:
    """What the stack was given, or would be by default."""
    return answers.parameters.get(name, str(parameters()[name].fields.get("Default", "")))


def _number(name: str, value: str, kind: type | None = None) -> Any:
    kind = kind or _NUMBERS[name]
    try:
        return kind(value)
    except ValueError:
        raise UnfitChoice(f"{name} must be a number, not {value!r}") from None


def _list(name: str, chosen: Mapping[str, Choice]) -> tuple[str, ...]:
    value = chosen.get(name, ())
    return (value,) if isinstance(value, str) else tuple(value)


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    split = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair or not _VARIABLE.fullmatch(name):
            # Not repeated: it may be a secret that was put into the wrong place.
            raise UnfitChoice("--env takes NAME=VALUE")
        split[name] = value
    return split


def _id_in(endpoint: str) -> str:
    return endpoint.rstrip("/").rsplit("/", 1)[-1] if endpoint else ""

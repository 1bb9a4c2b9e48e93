"""What was answered, kept in a file beside the template that git does not know. It holds no secret."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from cli.parameters import parameters

STACK_NAME = "transcript-summaries"
_TABLES = ("parameters", "endpoint")
ENDPOINT, KEY_SECRET, ALARM_EMAIL = "RunpodApiEndpoint", "RunpodApiKeySecretName", "AlarmEmail"

Choice = str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Answers:
    stack_name: str = STACK_NAME
    region: str = ""  # "" is the one that the AWS CLI is configured for
    parameters: Mapping[str, str] = field(default_factory=dict)
    # What was chosen for RunPod's endpoint, by the names of cli.endpoint's options.
    endpoint: Mapping[str, Choice] = field(default_factory=dict)

    def having(self, **parameters: str) -> "Answers":
        return replace(self, parameters={**self.parameters, **parameters})


def read(file: Path) -> Answers:
    """Return what an earlier deployment was given, or nothing where there was none."""
    if not file.exists():
        return Answers()
    try:
        held = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise click.ClickException(f"{file} is not TOML: {exc}") from None
    unknown = set(held) - {"stack_name", "region", *_TABLES}
    if unknown or not all(isinstance(held.get(table, {}), dict) for table in _TABLES):
        raise click.ClickException(
            f"{file} holds stack_name, region, [parameters] and [endpoint], and nothing else"
        )
    return Answers(
        stack_name=str(held.get("stack_name", STACK_NAME)),
        region=str(held.get("region", "")),
        parameters={name: _text(value) for name, value in held.get("parameters", {}).items()},
        endpoint={name: _choice(value) for name, value in held.get("endpoint", {}).items()},
    )


def write(file: Path, answers: Answers) -> None:
    """Keep what was answered, but what the template hides: the stack keeps that by itself."""
    hidden = {name for name, parameter in parameters().items() if parameter.is_secret}
    lines = [f"stack_name = {_quoted(answers.stack_name)}", f"region = {_quoted(answers.region)}"]
    lines += ["", "[parameters]"]
    lines += [
        f"{name} = {_quoted(value)}"
        for name, value in answers.parameters.items()
        if name not in hidden
    ]
    if answers.endpoint:
        lines += ["", "[endpoint]"]
        lines += [f"{name} = {_written(value)}" for name, value in answers.endpoint.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _choice(value: object) -> Choice:
    return tuple(_text(each) for each in value) if isinstance(value, list) else _text(value)


def _written(choice: Choice) -> str:
    if isinstance(choice, str):
        return _quoted(choice)
    return "[" + ", ".join(_quoted(each) for each in choice) + "]"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

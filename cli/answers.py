"""What was answered, kept in a file beside the template that git does not know. It holds no secret."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

STACK_NAME = "transcript-summaries"
ENDPOINT, KEY_SECRET, ALARM_EMAIL = "RunpodApiEndpoint", "RunpodApiKeySecretName", "AlarmEmail"


@dataclass(frozen=True, kw_only=True)
class Answers:
    stack_name: str = STACK_NAME
    region: str = ""  # "" is the one that the AWS CLI is configured for
    parameters: Mapping[str, str] = field(default_factory=dict)

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
    unknown = set(held) - {"stack_name", "region", "parameters"}
    if unknown or not isinstance(held.get("parameters", {}), dict):
        raise click.ClickException(
            f"{file} holds stack_name, region and [parameters], and nothing else"
        )
    return Answers(
        stack_name=str(held.get("stack_name", STACK_NAME)),
        region=str(held.get("region", "")),
        parameters={name: _text(value) for name, value in held.get("parameters", {}).items()},
    )


def write(file: Path, answers: Answers) -> None:
    lines = [f"stack_name = {_quoted(answers.stack_name)}", f"region = {_quoted(answers.region)}"]
    lines += ["", "[parameters]"]
    lines += [f"{name} = {_quoted(value)}" for name, value in answers.parameters.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""The stack that a command is for, the options that all commands have, and how they print.

A stack is named on the command line (`--stack`), by SUMMARIES_STACK, or in deploy.toml; `local` is the one
that `make up` keeps on this machine. Exit codes: 0 fine, 1 something is wrong, 2 wrong usage,
3 no such job.
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import botocore.session
import click
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from rich.console import Console

from cli import answers as kept
from cli.deployment import Deployment, NoSuchStackError, Session
from cli.parameters import ROOT
from core.aws.job_index import JobIndex
from core.errors import PipelineError

LOCAL = "local"
_LOCAL_STACK = "summaries-local"  # as in samconfig.toml
_LOCAL_PORT = "4566"
_NO_LOCAL = "the local stack does not answer: start it with `make up`"
_PLAIN_COLUMNS = 120  # where there is no terminal

_Any = TypeVar("_Any", bound=Callable[..., Any])


class NoSuchJob(click.ClickException):
    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Desk:
    deployment: Deployment
    as_json: bool
    console: Console = field(repr=False)

    @property
    def index(self) -> JobIndex:
        return JobIndex(self.deployment.client("dynamodb"), self.deployment.outputs["JobsTable"])

    def tell(self, told: Mapping[str, Any], show: Callable[[Console], None]) -> None:
        """Print what was found: as one JSON document, or for a person."""
        if self.as_json:
            click.echo(json.dumps(told, indent=2, default=str, ensure_ascii=False))
        else:
            show(self.console)


def at_a_desk(function: _Any) -> _Any:
    """Give a command its desk, the options for it, and messages in place of tracebacks."""

    @click.option(
        "--stack",
        envvar="SUMMARIES_STACK",
        default="",
        show_envvar=True,
        help="Name of the stack, or `local`; by default deploy.toml's.",
    )
    @click.option(
        "--region",
        envvar="SUMMARIES_REGION",
        default="",
        show_envvar=True,
        help="By default deploy.toml's, else the AWS CLI's.",
    )
    @click.option(
        "--json", "as_json", envvar="SUMMARIES_JSON", is_flag=True, help="Print JSON alone."
    )
    @wraps(function)
    def run(stack: str, region: str, as_json: bool, **given: Any) -> None:
        console = Console() if os.isatty(1) else Console(width=_plain_columns())
        try:
            deployment = _deployment(stack, region)
            try:
                function(Desk(deployment=deployment, as_json=as_json, console=console), **given)
            finally:
                deployment.close()
        except (ClientError, BotoCoreError) as exc:
            raise click.ClickException(explained(exc, stack)) from None
        except PipelineError as exc:
            raise click.ClickException(str(exc)) from None

    return run  # type: ignore[return-value]


def _plain_columns() -> int:
    told = os.environ.get("COLUMNS", "")
    return int(told) if told.isdecimal() else _PLAIN_COLUMNS


def _deployment(stack: str, region: str) -> Deployment:
    answers = kept.read(ROOT / "deploy.toml")
    name = stack or answers.stack_name
    try:
        if name == LOCAL:
            port = os.environ.get("LOCAL_PORT") or _LOCAL_PORT
            _check_local(port)
            return Deployment(_root(), _LOCAL_STACK, endpoint_url=f"http://127.0.0.1:{port}")
        return Deployment(_session(region or answers.region), name)
    except NoSuchStackError as exc:
        raise click.ClickException(str(exc)) from None


def _check_local(port: str) -> None:
    """Ask before AWS's client does, which would try for ten seconds where nobody is."""
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=2).close()
    except ValueError:
        raise click.UsageError(f"LOCAL_PORT is {port}, which is no port") from None
    except OSError:
        raise click.ClickException(_NO_LOCAL) from None


def _session(region: str) -> Session:
    """Return a session with the user's AWS settings."""
    session = botocore.session.Session()
    if region:
        session.set_config_variable("region", region)
    return Session(session)


def _root() -> Session:
    """Return a session for the emulator: its own key, and none of the user's AWS settings."""
    session = botocore.session.Session(
        {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    session.set_credentials("test", "test")
    session.set_config_variable("region", "us-east-1")
    return Session(session)


def explained(exc: ClientError | BotoCoreError, stack: str) -> str:
    """Say why AWS did not do what was asked, and what to do."""
    if isinstance(exc, NoRegionError):
        return "no AWS Region is set: name one with --region, or run `aws configure`"
    if isinstance(exc, NoCredentialsError):
        return "no AWS credentials were found: run `aws configure` or `aws sso login`, or set AWS_PROFILE"
    if stack == LOCAL and not isinstance(exc, ClientError):
        return _NO_LOCAL
    if isinstance(exc, ClientError) and "does not exist" in str(exc):
        return "there is no stack of this name here: name it with --stack, and its Region with --region"
    code = exc.response["Error"]["Code"] if isinstance(exc, ClientError) else type(exc).__name__
    return f"AWS refused it: {code} ({exc})"

"""`deploy` and `destroy`: their options, and the answers that a file keeps."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from cli import answers as kept
from cli import deploy as use_case
from cli.answers import ALARM_EMAIL, ENDPOINT, KEY_SECRET, Answers
from cli.destroy import Asked, destroy
from cli.parameters import ROOT

_file = click.option(
    "--answers",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=ROOT / "deploy.toml",
    help="Where answers are kept; by default deploy.toml, which git ignores.",
)
_stack = click.option(
    "--stack-name", "--stack", default="", help="By default transcript-summaries."
)
_region = click.option("--region", default="", help="By default the AWS CLI's.")


@click.command("deploy")
@_file
@_stack
@_region
@click.option("--endpoint", default="", help="URL of the RunPod Serverless endpoint.")
@click.option("--secret", default="", help="Name of the secret that holds the RunPod key.")
@click.option("--alarm-email", default=None, help="Where alarms go; empty for nowhere.")
@click.option(
    "--parameter",
    "more",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other one of template.yaml's.",
)
@click.option("--yes", is_flag=True, help="Ask nothing: what is missing takes its default.")
def deploy_command(
    file: Path,
    stack_name: str,
    region: str,
    endpoint: str,
    secret: str,
    alarm_email: str | None,
    more: tuple[str, ...],
    yes: bool,
) -> None:
    """Check, ask what is missing, build and deploy.

    With --yes, or where there is no terminal, it asks nothing. The key itself is read from the
    environment (RUNPOD_API_KEY), or asked for, and goes to Secrets Manager alone.
    """
    given = {ENDPOINT: endpoint.rstrip("/"), KEY_SECRET: secret}
    resolve_options = {name: value for name, value in given.items() if value}
    if alarm_email is not None:
        resolve_options[ALARM_EMAIL] = alarm_email
    for each in more:
        name, is_pair, value = each.partition("=")
        if not is_pair:
            raise click.UsageError(f"--parameter takes NAME=VALUE, not {each}")
        resolve_options[name] = value
    answers = _told(file, stack_name, region).having(**resolve_options)
    use_case.deploy(answers, file, may_ask=not yes and sys.stdin.isatty())


@click.command("destroy")
@_file
@_stack
@_region
@click.option(
    "--delete-data",
    is_flag=True,
    help="Also delete the buckets and the table that the stack made, once its name is typed.",
)
@click.option("--name", default="", help="With --delete-data: the stack's name, typed here.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure of the stack.")
def destroy_command(
    file: Path,
    stack_name: str,
    region: str,
    delete_data: bool,
    name: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Delete the stack; buckets and the table of jobs stay.

    With --delete-data they go too, whatever is in them, once the stack's name is typed: here or as --name.
    Buckets that the stack was given always stay. Where the stack is gone already, it deletes what one
    of this name has left behind.
    """
    asked = Asked(deletes_data=delete_data, name=name, is_sure=yes, is_dry_run=dry_run)
    destroy(_told(file, stack_name, region), asked)


def _told(file: Path, stack_name: str, region: str) -> Answers:
    answers = kept.read(file)
    return replace(
        answers, stack_name=stack_name or answers.stack_name, region=region or answers.region
    )

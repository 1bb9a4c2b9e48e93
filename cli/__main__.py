"""Command line: `.venv/bin/summaries --help`, or `python -m cli --help`."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from cli import answers as kept
from cli import deploy as use_case
from cli.answers import ALARM_EMAIL, ENDPOINT, KEY_SECRET, Answers
from cli.doctor import doctor_command
from cli.endpoint import endpoint as endpoint_group
from cli.operating.cancelling import cancel_command
from cli.operating.cost import cost_command
from cli.operating.forgetting import forget_command
from cli.operating.get import get_command
from cli.operating.listing import list_command
from cli.operating.logs import logs_command
from cli.operating.notices import notices_group
from cli.operating.reading import read_command
from cli.operating.redriving import redrive_command
from cli.operating.retrying import retry_command
from cli.operating.secrets import secret
from cli.operating.show import show_command
from cli.operating.status import status_command
from cli.operating.stopping import resume_command, stop_command
from cli.operating.submitting import submit_command
from cli.operating.sweeping import sweep_command
from cli.operating.watch import watch_command
from cli.parameters import ROOT
from cli.twins import give_twins

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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Set up RunPod's endpoint, deploy the stack, and look after it.

    Options have a twin in the environment: SUMMARIES_STACK for --stack of every command, and
    SUMMARIES_COST_JOBS for --jobs of `cost`. Exit codes: 0 fine, 1
    something is wrong, 2 wrong usage, 3 no such job.
    """


@main.command()
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
def deploy(
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


@main.command()
@_file
@_stack
@_region
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
def destroy(file: Path, stack_name: str, region: str, yes: bool) -> None:
    """Delete the stack; buckets and the table of jobs stay."""
    use_case.destroy(_told(file, stack_name, region), is_sure=yes)


def _told(file: Path, stack_name: str, region: str) -> Answers:
    answers = kept.read(file)
    return replace(
        answers, stack_name=stack_name or answers.stack_name, region=region or answers.region
    )


main.add_command(doctor_command)
main.add_command(endpoint_group)
main.add_command(status_command)
main.add_command(list_command)
main.add_command(show_command)
main.add_command(logs_command)
main.add_command(cost_command)
main.add_command(get_command)
main.add_command(watch_command)
main.add_command(cancel_command)
main.add_command(read_command)
main.add_command(retry_command)
main.add_command(notices_group)
main.add_command(redrive_command)
main.add_command(submit_command)
main.add_command(sweep_command)
main.add_command(stop_command)
main.add_command(resume_command)
main.add_command(secret)
main.add_command(forget_command)
give_twins(main, "SUMMARIES")

if __name__ == "__main__":
    main()

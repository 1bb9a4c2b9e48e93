"""`summaries deploy`: what can be known to be wrong is looked at before anything is built."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import boto3
import click

from cli import answers as kept
from cli import checks, leftovers
from cli.answers import ALARM_EMAIL, ENDPOINT, KEY_SECRET, Answers
from cli.parameters import ROOT, parameters, problems_with
from cli.runpod_key import VARIABLE, given_key

_KEY_PREFIX = "rpa_"  # of keys that RunPod makes today
_LONGEST_STACK_NAME = 23  # a bucket's name has 63 characters, and holds account and Region too
_BROKEN = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})

_QUESTIONS: Mapping[str, str] = {
    ENDPOINT: "URL of your RunPod Serverless endpoint, https://api.runpod.ai/v2/ENDPOINT_ID",
    KEY_SECRET: "Name of the secret in Secrets Manager that holds the RunPod key. If there is none of\n"
    "this name, you are asked for the key, and it is stored there",
    ALARM_EMAIL: "E-mail address that alarms go to (empty: none)",
}


def deploy(answers: Answers, file: Path, *, may_ask: bool) -> None:
    """Check, ask what is missing, build, deploy, and say what comes next."""
    _refuse_stack_name(answers.stack_name)
    aws, account = checks.session(answers.region)
    answers = replace(answers, region=str(aws.region_name))
    click.echo(f"AWS account {account}, Region {answers.region}, stack {answers.stack_name}")
    answers = _asked(answers) if may_ask else answers
    _refuse(problems_with(dict(answers.parameters)))
    name = answers.parameters.get(KEY_SECRET) or str(parameters()[KEY_SECRET].fields["Default"])
    key = _key(aws, name, may_ask=may_ask)
    problem = checks.problem_with_endpoint(answers.parameters[ENDPOINT], key)
    _refuse([problem] if problem else [])
    answers = _with_leftovers(answers, aws, account, may_ask=may_ask)
    _refuse(problems_with(dict(answers.parameters)))  # buckets that are taken on count as given
    kept.write(file, answers)
    click.echo(f"answers are in {file.name}; the next deployment asks nothing that it holds")
    _sam("build")
    _sam("deploy", *_deploy_options(answers))
    _tell_next(answers)


def _asked(answers: Answers) -> Answers:
    for name, question in _QUESTIONS.items():
        if name in answers.parameters:
            continue
        default = parameters()[name].fields.get("Default")
        value = _prompt(name, question, default)
        answers = answers.having(**{name: value})
    return answers


def _prompt(name: str, question: str, default: str | None) -> str:
    while True:
        click.echo(f"\n{question}")
        value = str(click.prompt(name, default=default, show_default=bool(default))).strip()
        if name == ENDPOINT:
            value = value.rstrip("/")
        problem = parameters()[name].problem_with(value)
        if name == KEY_SECRET and value.startswith(_KEY_PREFIX):
            problem = (
                "that is a key, not a secret's name; give the name, and the key when asked for it"
            )
        if not problem:
            return value
        click.secho(problem, fg="red")


def _key(aws: boto3.Session, name: str, *, may_ask: bool) -> str:
    """Return the key, stored under its name if it was not."""
    key = checks.key_in(aws, name)
    problem = checks.problem_with_key(key) if key is not None else "does not exist"
    if key is not None and not problem:
        return key
    given = given_key()
    if not given and may_ask:
        given = str(
            click.prompt(f"Secret {name} {problem}. The RunPod key (not shown)", hide_input=True)
        ).strip()
    if not given:
        raise click.ClickException(
            f"secret {name} {problem}: put the key into {VARIABLE} and run this again, or store it with"
            f" `aws secretsmanager create-secret --name {name} --secret-string file://key.txt`"
        )
    problem = checks.problem_with_key(given)
    if problem:
        raise click.ClickException(f"what was given {problem}")
    checks.store_key(aws, name, given)
    click.echo(f"the key is stored as secret {name}")
    return given


def _with_leftovers(
    answers: Answers, aws: boto3.Session, account: str, *, may_ask: bool
) -> Answers:
    """Let the stack go on with the buckets that an earlier one of its name left behind."""
    state = leftovers.stack_state(aws, answers.stack_name)
    if state in _BROKEN:
        raise click.ClickException(
            f"stack {answers.stack_name} is {state} and can't be updated: `summaries destroy` first"
        )
    if state:
        return answers
    names = leftovers.bucket_names(answers.stack_name, account, answers.region)
    ours = {
        parameter: name
        for parameter, name in names.items()
        if not answers.parameters.get(parameter)
    }
    found = leftovers.kept_buckets(aws, ours, account)
    if not found:
        return answers
    listed = ", ".join(found.values())
    if may_ask:
        click.confirm(
            f"\n{listed}: left by an earlier stack of this name. Go on with them, and what is in them?",
            default=True,
            abort=True,
        )
    if "InputBucketName" in found:
        leftovers.announce_by_eventbridge(aws, found["InputBucketName"], answers.stack_name)
    click.echo(f"the stack takes what is there already: {listed}")
    return answers.having(**found)


def _deploy_options(answers: Answers) -> list[str]:
    # --config-env local would be the emulator's; this is the default one, with its questions left out.
    overrides = [f'{name}="{value}"' for name, value in answers.parameters.items()]
    return [
        "--stack-name", answers.stack_name, "--region", answers.region, "--no-confirm-changeset",
        "--parameter-overrides", *overrides,
    ]  # fmt: skip


def _sam(command: str, *options: str) -> None:
    sam = shutil.which("sam", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if sam is None:
        raise click.ClickException("sam is not installed: run `make .venv/ready`, which sets it up")
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    ended = subprocess.run([sam, command, *options], cwd=ROOT, env=environment, check=False)
    if ended.returncode:
        raise click.ClickException(f"`sam {command}` did not succeed; its own words are above")


def _tell_next(answers: Answers) -> None:
    prefix = answers.parameters.get("InputPrefix", "")
    under = f" --key-prefix {prefix}" if prefix else ""
    stack = "" if answers.stack_name == kept.STACK_NAME else f" --stack {answers.stack_name}"
    click.echo("\nDeployed. Upload a transcript, and see its summary a few minutes later:")
    click.echo(f"  summaries submit meeting.txt{under} --wait{stack}")
    click.echo(f"  summaries get {prefix}meeting.txt{stack}")
    if answers.parameters.get(ALARM_EMAIL):
        click.echo(
            "Confirm the subscription in the mail that AWS has just sent, or no alarm arrives."
        )
    click.echo(
        "What to watch and why a job failed: docs/operating.md. To take it down: docs/deploying.md."
    )


def _refuse_stack_name(name: str) -> None:
    is_fit = (
        name[:1].isalpha() and name.replace("-", "").isalnum() and name.isascii() and name.islower()
    )
    if not is_fit or len(name) > _LONGEST_STACK_NAME:
        raise click.ClickException(
            "the stack's name must be lower-case letters, digits and hyphens, begin with a letter, and"
            f" have {_LONGEST_STACK_NAME} characters at most: it is part of bucket names"
        )


def _refuse(problems: list[str]) -> None:
    if problems:
        raise click.ClickException("nothing was deployed:\n  " + "\n  ".join(problems))

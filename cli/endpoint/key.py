"""The key that manages endpoints: from the environment, or the secret that the stack uses."""

import click

from cli import checks
from cli.answers import KEY_SECRET, Answers
from cli.parameters import parameters
from cli.runpod_key import VARIABLE, given_key


def management_key(answers: Answers) -> str:
    """Return a key, not proven. Raises ClickException that says where one was looked for."""
    key = given_key() or _stored(answers)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise click.ClickException(f"what {VARIABLE} or the secret holds is no RunPod key")
    return key


def _stored(answers: Answers) -> str:
    name = answers.parameters.get(KEY_SECRET) or str(parameters()[KEY_SECRET].fields["Default"])
    hint = (
        f"put a RunPod key that may read and write endpoints into {VARIABLE}; the secret {name},"
        " which the stack uses, was looked at too"
    )
    try:
        aws, _account = checks.session(answers.region)
        key = checks.key_in(aws, name)
    except click.ClickException as exc:
        raise click.ClickException(f"{hint}, but {exc.message}") from None
    if not key:
        raise click.ClickException(f"{hint}, but holds nothing")
    return key

"""`secret`: rotates the callback secret step by step, and puts a new RunPod key in its place.

No secret is ever printed, or taken from the command line, where a shell would remember it.
"""

import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console

from cli import checks
from cli.operating.asking import Leave, asks_leave
from cli.operating.deployed import settings_of
from cli.operating.desk import Desk, at_a_desk
from cli.operating.rotation import (
    CallbackSecret,
    Step,
    Unclear,
    callback_secret_in,
    new_secret,
)
from cli.operating.spans import now, short
from cli.runpod_key import given_key

_pause = time.sleep
_MOST_SECONDS_AT_ONCE = 15.0

_NEXT = {
    Step.AT_REST: "announce a new secret",
    Step.ANNOUNCED: "let the new one sign",
    Step.EXCHANGED: "retire the old one",
}
_DONE = {
    Step.ANNOUNCED: "A new secret is announced; the old one still signs.",
    Step.EXCHANGED: "The new secret signs; what the old one signed is still taken.",
    Step.AT_REST: "The rotation is done: the old secret is refused within five minutes.",
}


@click.group("secret")
def secret() -> None:
    """Rotate the callback secret; put a new RunPod key in place."""


@secret.command("status")
@click.option("--at", "at_step", type=click.Choice(["announced", "exchanged"]), hidden=True)
@at_a_desk
def status_command(desk: Desk, at_step: str | None) -> None:
    """Say how far a rotation is, and when its next step may be taken."""
    held = _held(_value(desk)[0], at_step)
    deadline = settings_of(desk).retries.job_deadline
    _tell_step(desk, held, deadline)


@secret.command("rotate")
@click.option("--wait", is_flag=True, help="Stay until the last step is done, more than an hour.")
@click.option(
    "--leaked",
    is_flag=True,
    help="Replace it at once: callbacks under way are refused, and swept up.",
)
@click.option(
    "--at",
    "at_step",
    type=click.Choice(["announced", "exchanged"]),
    help="How far a rotation is that was begun by hand.",
)
@at_a_desk
@asks_leave
def rotate_command(
    desk: Desk, at_step: str | None, leave: Leave, *, wait: bool, leaked: bool
) -> None:
    """Take the next step of a rotation, once its time has come; run it again for the one after.

    No callback is lost: a new secret is announced, five minutes later it signs, and when all that the old
    one signed has ended, the old one is retired. Whoever runs it next, here or elsewhere, goes on.
    """
    if leaked:
        _replace(desk, leave)
        return
    deadline = settings_of(desk).retries.job_deadline
    if at_step:
        _mark(desk, at_step, leave)
    is_asked = bool(at_step)
    while True:
        value, version = _value(desk)
        held = _held(value, at_step)
        next_at = held.next_at(job_deadline=deadline)
        if next_at and next_at > now():
            if wait and not leave.is_dry_run:
                _wait_until(next_at)
                continue
            _tell_step(desk, held, deadline)
            return
        if not is_asked and not leave.given(f"{_NEXT[held.step].capitalize()}?"):
            _tell_step(desk, held, deadline)
            return
        is_asked = True
        moved = held.moved_on(now(), new_secret)
        _put(desk, moved.as_value(), seen=version)
        is_end = moved.step is Step.AT_REST
        if is_end or not wait:
            _tell_step(desk, moved, deadline)
            return
        click.echo(_DONE[moved.step], err=True)


@secret.command("set-key")
@click.option("--unchecked", is_flag=True, help="Do not ask RunPod whether it takes the key.")
@at_a_desk
@asks_leave
def set_key_command(desk: Desk, leave: Leave, *, unchecked: bool) -> None:
    """Put a new RunPod key into the stack's secret, from RUNPOD_API_KEY or as it is typed.

    The functions take it at their next 401 or within five minutes; calls that were held go on.
    """
    settings = settings_of(desk)
    name = settings.runpod.api_key_secret
    key = _new_key()
    problem = checks.problem_with_key(key)
    if problem:
        raise click.ClickException(f"what was given {problem}")
    if not unchecked:
        problem = checks.problem_with_endpoint(settings.runpod.endpoint, key)
    if problem:
        raise click.ClickException(f"{problem} (--unchecked stores it all the same)")
    is_done = leave.given(f"Put the key into the secret {name}?")
    if is_done:
        desk.deployment.client("secretsmanager").put_secret_value(SecretId=name, SecretString=key)

    def show(console: Console) -> None:
        if is_done:
            console.print("The key is stored. Revoke the old one in RunPod's console.")
        else:
            console.print(f"The key would go into the secret {name}.", markup=False)

    told = {"is_dry_run": leave.is_dry_run, "secret": name, "is_stored": is_done}
    desk.tell(told | {"is_checked": not unchecked}, show)


def _mark(desk: Desk, at_step: str, leave: Leave) -> None:
    """Write into the secret how far a rotation is that was begun by hand, so that its time can pass."""
    value, version = _value(desk)
    marked = _held(value, at_step).as_value()
    question = f"Take it that the rotation was {at_step} at this moment, and go on from there?"
    if "step" in json.loads(marked) and marked != value and leave.given(question):
        _put(desk, marked, seen=version)


def _replace(desk: Desk, leave: Leave) -> None:
    question = (
        "Replace the callback secret at once? Callbacks under way will be refused; the sweeper fetches"
        " their results"
    )
    is_done = leave.given(question)
    if is_done:
        _, version = _value(desk)
        _put(desk, CallbackSecret(current="").replaced(new_secret).as_value(), seen=version)

    def show(console: Console) -> None:
        console.print(
            "Replaced. Within five minutes nothing that the old one signed is taken; `sweep` fetches what"
            " is refused meanwhile."
            if is_done
            else "The callback secret would be replaced at once."
        )

    desk.tell({"is_dry_run": leave.is_dry_run, "is_replaced": is_done}, show)


def _new_key() -> str:
    given = given_key()
    if given:
        return given
    if not sys.stdin.isatty():
        raise click.UsageError(
            "put the new key into RUNPOD_API_KEY: there is no terminal to ask at"
        )
    return str(click.prompt("The new RunPod key", hide_input=True, err=True)).strip()


def _value(desk: Desk) -> tuple[str, str]:
    """Return the callback secret's value and the version that it is."""
    answer: Any = desk.deployment.client("secretsmanager").get_secret_value(
        SecretId=desk.deployment.outputs["CallbackSecret"]
    )
    return str(answer["SecretString"]), str(answer["VersionId"])


def _held(value: str, at_step: str | None) -> CallbackSecret:
    try:
        return callback_secret_in(value, at_step=Step(at_step) if at_step else None, now=now())
    except Unclear as exc:
        raise click.ClickException(str(exc)) from None


def _put(desk: Desk, value: str, *, seen: str) -> None:
    """Write the secret unless somebody else did since it was looked at."""
    if _value(desk)[1] != seen:
        raise click.ClickException(
            "somebody else has written the secret in this moment; run it again to go on from there"
        )
    desk.deployment.client("secretsmanager").put_secret_value(
        SecretId=desk.deployment.outputs["CallbackSecret"], SecretString=value
    )


def _wait_until(then: datetime) -> None:
    click.echo(f"Waiting until {then:%H:%M:%S} UTC; Ctrl-C leaves it to a later run.", err=True)
    while (left := (then - now()).total_seconds()) > 0:
        _pause(min(left, _MOST_SECONDS_AT_ONCE))


def _tell_step(desk: Desk, held: CallbackSecret, deadline: timedelta) -> None:
    desk.tell(_told(held, deadline), lambda console: _show(console, held, deadline))


def _told(held: CallbackSecret, deadline: timedelta) -> dict[str, Any]:
    next_at = held.next_at(job_deadline=deadline)
    return {
        "step": held.step.value,
        "since": held.since.isoformat() if held.since else None,
        "next": _NEXT[held.step],
        "next_at": next_at.isoformat() if next_at else None,
    }


def _show(console: Console, held: CallbackSecret, deadline: timedelta) -> None:
    if held.step is Step.AT_REST:
        console.print("One secret counts: no rotation is under way.")
        return
    console.print(_DONE[held.step])
    next_at = held.next_at(job_deadline=deadline)
    if next_at and next_at > now():
        console.print(
            f"Next, in {short(next_at - now())} ({next_at:%H:%M:%S} UTC): {_NEXT[held.step]}. Then run"
            " `secret rotate` again.",
            highlight=False,
        )
    else:
        console.print(f"Next, now: {_NEXT[held.step]}. Run `secret rotate`.")

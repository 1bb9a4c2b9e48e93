"""The callback secret's rotation, as steps that stand in the secret's own value. Pure.

    {"current": OLD, "previous": ""}                           at rest
    {"current": OLD, "previous": NEW, "step": "announced"}     every function learns NEW before it signs
    {"current": NEW, "previous": OLD, "step": "exchanged"}     NEW signs; what OLD signed comes in still
    {"current": NEW, "previous": ""}                           at rest: OLD is refused

The functions read `current` and `previous` alone. `step` and `since` tell whoever goes on with a rotation
how far it is; without them, a value with two secrets does not say which of the two middle steps it is at.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

SECRET_CHARACTERS = 64
# Functions keep the secret in memory so long (core/aws/secrets.py).
LEARNING_TIME = timedelta(minutes=5)
_LEAST_CHARACTERS = 32
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Step(StrEnum):
    AT_REST = "at rest"
    ANNOUNCED = "announced"
    EXCHANGED = "exchanged"


class Unclear(Exception):
    """The value does not say how far a rotation is. The message says what to do, and no secret."""


@dataclass(frozen=True, kw_only=True)
class CallbackSecret:
    current: str = field(repr=False)
    previous: str = field(default="", repr=False)
    step: Step = Step.AT_REST
    since: datetime | None = None

    def as_value(self) -> str:
        """Return the secret's value."""
        fields = {"current": self.current, "previous": self.previous}
        if self.step is not Step.AT_REST and self.since:
            fields |= {"step": self.step.value, "since": self.since.isoformat()}
        return json.dumps(fields)

    def next_at(self, *, job_deadline: timedelta) -> datetime | None:
        """Return when the next step may be taken; None is at once."""
        if self.since is None:
            return None
        # What the old one signed has ended by its job's deadline.
        pause = LEARNING_TIME + (job_deadline if self.step is Step.EXCHANGED else timedelta())
        return self.since + pause

    def moved_on(self, now: datetime, new: Callable[[], str]) -> "CallbackSecret":
        """Take the next step."""
        match self.step:
            case Step.AT_REST:
                return replace(self, previous=new(), step=Step.ANNOUNCED, since=now)
            case Step.ANNOUNCED:
                return CallbackSecret(
                    current=self.previous, previous=self.current, step=Step.EXCHANGED, since=now
                )
            case Step.EXCHANGED:
                return CallbackSecret(current=self.current)

    def replaced(self, new: Callable[[], str]) -> "CallbackSecret":
        """Leave nothing of what has leaked."""
        return CallbackSecret(current=new())


def new_secret() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARACTERS))


def callback_secret_in(value: str, *, at_step: Step | None, now: datetime) -> CallbackSecret:
    """Read the secret's value. `at_step` says what it does not say itself. Raises Unclear."""
    try:
        fields: Mapping[str, str] = json.loads(value)
        current, previous = str(fields["current"]), str(fields.get("previous") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unclear(
            'the callback secret is not JSON like {"current": "...", "previous": ""}: no function can use'
            " it; `secret rotate --leaked` makes a new one at once"
        ) from None
    if len(current) < _LEAST_CHARACTERS:
        raise Unclear(
            f"the callback secret's `current` is shorter than {_LEAST_CHARACTERS} characters, and no"
            " function can use it; `secret rotate --leaked` makes a new one at once"
        )
    if not previous:
        return CallbackSecret(current=current)
    try:
        step, since = Step(fields["step"]), datetime.fromisoformat(fields["since"])
    except (KeyError, ValueError, TypeError):
        if at_step is None:
            raise Unclear(
                "a rotation was begun by hand, and the secret does not say how far it is: say"
                " `--at announced` if `previous` is the new one, `--at exchanged` if it is the old one"
            ) from None
        step, since = at_step, now
    return CallbackSecret(current=current, previous=previous, step=step, since=since)

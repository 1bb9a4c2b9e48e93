"""The API key and the callback secrets, from Secrets Manager, kept in memory for minutes.

What can't be read is a SecretUnusable with the reason, and is not asked for again for a moment: hundreds
of calls may want it at once.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from core.aws.unreadable_secrets import empty, unreadable
from core.errors import SecretUnusable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_SECONDS = 300
# A stranger's wrong tokens must not become as many requests to Secrets Manager.
_REFETCH_PAUSE_SECONDS = 30
# Hundreds of calls want a secret in the same moment. But RunPod calls back three times within 20 seconds,
# the second time after 5 to 10, and each time must have a read of its own.
_FAILURE_KEPT_SECONDS = 2


class SecretReader:
    def __init__(
        self,
        client: "SecretsManagerClient",
        name: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,  # noqa: TID251 - the default of an age, as above
    ) -> None:
        self._client = client
        self._name = name
        self._monotonic = monotonic
        self._clock = (
            clock  # of a value's age: the other may stand still while Lambda freezes a function
        )
        self._value = ""
        self._value_at = float("-inf")
        self._last_refetch = float("-inf")
        self._trouble = ""
        self._trouble_at = float("-inf")

    def value(self) -> str:
        """Return the value. Raises SecretUnusable."""
        return self._get(force=False)

    def refetched(self) -> str:
        """Return the value afresh, unless that was done a moment ago. Raises SecretUnusable."""
        may_refetch = self._monotonic() - self._last_refetch >= _REFETCH_PAUSE_SECONDS
        return self._get(force=may_refetch)

    def _get(self, *, force: bool) -> str:
        now = self._monotonic()
        if now - self._trouble_at < _FAILURE_KEPT_SECONDS:
            raise SecretUnusable(self._trouble)
        if force:  # here, for a refetch that was not made is none to pause after
            self._last_refetch = now
        elif self._clock() - self._value_at < _KEPT_SECONDS:
            return self._value
        try:
            value = self._client.get_secret_value(SecretId=self._name).get("SecretString", "")
        except (ClientError, BotoCoreError) as exc:
            self._trouble = unreadable(self._name, exc)
        else:
            if value.strip():
                self._value, self._value_at = value.strip(), self._clock()
                self._trouble_at = float("-inf")
                return self._value
            self._trouble = empty(self._name)
        # A refetch that fails spoils nothing: what is cached may still be good.
        self._trouble_at = float("-inf") if force else self._monotonic()
        # Without the cause: it quotes what AWS said, and nobody has checked what that may hold.
        raise SecretUnusable(self._trouble) from None


class ManagedCallbackSecrets:
    """The secret's value is JSON: `{"current": "...", "previous": "..."}`.

    Tokens are made with `current`, and both are valid. To rotate without losing a callback, announce the
    new secret as `previous` first, and exchange the two once every function knows both: `summaries secret
    rotate` takes the steps, each when it has its time (cli/operating/rotation.py).
    """

    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader

    def current(self) -> bytes:
        return self._parsed(self._reader.value())[0]

    def live(self) -> tuple[bytes, ...]:
        return self._parsed(self._reader.value())

    def refetched(self) -> tuple[bytes, ...]:
        return self._parsed(self._reader.refetched())

    @staticmethod
    def _parsed(value: str) -> tuple[bytes, ...]:
        try:
            fields = json.loads(value)
            current, previous = fields["current"], fields.get("previous", "")
            secrets = (current.encode(), previous.encode())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SecretUnusable(
                'the callback secret must be JSON: {"current": "...", "previous": ""}'
            ) from None
        if len(secrets[0]) < 32:  # noqa: PLR2004 - the length of the digest it keys
            raise SecretUnusable("the callback secret's `current` must have 32 characters or more")
        return tuple(secret for secret in secrets if secret)

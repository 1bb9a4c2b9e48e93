"""The API key and the callback secrets, from Secrets Manager, kept in memory for minutes."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.parameters import SecretsProvider

from core.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_SECONDS = 300
# A stranger's wrong tokens must not become as many requests to Secrets Manager.
_REFETCH_PAUSE_SECONDS = 30


class SecretReader:
    def __init__(
        self,
        client: "SecretsManagerClient",
        name: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = SecretsProvider(boto3_client=client)
        self._name = name
        self._monotonic = monotonic
        self._last_refetch = float("-inf")

    def value(self) -> str:
        return self._get(force=False)

    def refetched(self) -> str:
        """Return the value afresh, unless that was done a moment ago."""
        now = self._monotonic()
        may_refetch = now - self._last_refetch >= _REFETCH_PAUSE_SECONDS
        if may_refetch:
            self._last_refetch = now
        return self._get(force=may_refetch)

    def _get(self, *, force: bool) -> str:
        value = self._provider.get(self._name, max_age=_KEPT_SECONDS, force_fetch=force)
        if not isinstance(value, str) or not value.strip():
            raise SettingsError(f"secret {self._name} is empty; put its value into Secrets Manager")
        return value.strip()


class ManagedCallbackSecrets:
    """The secret's value is JSON: `{"current": "...", "previous": "..."}`.

    Tokens are made with `current`, and both are valid. To rotate without losing a callback, announce the
    new secret as `previous` first, and exchange the two once every function knows both: the steps, and
    how long to wait between them, are in docs/operating.md.
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
            raise SettingsError(
                'the callback secret must be JSON: {"current": "...", "previous": ""}'
            ) from None
        if len(secrets[0]) < 32:  # noqa: PLR2004 - the length of the digest it keys
            raise SettingsError("the callback secret's `current` must have 32 characters or more")
        return tuple(secret for secret in secrets if secret)

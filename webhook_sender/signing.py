"""The headers by which a receiver knows that a message is from here, and which one it is."""

import binascii
import json
from datetime import datetime

from standardwebhooks import Webhook

from core.aws.secrets import SecretReader
from core.errors import SecretUnusable

_SHORTEST_KEY_BYTES = 24  # Standard Webhooks asks for 24 to 64
_PREFIX = "whsec_"
_SHAPE = (
    "the webhook's secret must be whsec_ and 32 letters of base64 or more, alone or as JSON:"
    ' {"current": "whsec_...", "previous": ""}'
)


class Signer:
    """Signs with each secret that a receiver may know: with both, while one takes the other's place."""

    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader

    def headers(self, message_id: str, body: str, *, now: datetime) -> dict[str, str]:
        """Raises SecretUnusable."""
        signatures = [each.sign(message_id, now, body) for each in _webhooks(self._reader.value())]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def _webhooks(value: str) -> list[Webhook]:
    return [_webhook(secret) for secret in _secrets(value)]


def _secrets(value: str) -> list[str]:
    if value.startswith(_PREFIX):
        return [value]
    try:
        fields = json.loads(value)
        secrets = [fields["current"], fields.get("previous", "")]
        return [each for number, each in enumerate(secrets) if each or number == 0]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SecretUnusable(_SHAPE) from None


def _webhook(secret: str) -> Webhook:
    try:
        key = binascii.a2b_base64(secret.removeprefix(_PREFIX) + "==")
    except (ValueError, AttributeError):
        raise SecretUnusable(_SHAPE) from None
    if len(key) < _SHORTEST_KEY_BYTES:
        raise SecretUnusable(_SHAPE)
    return Webhook(key)

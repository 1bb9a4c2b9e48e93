"""What is signed here is verified by the library of Standard Webhooks."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core.errors import SecretUnusable
from webhook_sender.signing import Signer

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
GENERATED = "aB3" * 21 + "z"  # 64 letters, as Secrets Manager makes them
BODY = '{"type":"summary.failed"}'


class Reader:
    def __init__(self, value: str) -> None:
        self._value = value

    def value(self) -> str:
        return self._value


def headers(value: str, *, now: datetime | None = None) -> dict[str, str]:
    reader: object = Reader(value)
    return Signer(reader).headers("m-1", BODY, now=now or datetime.now(UTC))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        (NEW, NEW),
        (json.dumps({"current": NEW}), NEW),
        (json.dumps({"current": GENERATED, "previous": ""}), f"whsec_{GENERATED}"),
        (json.dumps({"current": GENERATED, "previous": ""}), GENERATED),
    ],
)
def test_the_receiver_verifies_it_with_the_secret(value: str, secret: str) -> None:
    assert Webhook(secret).verify(BODY, headers(value)) == json.loads(BODY)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_a_secret_is_exchanged_either_verifies_it(secret: str) -> None:
    signed = headers(json.dumps({"current": NEW, "previous": OLD}))

    assert len(signed["webhook-signature"].split()) == 2
    assert Webhook(secret).verify(BODY, signed)


def test_another_body_another_id_and_another_secret_are_refused() -> None:
    signed = headers(NEW)

    for secret, body, changed in (
        (OLD, BODY, signed),
        (NEW, BODY + " ", signed),
        (NEW, BODY, signed | {"webhook-id": "m-2"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, changed)


def test_each_try_has_the_time_of_its_own_and_the_same_id() -> None:
    now = datetime.now(UTC)
    first, later = headers(NEW, now=now), headers(NEW, now=now + timedelta(hours=9))

    assert first["webhook-id"] == later["webhook-id"]
    assert int(later["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 9 * 3600
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(BODY, headers(NEW, now=now - timedelta(minutes=6)))


@pytest.mark.parametrize(
    "value",
    [
        "not a secret",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_!!!",
        "{}",
        '{"current": 7}',
        '{"current": ""}',
        json.dumps({"current": NEW, "previous": "whsec_c2hvcnQ="}),
        "[]",
    ],
)
def test_what_is_no_secret_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(SecretUnusable) as refused:
        headers(value)

    assert "c2hvcnQ" not in str(refused.value)
    assert "whsec_ and" in str(refused.value)

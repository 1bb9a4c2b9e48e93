"""The contract of secrets read from Secrets Manager (moto)."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from core.aws.secrets import ManagedCallbackSecrets, SecretReader
from core.errors import SecretUnusable, SettingsError
from tests.builders import SECRET

OTHER = "n" * 40


@pytest.fixture
def manager() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="callback", SecretString="to be set")
        yield client


def secrets(manager: Any, value: str) -> ManagedCallbackSecrets:
    manager.put_secret_value(SecretId="callback", SecretString=value)
    return ManagedCallbackSecrets(SecretReader(manager, "callback"))


def test_new_tokens_are_made_with_the_current_one_and_both_count(manager: Any) -> None:
    both = secrets(manager, json.dumps({"current": SECRET.decode(), "previous": OTHER}))

    assert both.current() == SECRET
    assert both.live() == (SECRET, OTHER.encode())


@pytest.mark.parametrize("fields", [{}, {"previous": ""}], ids=["missing", "empty"])
def test_without_a_rotation_one_counts(manager: Any, fields: dict[str, str]) -> None:
    one = secrets(manager, json.dumps({"current": SECRET.decode()} | fields))

    assert one.live() == (SECRET,)


@pytest.mark.parametrize("current", ["", "x", "x" * 31])
def test_a_callback_secret_that_could_be_guessed_is_refused(manager: Any, current: str) -> None:
    with pytest.raises(SettingsError, match="32 characters"):
        secrets(manager, json.dumps({"current": current})).live()


@pytest.mark.parametrize("value", [SECRET.decode(), "[]", "{}", '{"current": 7}'])
def test_a_malformed_callback_secret_is_refused_without_being_shown(
    manager: Any, value: str
) -> None:
    with pytest.raises(SettingsError, match="must be JSON") as refused:
        secrets(manager, value).live()

    assert SECRET.decode() not in str(refused.value)


def test_a_secret_without_a_value_is_refused(manager: Any) -> None:
    manager.put_secret_value(SecretId="callback", SecretString=" ")

    with pytest.raises(SettingsError, match="is empty"):
        SecretReader(manager, "callback").value()


class Broken:
    """Secrets Manager, refusing with one code."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.asked = 0

    def get_secret_value(self, **_: Any) -> Any:
        self.asked += 1
        message = "User: arn:aws:sts::1:assumed-role/x is not authorized, because"
        raise ClientError({"Error": {"Code": self.code, "Message": message}}, "GetSecretValue")


@pytest.mark.parametrize(
    ("code", "what_to_do"),
    [
        ("ResourceNotFoundException", "create it"),
        ("AccessDeniedException", "check the function's role"),
        ("DecryptionFailure", "check its KMS key"),
        ("InvalidRequestException", "restore it"),
        ("InternalServiceError", "tried again"),
    ],
)
def test_a_secret_that_can_not_be_read_says_which_and_why_and_what_to_do(
    code: str, what_to_do: str
) -> None:
    reader = SecretReader(Broken(code), "runpod/api-key")  # type: ignore[arg-type]

    with pytest.raises(SecretUnusable) as refused:
        reader.value()

    message = str(refused.value)
    assert "runpod/api-key" in message
    assert code in message
    assert what_to_do in message
    assert "arn:" not in message


def test_hundreds_of_callbacks_do_not_each_request_an_unreadable_secret() -> None:
    manager = Broken("ResourceNotFoundException")
    reader = SecretReader(manager, "runpod/api-key", monotonic=lambda: 7.0)  # type: ignore[arg-type]

    for _ in range(300):
        with pytest.raises(SecretUnusable, match="does not exist"):
            reader.value()

    assert manager.asked == 1


def test_a_read_that_fails_slowly_is_not_repeated_by_each_of_hundreds() -> None:
    now = [0.0]

    class Slow(Broken):
        def get_secret_value(self, **asked: Any) -> Any:
            now[0] += 20
            return super().get_secret_value(**asked)

    manager = Slow("InternalServiceError")
    reader = SecretReader(manager, "runpod/api-key", monotonic=lambda: now[0])  # type: ignore[arg-type]

    for _ in range(300):
        with pytest.raises(SecretUnusable):
            reader.value()

    assert manager.asked == 1


def test_a_repaired_secret_is_read_a_moment_later(manager: Any) -> None:
    now = [0.0]
    reader = SecretReader(manager, "runpod/api-key", monotonic=lambda: now[0])
    with pytest.raises(SecretUnusable):
        reader.value()
    manager.create_secret(Name="runpod/api-key", SecretString="rpa_x")

    now[0] += 5  # RunPod calls back three times within 20 seconds, and may find it mended each time

    assert reader.value() == "rpa_x"


def test_a_refetch_that_could_not_be_made_is_made_a_moment_later(manager: Any) -> None:
    now = [0.0]
    reader = SecretReader(manager, "runpod/api-key", monotonic=lambda: now[0])
    with pytest.raises(SecretUnusable):
        reader.value()
    with pytest.raises(SecretUnusable):
        reader.refetched()
    manager.create_secret(Name="runpod/api-key", SecretString="rpa_x")
    now[0] += 5
    reader.value()
    manager.put_secret_value(SecretId="runpod/api-key", SecretString="rpa_y")

    assert reader.refetched() == "rpa_y"


def test_a_secret_is_read_again_after_minutes(manager: Any) -> None:
    now = [0.0]
    reader = SecretReader(manager, "callback", clock=lambda: now[0])
    reader.value()
    manager.put_secret_value(SecretId="callback", SecretString="new")
    now[0] += 60
    still = reader.value()

    now[0] += 600

    assert (still, reader.value()) == ("to be set", "new")

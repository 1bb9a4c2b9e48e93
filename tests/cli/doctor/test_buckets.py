"""Which key a bucket encrypts with, as far as an operator can see it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.doctor.buckets import Key, key_as_it_is

ARN = "arn:aws:kms:eu-central-1:123456789012:key/0b1c"


class Kms:
    def __init__(self, **told: str) -> None:
        self._told = told

    def describe_key(self, **_: Any) -> dict[str, Any]:
        if not self._told:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeKey"
            )
        return {"KeyMetadata": self._told}


@pytest.mark.parametrize(
    ("kms", "key"),
    [
        (Kms(Arn=ARN, KeyState="Disabled", KeyManager="CUSTOMER"), Key(arn=ARN, state="Disabled")),
        (Kms(Arn=ARN, KeyState="Enabled", KeyManager="AWS"), Key()),
        (Kms(), Key(arn="0b1c")),
    ],
    ids=["the customer's own", "AWS's for S3", "one that may not be seen"],
)
def test_a_key_is_what_can_be_seen_of_it(kms: Kms, key: Key) -> None:
    assert key_as_it_is(kms, "0b1c") == key


def test_without_a_key_nothing_is_asked() -> None:
    assert key_as_it_is(None, "") == Key()

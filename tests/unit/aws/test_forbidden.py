"""A refusal of S3 becomes a reason that says which grant is missing."""

import pytest
from botocore.exceptions import ClientError

from core.aws.forbidden import forbidden

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0b1c"
KMS_REFUSAL = (
    "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: kms:Decrypt on"
    f" resource: {KEY} because no identity-based policy allows the kms:Decrypt action"
)


def error(code: str, message: str = "", operation: str = "GetObject") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def test_a_missing_grant_on_a_kms_key_is_named_with_the_key() -> None:
    refusal = forbidden(error("AccessDenied", KMS_REFUSAL), "reading a.txt")

    assert refusal is not None
    assert refusal.code == "forbidden"
    assert f"reading a.txt was refused: kms:Decrypt on the KMS key {KEY} is missing" in str(refusal)
    assert "InputBucketKmsKeyArn" in str(refusal)


@pytest.mark.parametrize(
    ("code", "operation", "action"),
    [
        ("AccessDenied", "GetObject", "s3:GetObject"),
        ("403", "HeadObject", "s3:GetObject"),
        ("AccessDenied", "PutObject", "s3:PutObject"),
    ],
)
def test_a_refusal_without_details_lists_every_possible_cause(
    code: str, operation: str, action: str
) -> None:
    said = str(forbidden(error(code, "Access Denied", operation), "reading a.txt"))

    assert said.startswith(f"S3 answered 403 to reading a.txt: {action} is missing")
    assert "KMS" in said


@pytest.mark.parametrize("code", ["KMS.DisabledException", "KMS.NotFoundException"])
def test_a_key_that_is_gone_is_no_missing_grant(code: str) -> None:
    assert "can't be used" in str(forbidden(error(code), "reading a.txt"))


@pytest.mark.parametrize("code", ["NoSuchKey", "SlowDown", "InternalError", "404", "503"])
def test_any_other_answer_is_no_refusal(code: str) -> None:
    assert forbidden(error(code), "reading a.txt") is None

"""What is read of one bucket, and of the key that it encrypts with."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli.doctor.expiries import expiries_of
from cli.doctor.readings import Bucket

_ALL_NEW = "s3:ObjectCreated:*"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of the customer's own; empty where there is none."""

    arn: str = ""
    state: str = ""  # "" where it can't be seen


def bucket_as_it_is(s3: Any, kms: Any, name: str) -> Bucket:
    try:
        # us-east-1 is told as null, and an old one of Ireland as EU
        region = s3.get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1"
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "NoSuchBucket":
            return Bucket(name=name, problem="it does not exist")
        raise
    told = s3.get_bucket_notification_configuration(Bucket=name)
    full, filtered = _queues_in(told)
    key = key_as_it_is(kms, _key_id_of(s3, name))
    return Bucket(
        name=name,
        region="eu-west-1" if region == "EU" else region,
        queues=full,
        filtered_queues=filtered,
        announces_to_eventbridge="EventBridgeConfiguration" in told,
        key_arn=key.arn,
        key_state=key.state,
        expiries=expiries_of(s3, name),
    )


def key_as_it_is(kms: Any, key_id: str) -> Key:
    """Look a key up by its id or ARN. AWS's own are nobody's to look after, so they are none."""
    if not key_id:
        return Key()
    with suppress(ClientError):  # whoever operates this need not see the key
        told = kms.describe_key(KeyId=key_id)["KeyMetadata"]
        if told.get("KeyManager") == "AWS":
            return Key()
        return Key(arn=told["Arn"], state=told.get("KeyState", ""))
    return Key(arn=key_id)


def _key_id_of(s3: Any, bucket: str) -> str:
    try:
        told = s3.get_bucket_encryption(Bucket=bucket)
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ServerSideEncryptionConfigurationNotFoundError":
            return ""
        raise
    (rule, *_) = told["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", ""))


def _queues_in(told: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    full: list[str] = []
    filtered: list[str] = []
    for each in told.get("QueueConfigurations", []):
        is_whole = _ALL_NEW in each["Events"] and not each.get("Filter")
        (full if is_whole else filtered).append(each["QueueArn"])
    return tuple(full), tuple(filtered)

"""Buckets that an earlier stack of the same name left behind, and how a new one goes on with them.

A deleted stack keeps its buckets: they hold somebody's transcripts and summaries. A new stack of the same
name would want to make them again, and fail. It can take them as buckets that exist.
"""

from typing import Any

import boto3
import click
from botocore.exceptions import ClientError

_GONE = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})


def stack_state(aws: boto3.Session, name: str) -> str:
    """Return CloudFormation's word for the stack's state, or "" if there is no such stack."""
    try:
        stacks = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ValidationError":
            return ""
        raise
    state = str(stacks[0]["StackStatus"]) if stacks else ""
    return "" if state in _GONE else state


def bucket_names(stack_name: str, account: str, region: str) -> dict[str, str]:
    """Return the names that the template gives its buckets, by the parameter that takes another."""
    return {
        "InputBucketName": f"{stack_name}-transcripts-{account}-{region}",
        "OutputBucketName": f"summaries-{stack_name}-{account}-{region}",
    }


def kept_buckets(aws: boto3.Session, names: dict[str, str], account: str) -> dict[str, str]:
    """Return those of them that exist."""
    return {parameter: name for parameter, name in names.items() if _exists(aws, name, account)}


def announce_by_eventbridge(aws: boto3.Session, bucket: str, stack_name: str) -> None:
    """Let a bucket announce uploads as one that exists must, and no longer to the old stack's queue."""
    s3: Any = aws.client("s3")
    configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
    configuration.pop("ResponseMetadata", None)
    queues = [
        each
        for each in configuration.pop("QueueConfigurations", [])
        if not each["QueueArn"].rsplit(":", 1)[-1].startswith(f"{stack_name}-")
    ]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            **configuration,
            **({"QueueConfigurations": queues} if queues else {}),
            "EventBridgeConfiguration": {},
        },
        SkipDestinationValidation=True,
    )


def _exists(aws: boto3.Session, bucket: str, account: str) -> bool:
    try:
        aws.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as exc:
        code = exc.response["Error"]["Code"]
        if code in {"404", "NoSuchBucket"}:
            return False
        raise click.ClickException(
            f"bucket {bucket} exists and can't be used (HTTP {code}): it is another account's, or"
            " closed to you; choose another --stack-name"
        ) from None
    return True

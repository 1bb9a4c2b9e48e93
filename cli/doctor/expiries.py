"""What a bucket's lifecycle rules delete, and when."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


def expiries_of(s3: Any, bucket: str) -> tuple[tuple[str, int], ...]:
    """Ask a bucket for its rules."""
    try:
        told = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return ()
        raise
    return expiries_in(told)


def expiries_in(told: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Return prefix and days of each rule that deletes, also where tags or sizes narrow it."""
    found = []
    for rule in told.get("Rules", []):
        days = rule.get("Expiration", {}).get("Days")
        if rule.get("Status") == "Enabled" and days:
            within = rule.get("Filter", {})
            prefix = within.get("Prefix") or within.get("And", {}).get("Prefix")
            found.append((str(prefix or rule.get("Prefix", "")), int(days)))
    return tuple(found)

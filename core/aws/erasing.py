"""Erases for good: every version of an object, and every item of a job's record.

For an operator who is asked to forget a transcript. Nothing of the pipeline calls it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.aws.values import packed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_MOST_DELETED_AT_ONCE = (
    25  # items; S3's pages have a thousand versions, as many as it deletes at once
)
_MOST_KEYS = 1_000


@dataclass(frozen=True)
class ObjectVersion:
    key: str
    version_id: str  # "null" in a bucket without versions
    is_latest: bool
    is_deletion: bool  # a delete marker, which names the key and holds nothing


def versions_of(client: "S3Client", bucket: str, prefix: str) -> Iterator[ObjectVersion]:
    """Yield all that was ever put under a prefix and is still there, delete markers included."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for kind in ("Versions", "DeleteMarkers"):
            listed: Sequence[Any] = page.get(kind, [])  # type: ignore[assignment]
            for each in listed:
                yield ObjectVersion(
                    each["Key"], each["VersionId"], each["IsLatest"], kind == "DeleteMarkers"
                )


def erase_versions(
    client: "S3Client", bucket: str, versions: Sequence[ObjectVersion]
) -> list[tuple[ObjectVersion, str]]:
    """Delete versions of objects; return those that S3 kept, with its code for why."""
    kept = []
    for at in range(0, len(versions), _MOST_KEYS):
        some = {(each.key, each.version_id): each for each in versions[at : at + _MOST_KEYS]}
        answer = client.delete_objects(
            Bucket=bucket,
            Delete={
                "Objects": [{"Key": key, "VersionId": version} for key, version in some],
                "Quiet": True,
            },
        )
        for error in answer.get("Errors", []):
            version = some.get((error.get("Key", ""), error.get("VersionId", "null")))
            if version:
                kept.append((version, error.get("Code", "unknown")))
    return kept


def items_of(client: "DynamoDBClient", table: str, job_id: str) -> list[dict[str, Any]]:
    """Return the keys of a job's items: the job itself, and its calls."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="job_id = :job",
        ExpressionAttributeValues=packed({":job": job_id}),
        ExpressionAttributeNames={"#item": "item"},
        ProjectionExpression="job_id, #item",
        ConsistentRead=True,
    )
    return [item for page in pages for item in page["Items"]]


def erase_items(client: "DynamoDBClient", table: str, keys: Sequence[dict[str, Any]]) -> None:
    """Delete items by their keys, however often DynamoDB puts some off."""
    for at in range(0, len(keys), _MOST_DELETED_AT_ONCE):
        some: Any = [
            {"DeleteRequest": {"Key": key}} for key in keys[at : at + _MOST_DELETED_AT_ONCE]
        ]
        while some:
            answer = client.batch_write_item(RequestItems={table: some})
            some = answer.get("UnprocessedItems", {}).get(table, [])

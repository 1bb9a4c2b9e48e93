"""Deletes old texts between a transcript and its summary where no rule of the bucket does.

A given bucket's lifecycle is its owner's: CloudFormation can't add to it. So each sweep looks at one
part of what lies under `work/` and deletes what no job can want any more. By age alone, whoever wrote
it and however late: a job ends within hours, so nothing that is wanted is ever that old.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.aws.names import WORK_PREFIX, is_work_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PARTS = 256  # a job's id begins with two of 256 hexadecimal pairs, evenly spread
_MOST_PAGES = 10  # of a thousand keys; what is left has its turn again within hours


class S3WorkFiles:
    def __init__(self, client: "S3Client", bucket: str, *, kept: timedelta) -> None:
        self._client = client
        self._bucket = bucket
        self._kept = kept

    def expire(self, part: int, *, now: datetime) -> int:
        """Delete what is older than it is kept, in one of the parts; return how many texts."""
        listed = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=f"{WORK_PREFIX}{part % PARTS:02x}",
            PaginationConfig={"MaxItems": _MOST_PAGES * 1000},
        )
        expired = 0
        for page in listed:
            keys = [
                item["Key"]
                for item in page.get("Contents", [])
                if is_work_key(item["Key"]) and item["LastModified"] < now - self._kept
            ]
            if keys:
                answer = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
                )
                expired += len(keys) - len(answer.get("Errors", []))
        return expired

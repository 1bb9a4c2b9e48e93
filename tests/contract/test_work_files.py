"""Old notes leave a bucket that has no rule for it, and nothing else does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.aws.files import delivery_key
from core.aws.work_files import PARTS, S3WorkFiles

KEPT = timedelta(days=7)
JOB_ID = "ab" + "0" * 30
PART = 0xAB
OURS = [
    f"work/{JOB_ID}/{name}"
    for name in ("material.json", "glossary.json", "stage-12.json", "whole.txt", "3-10.txt")
]


@pytest.fixture(name="s3")
def _s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="out")
        yield client


def later(after: timedelta = KEPT + timedelta(minutes=5)) -> datetime:
    """Return a time so long after the objects were written, which S3 dates by the clock."""
    return datetime.now(UTC) + after


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="out", Key=key, Body=b"notes")


def there(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket="out").get("Contents", [])]


def test_notes_of_every_kind_are_deleted_after_a_week(s3: Any) -> None:
    put(s3, *OURS, delivery_key(JOB_ID, "whole", 2))

    assert S3WorkFiles(s3, "out", kept=KEPT).expire(PART, now=later()) == len(OURS) + 1
    assert there(s3) == []


def test_notes_that_a_job_may_want_stay(s3: Any) -> None:
    put(s3, *OURS)

    assert S3WorkFiles(s3, "out", kept=KEPT).expire(PART, now=later(timedelta(days=6))) == 0
    assert sorted(there(s3)) == sorted(OURS)


def test_what_the_buckets_owner_keeps_under_the_same_prefix_is_never_touched(s3: Any) -> None:
    owners = [f"work/{JOB_ID}/plan.txt", f"work/{JOB_ID}.txt", "work/about.txt", "work/abc/1-0.txt"]
    put(s3, *owners, f"summaries/{JOB_ID}/whole.txt", f"old/work/{JOB_ID}/whole.txt")
    before = there(s3)

    for part in range(PARTS):
        S3WorkFiles(s3, "out", kept=KEPT).expire(part, now=later())

    assert there(s3) == before


def test_one_page_of_them_is_checked_each_time(s3: Any) -> None:
    put(s3, *OURS)

    assert S3WorkFiles(s3, "out", kept=KEPT).expire(PART + 1, now=later()) == 0
    assert S3WorkFiles(s3, "out", kept=KEPT).expire(PART + PARTS, now=later()) == len(OURS)


def test_more_than_a_page_of_them_is_deleted(s3: Any) -> None:
    put(s3, *(f"work/{JOB_ID}/1-{number}.txt" for number in range(1005)))

    assert S3WorkFiles(s3, "out", kept=KEPT).expire(PART, now=later()) == 1005

"""The sweeper deletes old notes where the output bucket was given, and only there."""

from datetime import timedelta

import boto3
import pytest

from core import wiring
from core.aws.work_files import KEPT
from sweeper import app
from tests.builders import JOB_ID
from tests.fakes.cloud import running_cloud

NOTES = f"work/{JOB_ID}/1-0.txt"


@pytest.mark.parametrize(("expires", "left"), [("true", []), ("false", [NOTES])])
def test_a_sweep_deletes_old_notes_of_a_given_bucket(
    monkeypatch: pytest.MonkeyPatch, expires: str, left: list[str]
) -> None:
    with running_cloud(monkeypatch, EXPIRES_WORK_FILES=expires) as cloud:
        boto3.client("s3").put_object(Bucket="out", Key=NOTES, Body=b"notes")
        much_later = wiring.now() + KEPT + timedelta(hours=1)
        monkeypatch.setattr(wiring, "now", lambda: much_later)
        monkeypatch.setattr(app.random, "randrange", lambda _: int(JOB_ID[:2], 16))

        cloud.invoke("sweeper", cloud.event("sweeper-scheduled"))

        listed = boto3.client("s3").list_objects_v2(Bucket="out").get("Contents", [])
        assert [item["Key"] for item in listed] == left


def test_a_bucket_that_refuses_it_fails_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_cloud(monkeypatch, EXPIRES_WORK_FILES="true") as cloud:
        boto3.resource("s3").Bucket("out").delete()

        assert cloud.invoke("sweeper", cloud.event("sweeper-scheduled")) == {}

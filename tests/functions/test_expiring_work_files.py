"""The sweeper deletes old notes where the output bucket was given, and only there."""

from datetime import timedelta

import boto3
import pytest

from core import wiring
from core.runpod.work_order import parse_work_order
from core.summaries.options import Mode
from sweeper import app
from tests.builders import (
    JOB_ID,
    SUMMARY_TEXT,
    a_manifest,
    a_request,
    manifest_body,
    submitter_settings,
)
from tests.fakes.cloud import running_cloud
from tests.fakes.memory import presigned
from tests.fakes.model import a_transcript
from tests.functions.pipeline import Pipeline


def work_files(mode: Mode) -> list[str]:
    """Return the names of all that lies under `work/` once a job of many calls has ended."""
    pipeline = Pipeline(settings=submitter_settings(8_192, options=a_request(mode=mode)))
    job = pipeline.upload(a_transcript(12_000))
    if mode is Mode.PULL:
        order = parse_work_order(pipeline.runpod.requests[0]["input"])
        put = presigned(order.put_url)
        pipeline.s3.put_object(Bucket=put["Bucket"], Key=put["Key"], Body=SUMMARY_TEXT.encode())
        pipeline.call_back(
            "rp-1", pipeline.runpod.requests[0], answer=manifest_body(a_manifest(), id="rp-1")
        )
    pipeline.run()
    assert pipeline.store.load_job(job.id).state == "succeeded"
    keys = [key for _, key in pipeline.s3.objects if key.startswith("work/")]
    return [key.replace(job.id, JOB_ID) for key in keys]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("expires", ["true", "false"])
def test_a_sweep_deletes_all_that_is_old_of_a_given_bucket(
    monkeypatch: pytest.MonkeyPatch, expires: str, mode: Mode
) -> None:
    keys = work_files(mode)
    assert keys
    kept = {"EXPIRES_WORK_FILES": expires, "WORK_FILE_RETENTION_DAYS": "3"}
    with running_cloud(monkeypatch, **kept) as cloud:
        for key in keys:
            boto3.client("s3").put_object(Bucket="out", Key=key, Body=b"text")
        much_later = wiring.now() + timedelta(days=3, hours=1)
        monkeypatch.setattr(wiring, "now", lambda: much_later)
        monkeypatch.setattr(app.random, "randrange", lambda _: int(JOB_ID[:2], 16))

        cloud.invoke("sweeper", cloud.event("sweeper-scheduled"))

        listed = boto3.client("s3").list_objects_v2(Bucket="out").get("Contents", [])
        left = [] if expires == "true" else sorted(keys)
        assert [item["Key"] for item in listed] == left


def test_a_bucket_that_refuses_it_fails_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_cloud(monkeypatch, EXPIRES_WORK_FILES="true") as cloud:
        boto3.resource("s3").Bucket("out").delete()

        assert cloud.invoke("sweeper", cloud.event("sweeper-scheduled")) == {}

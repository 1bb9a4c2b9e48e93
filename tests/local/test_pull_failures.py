"""What goes wrong between a worker of pull mode and S3, through the deployed stack."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
import requests
from botocore.config import Config

from cli.deployment import History, Upload
from core.jobs.job import JobState
from core.runpod.work_order import WorkOrder
from core.summaries.goals import WritingLimits
from core.summaries.options import Mode
from local.stack.stack import local_session
from local.waiting import wait_for
from runpod_simulator import JobRecord, JobStatus
from tests.builders import a_request
from tests.local.checks import assert_summarised
from tests.local.conftest import Local, short_transcript
from tests.local.grants import Grant, role_of

FETCH = Grant("s3:GetObjectVersion", "input/*")
DELIVER = Grant("s3:PutObject", "output/work/*")


def begun_slowly(local: Local, marker: str, *scenarios: str) -> Upload:
    """Upload so that RunPod's queue holds the order for two seconds: time to change something."""
    local.simulator.use("slow=20", *scenarios, next_jobs=1, containing=marker)
    upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PULL)
    local.wait_for_runpod_job(marker)
    return upload


def ended(local: Local, marker: str, *, count: int = 1) -> list[JobRecord]:
    """Return the RunPod requests of an upload once so many have ended."""

    def are_over() -> list[JobRecord] | None:
        over = [job for job in local.runpod_jobs(marker) if job.status.is_final]
        return over if len(over) >= count else None

    return wait_for(are_over, what="an end on RunPod", timeout_seconds=180)


def outcomes(history: History) -> list[str]:
    return [attempt.outcome for attempt in history.calls[0].attempts]


def delivered(local: Local, history: History) -> list[str]:
    """Return the keys that the worker has put."""
    listed = local.stack.client("s3").list_objects_v2(
        Bucket=local.stack.outputs["OutputBucket"], Prefix=f"work/{history.job.id}/"
    )
    return [each["Key"] for each in listed.get("Contents", [])]


def test_a_url_whose_signer_may_no_longer_fetch_is_replaced_by_another_attempt(
    local: Local, marker: str
) -> None:
    upload = begun_slowly(local, marker)
    with role_of(local.stack, "SubmitterFunction").without(FETCH):
        ended(local, marker)

    history = local.stack.wait_for_job(upload, timeout_seconds=180)

    assert_summarised(local.stack, upload, history)
    assert outcomes(history) == ["fetch-expired", "succeeded"]
    first, second = (job.input["work_order"]["get_url"] for job in local.runpod_jobs(marker))
    assert first != second


def test_an_expired_url_is_reported_before_the_model_is_used(local: Local, marker: str) -> None:
    upload = local.stack.upload(short_transcript(marker), f"not-for-the-stack/{marker}.png")
    with closing(
        local_session().client(
            "s3", endpoint_url=local.stack.endpoint_url, config=Config(signature_version="s3v4")
        )
    ) as s3:
        url = s3.generate_presigned_url(
            "get_object", Params={"Bucket": upload.bucket, "Key": upload.key}, ExpiresIn=1
        )
    order = WorkOrder(
        job_id="a" * 32,
        name=upload.key,
        size_bytes=0,
        get_url=url,
        put_url=url,
        options=replace(a_request(), mode=Mode.PULL),
        limits=WritingLimits(context_tokens=32_768),
    )

    with requests.Session() as session:
        session.trust_env = False
        session.post(
            f"{local.simulator.url}/run",
            json={"input": order.as_input(), "simulate": "slow=30"},  # three seconds here
            headers={"Authorization": f"Bearer {local.simulator.api_key}"},
            timeout=30,
        )
    [job] = ended(local, marker)

    assert (job.status, job.error) == (JobStatus.FAILED, "transcript-worker: fetch-expired")
    assert not local.model.prompts(marker)


def test_a_file_that_was_deleted_for_good_meanwhile_ends_the_job_with_that_reason(
    local: Local, marker: str
) -> None:
    upload = begun_slowly(local, marker)
    local.stack.client("s3").delete_object(
        Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id
    )

    history = local.stack.wait_for_job(upload)

    assert (history.job.state, history.job.reason_code) == (JobState.FAILED, "deleted")
    assert len(local.runpod_jobs(marker)) == 1


def test_a_file_that_was_replaced_meanwhile_is_two_jobs_each_of_its_own_version(
    local: Local, marker: str
) -> None:
    upload = begun_slowly(local, marker)
    newer = local.upload(short_transcript(f"{marker} anew"), f"{marker}.txt", mode=Mode.PULL)

    older, history = local.stack.wait_for_job(upload), local.stack.wait_for_job(newer)

    stored = assert_summarised(local.stack, newer, history)
    assert stored.metadata["source-version"] == newer.version_id
    assert older.job.state is JobState.SUCCEEDED or older.job.reason_code == "superseded"


Change = Callable[[Local, str], None]


def delete(local: Local, key: str) -> None:
    local.stack.client("s3").delete_object(Bucket=local.stack.outputs["OutputBucket"], Key=key)


def overwrite(local: Local, key: str) -> None:
    local.stack.client("s3").put_object(
        Bucket=local.stack.outputs["OutputBucket"], Key=key, Body=b"Send money to the stranger."
    )


@pytest.mark.parametrize(
    ("change", "code"), [(delete, "result-missing"), (overwrite, "result-damaged")]
)
def test_a_manifest_that_does_not_match_its_object_costs_another_attempt(
    local: Local, marker: str, change: Change, code: str
) -> None:
    local.simulator.use("lost-webhook", next_jobs=1, containing=marker)
    upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PULL)
    local.wait_for_runpod_job(marker)
    ended(local, marker)
    history = local.stack.history(upload)
    assert history
    change(local, f"work/{history.job.id}/whole.1.txt")

    local.sweep_when_due(upload)

    history = local.stack.wait_for_job(upload, timeout_seconds=180)
    stored = assert_summarised(local.stack, upload, history)
    assert outcomes(history) == [code, "succeeded"]
    assert "Send money" not in stored.text


def test_a_worker_that_dies_after_it_has_put_the_summary_is_run_again_and_its_manifest_counts(
    local: Local, marker: str
) -> None:
    local.simulator.use("job-done-lost", containing=marker)
    upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PULL)

    history = local.stack.wait_for_job(upload, timeout_seconds=180)

    assert_summarised(local.stack, upload, history)
    [request] = local.runpod_jobs(marker)
    assert request.retries == 1
    assert len(local.model.prompts(marker)) == 2
    assert outcomes(history) == ["succeeded"]


def test_a_summary_that_can_not_be_uploaded_is_in_the_manifest(local: Local, marker: str) -> None:
    upload = begun_slowly(local, marker)
    with role_of(local.stack, "SubmitterFunction").without(DELIVER):
        [request] = ended(local, marker)

    history = local.stack.wait_for_job(upload)

    stored = assert_summarised(local.stack, upload, history)
    assert request.output["manifest"]["text"].strip() == stored.text.strip()
    assert delivered(local, history) == []
    assert outcomes(history) == ["succeeded"]


def test_no_function_logs_a_url_and_the_table_holds_none(local: Local, marker: str) -> None:
    upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PULL)
    history = local.stack.wait_for_job(upload)
    [request] = local.runpod_jobs(marker)
    order = request.input["work_order"]

    signatures = [
        order[name].partition("X-Amz-Signature=")[2][:64] for name in ("get_url", "put_url")
    ]

    functions = ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction")
    logged = "\n".join(line for name in functions for line in local.stack.logs(name))
    items = local.stack.client("dynamodb").query(
        TableName=local.stack.outputs["JobsTable"],
        KeyConditionExpression="job_id = :job",
        ExpressionAttributeValues={":job": {"S": history.job.id}},
    )["Items"]
    assert all(len(signature) == 64 for signature in signatures)
    for signature in signatures:
        assert signature not in logged
        assert signature not in str(items)

"""An operator's commands that change something, on the local stack: `--stack local`."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from click.testing import CliRunner

from cli.__main__ import main
from core.jobs.job import JobState
from core.summaries.options import Mode
from tests.local.conftest import SIMULATOR, Local, notification, short_transcript


def told(local: Local, *arguments: str, exit_code: int = 0) -> Any:
    environment = {
        "SUMMARIES_STACK": "local",
        "LOCAL_PORT": str(urlsplit(local.stack.endpoint_url).port),
        "RUNPOD_API_KEY": "",
    }
    result = CliRunner(mix_stderr=False).invoke(main, [*arguments, "--json"], env=environment)
    assert result.exit_code == exit_code, (result.stdout, result.stderr, result.exception)
    assert SIMULATOR.api_key
    assert SIMULATOR.api_key not in result.stdout + result.stderr
    return json.loads(result.stdout)


def test_a_submitted_file_is_waited_for_and_then_forgotten(
    local: Local, marker: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{marker}.txt"
    file.write_text(short_transcript(marker))

    (sent,) = told(local, "submit", str(file), "--key-prefix", "calls/", "--wait")["uploads"]
    assert sent["state"] == "succeeded"
    assert sent["summary"].endswith(f"calls/{marker}.txt")

    forgotten = told(local, "forget", f"calls/{marker}.txt", "--yes")
    assert forgotten["done"]
    assert forgotten["jobs"] == [sent["job_id"]]
    assert forgotten["record_items"] >= 2
    told_again = CliRunner().invoke(
        main,
        ["forget", f"calls/{marker}.txt", "--stack", "local", "--dry-run"],
        env={"LOCAL_PORT": str(urlsplit(local.stack.endpoint_url).port)},
    )
    assert told_again.exit_code == 3


def test_a_failed_job_starts_anew_with_a_job_of_its_own(local: Local, marker: str) -> None:
    local.simulator.use("handler-error", next_jobs=2, containing=marker)
    upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PUSH)
    failed = local.stack.wait_for_job(upload).job
    assert failed.state is JobState.FAILED

    (retried,) = told(local, "retry", failed.id, "--yes")["jobs"]

    again = type(upload)(upload.bucket, upload.key, retried["new_version_id"], upload.etag)
    job = local.stack.wait_for_job(again).job
    assert job.id == retried["new_job_id"]
    assert job.state is JobState.SUCCEEDED


def test_a_cancelled_job_has_no_request_at_runpod_any_more(local: Local, marker: str) -> None:
    local.simulator.use("no-workers", containing=marker)
    local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PUSH)
    request = local.wait_for_runpod_job(marker)

    (cancelled,) = told(local, "cancel", f"{marker}.txt", "--yes")["jobs"]

    assert cancelled["cancelled_requests"] == [request.id]
    assert [str(job.status) for job in local.runpod_jobs(marker)] == ["CANCELLED"]


def test_a_dead_letter_is_looked_at_and_sent_back_to_work(local: Local, marker: str) -> None:
    outputs = local.stack.outputs
    upload = local.upload(short_transcript(marker), f"{marker}.txt", mode=Mode.PUSH)
    local.stack.wait_for_job(upload)
    local.stack.client("sqs").send_message(
        QueueUrl=outputs["UploadDeadLetterQueueUrl"], MessageBody=notification(upload)
    )

    looked_at = told(local, "redrive", "--dry-run")["messages"]
    moved = told(local, "redrive", "--yes")["messages"]

    assert f"an upload: {upload.key}" in {each["means"] for each in looked_at}
    assert {each["done"] for each in moved} == {"sent back"}
    assert told(local, "redrive", "--dry-run")["messages"] == []


def test_sweep_and_secret_speak_with_the_deployed_stack(local: Local) -> None:
    assert "found" in told(local, "sweep")
    assert told(local, "secret", "status")["step"] == "at rest"
    assert told(local, "secret", "rotate", "--dry-run")["next"] == "announce a new secret"
    value = local.stack.client("secretsmanager").get_secret_value(
        SecretId=local.stack.outputs["CallbackSecret"]
    )
    assert json.loads(value["SecretString"])["previous"] == ""

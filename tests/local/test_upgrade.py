"""A running stack of the release before is upgraded to this one, and then taken down with its data.

Its jobs are in flight meanwhile: RunPod is done with their requests, and nobody has heard of it.
"""

import filecmp
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.deployment import Deployment, Upload
from core.aws.job_index import JobIndex
from core.jobs.job import JobState
from core.summaries.options import Mode
from local.stack.emulator import REGION, ROOT_KEY
from local.stack.needs import ROOT
from runpod_simulator import JobRecord
from tests.local.conftest import PARAMETERS, Local, new_marker, short_transcript
from tests.upgrade.previous import previous_release

STACK = "upgraded"
_PACKAGES = ".lambda-packages"


@dataclass(frozen=True)
class InFlight:
    marker: str
    upload: Upload
    request: JobRecord  # that RunPod has ended


@pytest.fixture(name="previous", scope="module")
def _previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = previous_release(tmp_path_factory.mktemp("release"))
    runtime = "requirements/runtime.txt"
    if filecmp.cmp(tree / runtime, ROOT / runtime, shallow=False):
        (tree / _PACKAGES).symlink_to(ROOT / _PACKAGES)  # the same: need not be fetched again
    return tree


def test_a_running_stack_is_upgraded_with_its_jobs_and_destroyed_with_its_data(
    local: Local, previous: Path, tmp_path: Path
) -> None:
    with closing(local.stack.deploy_another(STACK, PARAMETERS, source=previous)) as stack:
        before = stack.outputs
        marker = new_marker()
        ended = stack.upload(short_transcript(marker), f"{marker}.txt")
        stack.wait_for_job(ended)
        push, pull = (_leave_in_flight(local, stack, mode) for mode in (Mode.PUSH, Mode.PULL))

    with closing(local.stack.deploy_another(STACK, PARAMETERS)) as stack:
        # Uploaders know the buckets, RunPod the webhook's address, people the table.
        assert {name: stack.outputs.get(name) for name in before} == before
        assert _listed(stack, JobState.ACTIVE) == {push.upload.key, pull.upload.key}
        assert _listed(stack, JobState.SUCCEEDED) == {ended.key}

        body = {"id": push.request.id, "status": "COMPLETED", "output": push.request.output}
        answer = local.post(push.request.webhook, body)
        assert answer.status_code == 200, answer.text
        _assert_summarised_once(local, stack, push)

        local.sweep_when_due(pull.upload, stack)
        _assert_summarised_once(local, stack, pull)

    result = _destroy(local, tmp_path / "deploy.toml")
    assert result.exit_code == 0, result.output
    left = {each["Name"] for each in local.stack.client("s3").list_buckets()["Buckets"]}
    left |= {*local.stack.client("dynamodb").list_tables()["TableNames"]}
    assert left.isdisjoint({before[name] for name in ("InputBucket", "OutputBucket", "JobsTable")})


def _leave_in_flight(local: Local, stack: Deployment, mode: Mode) -> InFlight:
    marker = new_marker()
    local.simulator.use("lost-webhook", next_jobs=1, containing=marker)
    metadata = {"summary-mode": mode.value}
    upload = stack.upload(short_transcript(marker), f"{marker}.txt", metadata=metadata)
    local.simulator.wait_until(
        lambda _: any(job.status == "COMPLETED" for job in local.runpod_jobs(marker)),
        timeout_seconds=180,
    )
    (request,) = local.runpod_jobs(marker)
    return InFlight(marker, upload, request)


def _listed(stack: Deployment, state: JobState) -> set[str]:
    index = JobIndex(stack.client("dynamodb"), stack.outputs["JobsTable"])
    return {job.key for job in index.jobs(state)}


def _assert_summarised_once(local: Local, stack: Deployment, left: InFlight) -> None:
    history = stack.wait_for_job(left.upload)
    assert history.job.state is JobState.SUCCEEDED, history.job.reason
    assert stack.summary(history.job).text
    assert len(local.runpod_jobs(left.marker)) == 1, "RunPod was paid twice"


def _destroy(local: Local, answers: Path) -> Result:
    asked = ["--yes", "--stack-name", STACK, "--delete-data", "--name", STACK]
    environment = {
        "AWS_ENDPOINT_URL": local.stack.endpoint_url,
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }
    return CliRunner().invoke(main, ["destroy", "--answers", str(answers), *asked], env=environment)

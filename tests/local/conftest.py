"""One stack for the whole folder: built and deployed once, with RunPod simulated in this process.

The endpoint's worker is ours, on RunPod's SDK: it serves both modes, so each upload chooses its own.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests

from cli.deployment import Deployment, Upload
from core.aws.items import CALL_PREFIX, JOB_ITEM
from core.summaries.options import Mode
from local.stack import needs
from local.stack.model import Model
from local.stack.processes import Processes
from local.stack.setup import Setup
from local.stack.simulator import RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from local.stack.worker import start_worker
from local.waiting import wait_for
from runpod_simulator import Config, JobRecord, Simulator, running_simulator
from tests.fakes.model_server import ModelServer, running_model

# RunPod's pauses are a tenth as long; what the computer itself needs is not changed.
SIMULATOR = Config(
    worker="platform",
    time_scale=0.1,
    heartbeat_timeout_seconds=8.0,
    api_key="local-key-that-must-not-leak-4711",
)
PARAMETERS = {
    "CallbackOverdueSeconds": "5",
    "MaxAttempts": "2",
    "SweepScheduleMinutes": "5",  # longer than these tests take: they sweep when they mean to
}


@dataclass(frozen=True)
class Local:
    stack: LocalStack
    simulator: Simulator
    model: ModelServer  # what the worker asks

    def upload(self, content: Path | str | bytes, key: str, *, mode: Mode) -> Upload:
        """Upload with a mode of its own; the stack's is push."""
        return self.stack.upload(content, key, metadata={"summary-mode": mode.value})

    def runpod_jobs(self, marker: str) -> list[JobRecord]:
        """Return the RunPod requests that hold a text: in a prompt, or in an order's key."""
        return [job for job in self.simulator.jobs() if marker in str(job.input)]

    def wait_for_runpod_job(self, marker: str) -> JobRecord:
        self.simulator.wait_until(lambda _: bool(self.runpod_jobs(marker)), timeout_seconds=180)
        return self.runpod_jobs(marker)[0]

    def send_to_queue(self, body: str) -> None:
        """Send to the work queue and wait until the submitter has dealt with it."""
        url = self.stack.outputs["UploadQueueUrl"]
        self.stack.client("sqs").send_message(QueueUrl=url, MessageBody=body)
        wait_for(lambda: self.is_queue_empty() or None, what="an empty queue", timeout_seconds=180)

    def is_queue_empty(self) -> bool:
        """Is no message waiting, or being dealt with?"""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self.stack.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.outputs["UploadQueueUrl"], AttributeNames=names
        )
        return all(asked["Attributes"][name] == "0" for name in names)

    def purge_queue(self) -> None:
        self.stack.client("sqs").purge_queue(QueueUrl=self.stack.outputs["UploadQueueUrl"])

    def wait_for_log(self, output: str, text: str) -> None:
        def is_there() -> bool | None:
            return any(text in line for line in self.stack.logs(output)) or None

        wait_for(is_there, what=f"{text!r} in the log of {output}", timeout_seconds=180)

    def answers_to(self, runpod_id: str) -> list[int | None]:
        """Return what each delivery of a callback was answered."""
        deliveries = self.simulator.deliveries()
        return [each.http_status for each in deliveries if each.job_id == runpod_id]

    def has_called_back(self, job: JobRecord) -> bool:
        """Has RunPod ended a request, and delivered the callback or given it up?"""
        if {"lost-webhook", "queue-lost"} & set(job.scenarios):
            return True
        answers = self.answers_to(job.id)
        return len(answers) == 3 or any(answer and answer < 500 for answer in answers)

    def delete_jobs(self, marker: str) -> None:
        """Delete what the table holds of the uploads with a text in their name."""
        dynamodb, table = self.stack.client("dynamodb"), self.stack.outputs["JobsTable"]
        for job_id in self.stack.job_ids():
            job, calls, _ = self.stack.store.history(job_id)
            if marker in job.source.key:
                for item in (JOB_ITEM, *(CALL_PREFIX + call.id for call in calls)):
                    key = {"job_id": {"S": job_id}, "item": {"S": item}}
                    dynamodb.delete_item(TableName=table, Key=key)

    def post(self, url: str, body: object) -> requests.Response:
        """Post to the API's host name, which not every system takes for this machine."""
        host, path = url.removeprefix("http://").split("/", 1)
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                f"{self.stack.endpoint_url}/{path}", json=body, headers={"Host": host}, timeout=30
            )

    def sweep_when_due(self, upload: Upload, stack: Deployment | None = None) -> dict[str, int]:
        """Invoke the deployed sweeper, or another stack's, once the call of an upload is due."""
        stack = stack or self.stack

        def is_due() -> bool | None:
            history = stack.history(upload)
            due_at = history.calls[0].due_at if history and history.calls else None
            return (due_at is not None and due_at <= datetime.now(UTC)) or None

        wait_for(is_due, what="a due call", timeout_seconds=180)
        return stack.invoke_sweeper()


@pytest.fixture(scope="session")
def local() -> Iterator[Local]:
    python = needs.worker_python()
    missing = needs.missing(needs.emulator_python()) + needs.missing_for_worker(python)
    if missing:
        pytest.fail("\n".join(["the local stack's tests need:", *missing]), pytrace=False)
    with running_simulator(SIMULATOR) as simulator, running_model() as model, Processes() as own:
        worker = start_worker(
            own,
            python=python,
            runpod_environment=simulator.worker_environment(),
            model=Model(url=model.url),
        )
        runpod = RunPodEndpoint(simulator.url, simulator.api_key)
        with local_stack(Setup(runpod=runpod, parameters=PARAMETERS)) as stack:
            worker.wait_until_it_polls(simulator.url)
            yield Local(stack, simulator, model)


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def mode(request: pytest.FixtureRequest) -> Mode:
    """Each of the two, one after the other."""
    return Mode(request.param)


@pytest.fixture
def transcript() -> Callable[[str], str]:
    return short_transcript


@pytest.fixture
def marker() -> str:
    return new_marker()


def new_marker() -> str:
    return f"m{uuid.uuid4().hex}"


def short_transcript(marker: str) -> str:
    """A unique transcript: its marker is in the prompt, for scenarios to find."""
    return (
        f"[00:00:01] Ada Okafor: Good morning, this is the {marker} committee.\n"
        "[00:00:09] Bruno Keller: The flood wall by the weir needs nineteen thousand euros.\n"
        "[00:00:21] Chen Wei: We have agreed to fund it and to ask the county for a grant.\n"
        "[00:00:33] Ada Okafor: Bruno sends the figures for the flood wall to everyone by Friday.\n"
    )


def notification(upload: Upload) -> str:
    """What S3 sends to a queue when an object is created."""
    stored: dict[str, Any] = {
        "key": quote_plus(upload.key, safe="/"),
        "versionId": upload.version_id,
        "eTag": upload.etag,
        "size": 1,
    }
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": datetime.now(UTC).isoformat(),
        "s3": {"bucket": {"name": upload.bucket}, "object": stored},
    }
    return json.dumps({"Records": [record]})

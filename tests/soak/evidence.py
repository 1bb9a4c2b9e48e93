"""Collects what a soak left: the table, the bucket, the queues, the logs, and RunPod's side."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cli.deployment import Deployment, History, Upload
from core.aws.names import WORK_PREFIX, facts_key_for
from core.runpod.reports import parse_report
from local.stack.faults import Traffic
from runpod_simulator import Delivery, JobRecord, Simulator
from runpod_simulator.scenarios import SCENARIOS
from tests.replay import Kept
from tests.soak.load import Planned

FUNCTIONS = ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction")
_LONG_ENOUGH = timedelta(days=1)  # later than anything can be due


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One upload and its job."""

    planned: Planned
    upload: Upload
    job_id: str


@dataclass(frozen=True, kw_only=True)
class RunPodRequest:
    """One request that RunPod accepted, as RunPod saw it."""

    runpod_id: str
    job_id: str
    call_id: str
    text: str = field(repr=False)  # what its worker returned; "" if it failed
    is_callback_lost: bool
    habits: tuple[str, ...]  # what its model did that models do
    answers: tuple[int | None, ...]  # what each delivery of its callback was answered
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One version of a summary in the bucket."""

    key: str
    job_id: str  # as its metadata says
    text: str = field(repr=False)
    is_latest: bool
    facts_job_id: str  # as the facts beside it say, which have no versions here
    writing: Mapping[str, Any]  # what those facts say of how it was written


@dataclass(frozen=True, kw_only=True)
class Evidence:
    sent: list[Sent]
    histories: dict[str, History]  # by job; every job in the table
    requests: list[RunPodRequest]
    stored: list[Stored]
    kept: Kept = field(repr=False)  # what lies under `work/`
    due: list[tuple[str, str]]  # job and call
    queued: int  # messages that wait in the work queue, or are being worked on
    dead_letters: int
    log_lines: dict[str, list[str]] = field(repr=False)  # by function
    secrets: dict[str, list[str]] = field(repr=False)  # what no log line may hold, by its kind
    traffic: dict[str, Traffic]
    refused: int  # submissions that RunPod did not take
    max_attempts: int


class RunPodSide:
    """RunPod's requests and deliveries. Call `observe` often: the simulator forgets, as RunPod does."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._jobs: dict[str, JobRecord] = {}
        self._deliveries: dict[tuple[str, float], Delivery] = {}

    def observe(self) -> None:
        self._jobs.update({job.id: job for job in self.simulator.jobs()})
        for each in self.simulator.deliveries():
            self._deliveries[each.job_id, each.at_seconds] = each

    @property
    def is_idle(self) -> bool:
        """Whether every request had ended when last observed."""
        return all(job.status.is_final for job in self._jobs.values())

    @property
    def refused(self) -> int:
        """Return the number of rejected submissions."""
        return self.simulator.requests().get("run", 0) - len(self._jobs)

    def requests(self) -> list[RunPodRequest]:
        answers: dict[str, list[int | None]] = {}
        for each in self._deliveries.values():
            answers.setdefault(each.job_id, []).append(each.http_status)
        return [_request(job, answers.get(job.id, [])) for job in self._jobs.values()]


def _request(job: JobRecord, answers: list[int | None]) -> RunPodRequest:
    job_id, call_id, _, token = urlsplit(job.webhook).path.split("/")[-4:]
    status = {"id": job.id, "status": job.status.value, "output": job.output}
    return RunPodRequest(
        runpod_id=job.id,
        job_id=job_id,
        call_id=call_id,
        text=parse_report(status).text,
        is_callback_lost="lost-webhook" in job.scenarios,
        habits=tuple(name for name in job.scenarios if _is_habit(name)),
        answers=tuple(answers),
        token=token,
    )


def _is_habit(scenario: str) -> bool:
    return SCENARIOS[scenario.partition("=")[0]].group == "model"


def collect(
    stack: Deployment,
    runpod: RunPodSide,
    sent: list[Sent],
    *,
    traffic: dict[str, Traffic],
    private_texts: tuple[str, ...],
    max_attempts: int,
) -> Evidence:
    """Read everything once, after all jobs have ended."""
    histories = {job_id: stack.history_of(job_id) for job_id in stack.job_ids()}
    requests = runpod.requests()
    return Evidence(
        sent=sent,
        histories={job_id: history for job_id, history in histories.items() if history},
        requests=requests,
        stored=list(_stored(stack)),
        kept=dict(_kept(stack)),
        due=open_calls(stack),
        queued=queue_length(stack, "UploadQueueUrl"),
        dead_letters=queue_length(stack, "UploadDeadLetterQueueUrl"),
        log_lines={output: stack.logs(output) for output in FUNCTIONS},
        secrets={
            "a callback's token": [request.token for request in requests],
            "a callback's URL": ["/webhook/", stack.outputs["WebhookUrl"]],
            "RunPod's key": [runpod.simulator.api_key],
            "the callback secret": [_callback_secret(stack)],
            "words of a transcript or summary": list(private_texts),
        },
        traffic=traffic,
        refused=runpod.refused,
        max_attempts=max_attempts,
    )


def open_calls(stack: Deployment) -> list[tuple[str, str]]:
    """Return all that is due for the sweeper, now or later: job and call, or "" for the job itself."""
    return list(stack.store.due(datetime.now(UTC) + _LONG_ENOUGH))


def queue_length(stack: Deployment, output: str) -> int:
    """Return how many messages a queue holds: visible, being worked on, or delayed."""
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    asked = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs[output], AttributeNames=names
    )
    return sum(int(asked["Attributes"][name]) for name in names)


def _stored(stack: Deployment) -> Iterator[Stored]:
    s3, bucket = stack.client("s3"), stack.outputs["OutputBucket"]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="summaries/")
    for page in pages:
        for version in page.get("Versions", []):
            key = version["Key"]
            if not key.endswith(".txt"):
                continue
            there = s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
            facts = json.load(s3.get_object(Bucket=bucket, Key=facts_key_for(key))["Body"])
            yield Stored(
                key=key,
                job_id=there["Metadata"].get("job-id", ""),
                text=there["Body"].read().decode("utf-8"),
                is_latest=version["IsLatest"],
                facts_job_id=facts["job_id"],
                writing=facts.get("writing", {}),
            )


def _kept(stack: Deployment) -> Iterator[tuple[str, tuple[str, Mapping[str, str]]]]:
    s3, bucket = stack.client("s3"), stack.outputs["OutputBucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=WORK_PREFIX):
        for listed in page.get("Contents", []):
            there = s3.get_object(Bucket=bucket, Key=listed["Key"])
            yield listed["Key"], (there["Body"].read().decode("utf-8"), there["Metadata"])


def _callback_secret(stack: Deployment) -> str:
    secret = stack.client("secretsmanager").get_secret_value(
        SecretId=stack.outputs["CallbackSecret"]
    )
    return str(json.loads(secret["SecretString"])["current"])

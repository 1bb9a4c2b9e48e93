"""A deployed stack as its operator uses it, on the emulator or in the cloud.

Both are driven by the same code, so the tests on the emulator cover most of what those in the cloud use.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import botocore.session
from botocore.config import Config

from core.aws.items import JOB_ITEM
from core.aws.job_store import DynamoJobStore
from core.aws.names import facts_key_for
from core.errors import UnknownCall
from core.jobs.audit import AuditEvent, in_order
from core.jobs.call import Call
from core.jobs.job import Job, JobState, Source, job_id_for

if TYPE_CHECKING:
    import boto3

# A sweep may take two minutes; botocore would time out after one and start a second one.
_LONG_TIMEOUT = Config(read_timeout=150, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Session:
    """As much of boto3's session as is used: all of it takes a fifth of a command's time to import."""

    botocore: botocore.session.Session

    def client(self, service_name: str, /, **options: Any) -> Any:
        return self.botocore.create_client(service_name, **options)


class NoSuchStackError(Exception):
    """No stack of that name is deployed here."""


@dataclass(frozen=True)
class Upload:
    bucket: str
    key: str
    version_id: str  # "" in a bucket without versions
    etag: str


@dataclass(frozen=True)
class History:
    """A job as it is in the table."""

    job: Job
    calls: list[Call]
    events: list[AuditEvent]  # the audit, oldest first
    audits: Mapping[str, list[AuditEvent]] = field(default_factory=dict)  # by call; "" is the job's


@dataclass(frozen=True)
class StoredSummary:
    bucket: str
    key: str
    text: str
    metadata: Mapping[str, str]
    facts_key: str
    facts: Mapping[str, Any]


class Deployment:
    """Clients and outputs of one stack; `close` it afterwards."""

    def __init__(
        self,
        session: "boto3.Session | Session",
        stack_name: str,
        *,
        endpoint_url: str | None = None,
    ) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._clients: dict[str, Any] = {}
        self.stack_name = stack_name
        self.outputs = self._read_outputs(stack_name)
        self.store = DynamoJobStore(self.client("dynamodb"), self.outputs["JobsTable"])

    @property
    def is_local(self) -> bool:
        """Is it on an emulator, and RunPod a simulator?"""
        return self._endpoint_url is not None

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            # An emulator is on this machine, so no proxy may be used.
            config = Config(proxies={}) if self._endpoint_url else Config()
            if service == "lambda":
                config = config.merge(_LONG_TIMEOUT)
            self._clients[service] = self._session.client(  # type: ignore[call-overload]
                service, endpoint_url=self._endpoint_url, config=config
            )
        return self._clients[service]

    def upload(
        self,
        content: Path | str | bytes | BinaryIO,
        key: str,
        *,
        metadata: Mapping[str, str] | None = None,
    ) -> Upload:
        """Upload a transcript to the input bucket: a file's content, a text, bytes, or what is read."""
        body = content.read_bytes() if isinstance(content, Path) else content
        bucket = self.outputs["InputBucket"]
        put = self.client("s3").put_object(
            Bucket=bucket, Key=key, Body=body, Metadata=metadata or {}
        )
        return Upload(bucket, key, put.get("VersionId", ""), put["ETag"].strip('"'))

    def history(self, upload: Upload) -> History | None:
        """Return the job of an upload, or None while it is not recorded."""
        job_id = self.job_id_of(upload)
        return self.history_of(job_id) if job_id else None

    def job_id_of(self, upload: Upload) -> str | None:
        """Return the id of an upload's job; None while a bucket without versions has no job for it."""
        if upload.version_id:
            now = datetime.now(UTC)  # not part of the id
            return job_id_for(
                Source(
                    bucket=upload.bucket,
                    key=upload.key,
                    version_id=upload.version_id,
                    uploaded_at=now,
                )
            )
        for item in self._scan_jobs():
            source = item["source"]["M"]
            if (source["key"]["S"], source["etag"]["S"]) == (upload.key, upload.etag):
                return str(item["job_id"]["S"])
        return None

    def history_of(self, job_id: str) -> History | None:
        try:
            job, calls, audits = self.store.history_by_item(job_id)
        except UnknownCall:
            return None
        events = in_order(event for of_item in audits.values() for event in of_item)
        return History(job, calls, events, audits)

    def job_ids(self) -> list[str]:
        """Return every job in the table: for a small table, as in tests."""
        return list(self.job_states())

    def job_states(self) -> dict[str, JobState]:
        """Return the state of every job in the table: for a small table, as in tests."""
        return {item["job_id"]["S"]: JobState(item["state"]["S"]) for item in self._scan_jobs()}

    def wait_for_job(self, upload: Upload, *, timeout_seconds: float = 180.0) -> History:
        """Return the history of an upload's job once it has ended. Raises NotInTime."""
        from local.waiting import wait_for  # noqa: PLC0415 - slow to import

        def ended() -> History | None:
            history = self.history(upload)
            return history if history and history.job.is_final else None

        return wait_for(
            ended, what=f"the end of the job of {upload.key}", timeout_seconds=timeout_seconds
        )

    def summary(self, job: Job) -> StoredSummary:
        bucket, key = self.outputs["OutputBucket"], job.summary_key
        stored = self.client("s3").get_object(Bucket=bucket, Key=key)
        facts = self.client("s3").get_object(Bucket=bucket, Key=facts_key_for(key))
        return StoredSummary(
            bucket=bucket,
            key=key,
            text=stored["Body"].read().decode("utf-8"),
            metadata=stored["Metadata"],
            facts_key=facts_key_for(key),
            facts=json.load(facts["Body"]),
        )

    def invoke_sweeper(self) -> dict[str, int]:
        """Run a sweep now and return its result. Raises RuntimeError if it failed."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs["SweeperFunction"])
        found = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise RuntimeError(f"the sweeper failed: {found.get('errorType')}")
        return dict(found)

    def logs(self, output: str, *, since_ms: int = 0) -> list[str]:
        """Return the log lines of a function, named by the stack output that names it."""
        group = f"/aws/lambda/{self.outputs[output]}"
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=since_ms)
        )
        return [event["message"] for page in pages for event in page["events"]]

    def _scan_jobs(self) -> list[dict[str, Any]]:
        pages = (
            self.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.outputs["JobsTable"],
                ConsistentRead=True,
                FilterExpression="#item = :job",
                ExpressionAttributeNames={
                    "#item": "item",
                    "#source": "source",
                    "#state": "state",
                },
                ExpressionAttributeValues={":job": {"S": JOB_ITEM}},
                ProjectionExpression="job_id, #source, #state",
            )
        )
        return [item for page in pages for item in page["Items"]]

    def _read_outputs(self, stack_name: str) -> dict[str, str]:
        described = self.client("cloudformation").describe_stacks(StackName=stack_name)
        outputs = described["Stacks"][0].get("Outputs", [])
        if not outputs:
            raise NoSuchStackError(f"stack {stack_name} has no outputs; is it deployed?")
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

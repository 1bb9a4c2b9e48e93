"""In-memory fakes of the job store, S3, the work queue, RunPod and the callback secrets.

The contract tests (tests/contract) run against each fake and its real counterpart alike.
"""

import copy
import hashlib
import io
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody

from core.errors import Conflict, JobExists, UnknownCall
from core.jobs.audit import AuditEvent, in_order
from core.jobs.call import Call
from core.jobs.job import Job
from core.runpod.reports import RunPodReport, gone

Item = TypeVar("Item", Job, Call)


class MemoryJobStore:
    """A JobStore in dictionaries, safe for threads as DynamoDB is.

    `is_kept_out` simulates DynamoDB's TransactionConflict, which says nothing about what is recorded: it
    gets the name of each write (`create`, `save_call`, `save`, `save_job`, `count_in_group`, `count_done`,
    `record_calls`, `begin_stage`), and where it returns True the write raises Conflict and changes nothing.
    """

    def __init__(self) -> None:
        self.is_kept_out: Callable[[str], bool] = lambda _: False
        self._jobs: dict[str, Job] = {}
        self._calls: dict[tuple[str, str], Call] = {}
        self._groups: dict[tuple[str, str], set[str]] = {}
        self._events: dict[str, list[AuditEvent]] = {}
        self._lock = threading.Lock()

    def create(self, job: Job, calls: Sequence[Call]) -> bool:
        with self._lock:
            self._check_writable("create")
            if job.id in self._jobs:
                raise JobExists(f"job {job.id} is recorded already")
            self._jobs[job.id] = self._with_events_recorded(job)
            return self._record_missing(calls)

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        with self._lock:
            try:
                return self._jobs[job_id], self._calls[job_id, call_id]
            except KeyError:
                raise UnknownCall(f"no call {call_id} of job {job_id} is recorded") from None

    def load_job(self, job_id: str) -> Job:
        with self._lock:
            if job_id not in self._jobs:
                raise UnknownCall(f"no job {job_id} is recorded")
            return self._jobs[job_id]

    def load_many(
        self, keys: Sequence[tuple[str, str]]
    ) -> tuple[Mapping[str, Job], Mapping[tuple[str, str], Call]]:
        with self._lock:
            jobs = {job_id: self._jobs[job_id] for job_id, _ in keys if job_id in self._jobs}
            return jobs, {key: self._calls[key] for key in keys if key in self._calls}

    def save_call(self, call: Call) -> Call:
        with self._lock:
            self._check_writable("save_call")
            self._check(self._calls.get((call.job_id, call.id)), call)
            saved = self._with_events_recorded(replace(call, revision=call.revision + 1))
            self._calls[call.job_id, call.id] = saved
            return saved

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        with self._lock:
            self._check_writable("save")
            self._check(self._jobs.get(job.id), job)
            self._check(self._calls.get((call.job_id, call.id)), call)
            saved = self._put(job, self._jobs[job.id].done)
            saved_call = self._with_events_recorded(replace(call, revision=call.revision + 1))
            self._calls[call.job_id, call.id] = saved_call
            return saved, saved_call

    def save_job(self, job: Job) -> Job:
        with self._lock:
            self._check_writable("save_job")
            self._check(self._jobs.get(job.id), job)
            return self._put(job, self._jobs[job.id].done)

    def count_done(self, job: Job, call: Call, *, due_at: datetime) -> Job:
        if job.group_size > 1 and self.count_in_group(job, call) < job.calls_of_group(call.id):
            return job
        return self.count_on_job(job, call, due_at=due_at)

    def count_in_group(self, job: Job, call: Call) -> int:
        """Do the first half of `count_done`: in DynamoDB the two are writes of their own."""
        with self._lock:
            self._check_writable("count_in_group")
            group = self._groups.setdefault((job.id, job.group_of(call.id)), set())
            group.add(call.id)
            return len(group)

    def count_on_job(self, job: Job, call: Call, *, due_at: datetime) -> Job:
        """Do the second half of `count_done`."""
        with self._lock:
            self._check_writable("count_done")
            stored, group = self._jobs[job.id], job.group_of(call.id)
            if stored.is_final or stored.stage != call.stage:
                raise Conflict(f"job {job.id} has gone on")
            self._jobs[job.id] = replace(stored, done=stored.done | {group}, due_at=due_at)
            return self._jobs[job.id]

    def record_calls(self, calls: Sequence[Call]) -> bool:
        with self._lock:
            self._check_writable("record_calls")
            return self._record_missing(calls)

    def _record_missing(self, calls: Sequence[Call]) -> bool:
        missing = [call for call in calls if (call.job_id, call.id) not in self._calls]
        for call in missing:
            self._calls[call.job_id, call.id] = self._with_events_recorded(call)
        return len(missing) == len(calls)

    def begin_stage(self, job: Job) -> Job:
        with self._lock:
            self._check_writable("begin_stage")
            self._check(self._jobs.get(job.id), job)
            return self._put(job, frozenset())

    def _put(self, job: Job, done: frozenset[str]) -> Job:
        saved = self._with_events_recorded(replace(job, revision=job.revision + 1, done=done))
        self._jobs[job.id] = saved
        return saved

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        with self._lock:
            items: dict[tuple[str, str], Job | Call] = {
                (job.id, ""): job for job in self._jobs.values()
            }
            items |= self._calls
            due = sorted(
                (item.due_at, key)
                for key, item in items.items()
                if item.due_at is not None and item.due_at <= now
            )
        return iter([key for _, key in due])

    def history(self, job_id: str) -> tuple[Job, list[Call], list[AuditEvent]]:
        with self._lock:
            if job_id not in self._jobs:
                raise UnknownCall(f"no job {job_id} is recorded")
            calls = [call for (owner, _), call in sorted(self._calls.items()) if owner == job_id]
            return self._jobs[job_id], calls, in_order(self._events[job_id])

    def _check_writable(self, write: str) -> None:
        if self.is_kept_out(write):
            raise Conflict("others were writing to the same job; try again")

    @staticmethod
    def _check(stored: Job | Call | None, changed: Job | Call) -> None:
        if stored is None or stored.revision != changed.revision:
            raise Conflict(f"{changed.id} changed meanwhile")

    def _with_events_recorded(self, item: Item) -> Item:
        """Move an item's pending events into the audit of its job."""
        job_id = item.id if isinstance(item, Job) else item.job_id
        self._events.setdefault(job_id, []).extend(item.pending_events)
        return replace(item, pending_events=())


@dataclass(frozen=True)
class StoredObject:
    body: bytes
    etag: str
    metadata: Mapping[str, str]
    content_type: str
    version_id: str = ""  # "" in a bucket without versions


class MemoryS3:
    """The few operations of an S3 client that the adapters use, with S3's conditions.

    Buckets named in `versioned` keep what is overwritten or deleted.
    """

    def __init__(self, *, versioned: Collection[str] = ()) -> None:
        self.objects: dict[tuple[str, str], StoredObject] = {}
        self._versions: dict[tuple[str, str, str], StoredObject] = {}
        self._versioned = frozenset(versioned)
        self._lock = threading.Lock()

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803 - boto3's names
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        Metadata: Mapping[str, str] | None = None,  # noqa: N803
        ContentType: str = "binary/octet-stream",  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
        IfMatch: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        if not "".join((Metadata or {}).values()).isascii():
            raise ParamValidationError(report="Non ascii characters found in S3 metadata")
        with self._lock:
            there = self.objects.get((Bucket, Key))
            if there and IfNoneMatch:
                raise _s3_error("PreconditionFailed")
            if IfMatch and not there:
                raise _s3_error("NoSuchKey")
            if there and IfMatch and there.etag != IfMatch:
                raise _s3_error("PreconditionFailed")
            digest = hashlib.md5(Body, usedforsecurity=False).hexdigest()
            version_id = f"v{len(self._versions) + 1}" if Bucket in self._versioned else ""
            stored = StoredObject(
                Body, f'"{digest}"', dict(Metadata or {}), ContentType, version_id
            )
            self.objects[Bucket, Key] = stored
            if version_id:
                self._versions[Bucket, Key, version_id] = stored
                return {"ETag": stored.etag, "VersionId": version_id}
            return {"ETag": stored.etag}

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        with self._lock:
            self.objects.pop((Bucket, Key), None)
            return {}

    def get_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        IfMatch: str = "",  # noqa: N803
        VersionId: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        stored = self._stored(Bucket, Key, VersionId)
        if IfMatch and stored.etag != IfMatch:
            raise _s3_error("PreconditionFailed")
        body = StreamingBody(io.BytesIO(stored.body), len(stored.body))
        return {"Body": body, **_headers(stored)}

    def head_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        IfMatch: str = "",  # noqa: N803
        VersionId: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        stored = self._stored(Bucket, Key, VersionId)
        if IfMatch and stored.etag != IfMatch:
            raise _s3_error("412")  # an answer to HEAD has no body that could say more
        return _headers(stored)

    def generate_presigned_url(
        self,
        ClientMethod: str,  # noqa: N803
        Params: Mapping[str, str],  # noqa: N803
        ExpiresIn: int,  # noqa: N803
    ) -> str:
        """Return a URL that only `presigned` can read; nothing listens at its host."""
        asked = {"operation": ClientMethod, "seconds": ExpiresIn, **Params}
        return f"{PRESIGNED}{urlencode(asked)}"

    def _stored(self, bucket: str, key: str, version_id: str = "") -> StoredObject:
        with self._lock:
            try:
                if version_id:
                    return self._versions[bucket, key, version_id]
                return self.objects[bucket, key]
            except KeyError:
                raise _s3_error("NoSuchVersion" if version_id else "NoSuchKey") from None


PRESIGNED = "https://s3.invalid/?"


def presigned(url: str) -> dict[str, str]:
    """Return what a URL of MemoryS3 was signed for: operation, seconds, Bucket, Key, VersionId ..."""
    return dict(parse_qsl(url.removeprefix(PRESIGNED), strict_parsing=True))


def _headers(stored: StoredObject) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "ETag": stored.etag,
        "Metadata": dict(stored.metadata),
        "ContentLength": len(stored.body),
        "ContentType": stored.content_type,
    }
    return headers | ({"VersionId": stored.version_id} if stored.version_id else {})


def _s3_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "S3")


@dataclass
class MemoryQueue:
    """A WorkQueue that keeps what was sent: job id, call id, delay; and job ids."""

    sent: list[tuple[str, str, timedelta]] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)

    def request_next_stage(self, job_id: str) -> None:
        self.stages.append(job_id)

    def request_attempt(self, job_id: str, call_id: str, *, after: timedelta) -> None:
        self.sent.append((job_id, call_id, after))


@dataclass
class MemoryRunPod:
    """A RunPod that accepts every request, with the reports that the test sets.

    `refusal` is raised by the next `run`; `unreachable` by every `status` and `cancel`; `no_key` by
    all of them, and before.
    """

    requests: list[Mapping[str, Any]] = field(default_factory=list)
    reports: dict[str, RunPodReport] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refusal: Exception | None = None
    unreachable: Exception | None = None
    no_key: Exception | None = None

    def check_key(self) -> None:
        if self.no_key:
            raise self.no_key

    def run(self, request: Mapping[str, Any]) -> str:
        self.check_key()
        if self.refusal:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.requests.append(copy.deepcopy(request))
        return f"rp-{len(self.requests)}"

    def status(self, runpod_id: str) -> RunPodReport:
        self.check_key()
        if self.unreachable:
            raise self.unreachable
        self.asked.append(runpod_id)
        return self.reports.get(runpod_id, gone(runpod_id))

    def cancel(self, runpod_id: str) -> None:
        self.check_key()
        if self.unreachable:
            raise self.unreachable
        self.cancelled.append(runpod_id)

    def keeping_connections(self) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class MemorySecrets:
    """Callback secrets; `next_live` is what a refetch brings; `unusable` is raised when they are read."""

    secrets: tuple[bytes, ...]
    next_live: tuple[bytes, ...] | None = None
    refetches: int = 0
    unusable: Exception | None = None

    def current(self) -> bytes:
        if self.unusable:
            raise self.unusable
        return self.secrets[0]

    def live(self) -> tuple[bytes, ...]:
        return self.secrets

    def refetched(self) -> tuple[bytes, ...]:
        self.refetches += 1
        self.secrets = self.next_live or self.secrets
        return self.secrets

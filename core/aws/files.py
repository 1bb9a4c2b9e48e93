"""Transcripts and summaries in S3."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from core.aws.facts import (
    facts_of,
    is_of,
    is_of_newer_upload,
    summary_in,
    summary_metadata,
    version_metadata,
)
from core.aws.forbidden import forbidden
from core.aws.names import facts_key_for, work_key
from core.aws.objects import JSON, TEXT, Objects, Sleep
from core.errors import BadTranscript, Conflict, Superseded
from core.jobs.job import Job, Source, Summary
from core.jobs.ports import IntermediateText, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1 << 20
_MOST_TRIES = 4


class S3Transcripts:
    def __init__(self, client: "S3Client") -> None:
        self._client = client

    @contextmanager
    def open(self, source: Source) -> Iterator[Upload]:
        answer = self._get(source)
        with closing(answer["Body"]) as body:
            size_bytes = answer["ContentLength"]
            yield Upload(
                metadata=answer["Metadata"],
                size_bytes=size_bytes,
                read=lambda max_bytes: _received(body, size_bytes, max_bytes),
            )

    def beside(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key)
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "NoSuchKey":
                return None
            refusal = forbidden(exc, f"reading {key}")
            raise (refusal or exc) from exc
        with closing(answer["Body"]) as body:
            received: bytes = body.read(max_bytes + 1)
        return received

    def _get(self, source: Source) -> dict[str, Any]:
        try:
            return dict(self._client.get_object(**which(source)))  # type: ignore[arg-type]  # all are texts
        except ClientError as exc:
            refusal = forbidden(exc, f"reading {source.key}")
            if refusal:
                raise refusal from exc
            unreadable = _UNREADABLE.get(exc.response["Error"]["Code"])
            if unreadable is None:
                raise
            raise BadTranscript(*unreadable) from exc


def _received(body: StreamingBody, size_bytes: int, max_bytes: int) -> bytes:
    if size_bytes > max_bytes:
        raise _too_large(size_bytes, max_bytes)
    received = bytearray()
    for chunk in body.iter_chunks(_CHUNK_BYTES):
        received += chunk
        if len(received) > max_bytes:
            raise _too_large(len(received), max_bytes)
    return bytes(received)


def which(source: Source) -> dict[str, str]:
    """Return the parameters of a request for exactly this version."""
    place = {"Bucket": source.bucket, "Key": source.key}
    if source.version_id:
        return place | {"VersionId": source.version_id}
    return place | ({"IfMatch": f'"{source.etag}"'} if source.etag else {})


class S3Summaries:
    """Summaries with their facts beside them.

    Creating the `.txt` is the one step that makes a summary visible, and S3 lets only one creation
    of a name through. So whoever comes second, with the same result or with that of another attempt,
    finds the first one standing and goes on with it.

    All versions of a file share the two names. Each of the two is only ever replaced by a newer
    version's, so that at rest both are the newest's.
    """

    def __init__(self, client: "S3Client", bucket: str, *, sleep: Sleep = time.sleep) -> None:
        self._objects = Objects(client, bucket, sleep=sleep)
        self._bucket = bucket

    def publish(
        self, job: Job, summary: Summary, text: str, facts: Mapping[str, Any], *, now: datetime
    ) -> Summary:
        existing = self._create(job, summary, text.rstrip() + "\n")
        self._put_facts(job, existing, facts, now)
        return existing

    def existing(self, job: Job, *, now: datetime) -> Summary | None:
        existing = self.visible(job)
        if existing:
            self._put_facts(job, existing, {}, now)  # whoever created it may have died before that
        return existing

    def visible(self, job: Job) -> Summary | None:
        there = self._objects.head(job.summary_key)
        if there is None:
            return None
        if is_of(job, there.metadata):
            return summary_in(there.metadata)
        if is_of_newer_upload(job, there.metadata):
            raise _superseded()
        return None

    def _create(self, job: Job, summary: Summary, text: str) -> Summary:
        metadata = summary_metadata(job, summary)
        there = self._put_newest(job, job.summary_key, text.encode("utf-8"), TEXT, metadata)
        if not is_of(job, there):
            raise _superseded()
        return summary_in(there)

    def _put_facts(
        self, job: Job, existing: Summary, facts: Mapping[str, Any], now: datetime
    ) -> None:
        document = facts_of(job, existing, facts, bucket=self._bucket, now=now)
        body = json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "replace")
        key = facts_key_for(job.summary_key)
        self._put_newest(job, key, body, JSON, version_metadata(job))

    def _put_newest(
        self, job: Job, key: str, body: bytes, content_type: str, metadata: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Write an object unless it, or a newer version's, is there; return whose metadata then is."""
        replacing = ""
        for _ in range(_MOST_TRIES):
            if self._objects.put(
                key, body, content_type=content_type, metadata=metadata, replacing=replacing
            ):
                return metadata
            there = self._objects.head(key)
            if there and (is_of(job, there.metadata) or is_of_newer_upload(job, there.metadata)):
                return there.metadata
            replacing = there.etag if there else ""
        raise Conflict(f"what job {job.id} wrote was written by others again and again")


def _superseded() -> Superseded:
    return Superseded("a newer upload of the same file was summarised first; its summary stands")


class S3IntermediateStore:
    """What is between a transcript and its summary, under a prefix that S3 empties after a week."""

    def __init__(self, client: "S3Client", bucket: str, *, sleep: Sleep = time.sleep) -> None:
        self._objects = Objects(client, bucket, sleep=sleep)

    def save(self, job_id: str, name: str, text: IntermediateText) -> None:
        self._objects.put(
            work_key(job_id, name),
            text.text.encode("utf-8"),
            content_type=TEXT,
            metadata={
                "was-cut": str(text.was_cut).lower(),
                "prompt-tokens": str(text.prompt_tokens),
                "completion-tokens": str(text.completion_tokens),
                "attempt": str(text.attempt),
            },
        )

    def load(self, job_id: str, name: str) -> IntermediateText | None:
        found = self._objects.get(work_key(job_id, name))
        if found is None:
            return None
        body, metadata = found
        return IntermediateText(
            text=body.decode("utf-8"),
            was_cut=metadata.get("was-cut") == "true",
            prompt_tokens=int(metadata.get("prompt-tokens", 0)),
            completion_tokens=int(metadata.get("completion-tokens", 0)),
            attempt=int(metadata.get("attempt", 0)),
        )

    def record(self, job_id: str, name: str, document: str) -> str:
        key = _document_key(job_id, name)
        body = document.encode("utf-8", "surrogatepass")
        for _ in range(_MOST_TRIES):
            if self._objects.put(key, body, content_type=JSON, metadata={}):
                return document
            existing = self.recorded(job_id, name)
            if existing is not None:
                return existing
        raise Conflict(f"{name} of job {job_id} was written and deleted again and again")

    def recorded(self, job_id: str, name: str) -> str | None:
        found = self._objects.get(_document_key(job_id, name))
        return found[0].decode("utf-8", "surrogatepass") if found else None

    def delivered(self, job_id: str, call_id: str, attempt: int, *, max_bytes: int) -> bytes | None:
        key = delivery_key(job_id, call_id, attempt)
        found = self._objects.get(key, max_bytes=max_bytes)
        return found[0] if found else None


def delivery_key(job_id: str, call_id: str, attempt: int) -> str:
    """Return where the worker of pull mode puts an attempt's result: a key of the attempt's own."""
    return work_key(job_id, f"{call_id}.{attempt}")


def _document_key(job_id: str, name: str) -> str:
    return work_key(job_id, name, ending=".json")


_DELETED = ("deleted", "the file was deleted before it could be read; upload it again")
_REPLACED = (
    "replaced",
    "the file was replaced before it could be read; its newer version has a job of its own",
)
_UNREADABLE = {
    "InvalidObjectState": (
        "archived",
        "the file lies in an archive storage class; upload it again in the class STANDARD",
    ),
    "InvalidRequest": (
        "unreadable",
        "S3 can't hand the file out without more, as one encrypted by SSE-C; upload it again plainly",
    ),
    "NoSuchKey": _DELETED,
    "NoSuchVersion": _DELETED,
    "404": _DELETED,
    "PreconditionFailed": _REPLACED,
    "412": _REPLACED,
}


def _too_large(size_bytes: int, max_bytes: int) -> BadTranscript:
    return BadTranscript(
        "too-large",
        f"the file has {size_bytes:,} bytes or more and MaxTranscriptBytes allows {max_bytes:,};"
        " split it, or raise the setting",
    )

"""Transcripts and summaries in S3."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from core.errors import BadTranscript, Conflict, Superseded
from core.forbidden import forbidden
from core.jobs import Job, Source, Summary
from core.names import WORK_PREFIX, facts_key_for
from core.ports import Kept, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LONGEST_METADATA_VALUE = 1000  # S3 takes 2 KB of user metadata in all
_CHUNK_BYTES = 1 << 20
_MOST_TRIES = 4


class S3Transcripts:
    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def head(self, source: Source) -> Upload:
        answer = self._asked(self._client.head_object, source)
        return Upload(None, answer["Metadata"], answer["ContentLength"])

    def read(
        self,
        source: Source,
        *,
        max_bytes: int,
        wants: Callable[[Mapping[str, str]], bool] = lambda _: True,
    ) -> Upload:
        if source.size_bytes > max_bytes:
            raise _too_large(source.size_bytes, max_bytes)
        answer = self._asked(self._client.get_object, source)
        with closing(answer["Body"]) as body:
            if not wants(answer["Metadata"]):
                return Upload(None, answer["Metadata"], answer["ContentLength"])
            received = _received(body, max_bytes)
        return Upload(received, answer["Metadata"], len(received))

    @staticmethod
    def _asked(operation: Callable[..., Any], source: Source) -> dict[str, Any]:
        try:
            return dict(operation(**which(source)))
        except ClientError as exc:
            refusal = forbidden(exc, f"reading {source.key}")
            if refusal:
                raise refusal from exc
            unreadable = _UNREADABLE.get(exc.response["Error"]["Code"])
            if unreadable is None:
                raise
            raise BadTranscript(*unreadable) from exc


def _received(body: StreamingBody, max_bytes: int) -> bytes:
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
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def publish(self, job: Job, summary: Summary, text: str, *, now: datetime) -> Summary:
        standing = self._create(job, summary, text.rstrip() + "\n")
        self._tell_facts(job, standing, now)
        return standing

    def standing(self, job: Job, *, now: datetime) -> Summary | None:
        there = self._head(job.summary_key)
        if there is None or there["Metadata"].get("job-id") != job.id:
            return None
        standing = _from_metadata(there["Metadata"])
        self._tell_facts(job, standing, now)  # whoever created it may have died before that
        return standing

    def _tell_facts(self, job: Job, standing: Summary, now: datetime) -> None:
        facts = _facts(job, standing, bucket=self._bucket, now=now)
        self._client.put_object(
            Bucket=self._bucket,
            Key=facts_key_for(job.summary_key),
            Body=json.dumps(facts, indent=2, ensure_ascii=False).encode("utf-8", "replace"),
            ContentType="application/json",
        )

    def _create(self, job: Job, summary: Summary, text: str) -> Summary:
        condition: dict[str, Any] = {"IfNoneMatch": "*"}
        for _ in range(_MOST_TRIES):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=job.summary_key,
                    Body=text.encode("utf-8"),
                    ContentType="text/plain; charset=utf-8",
                    Metadata=_metadata(job, summary),
                    **condition,
                )
                return summary
            except ClientError as exc:
                if exc.response["Error"]["Code"] not in _SOMEBODY_WROTE:
                    raise
            there = self._head(job.summary_key)
            if there is None:
                condition = {"IfNoneMatch": "*"}
                continue
            metadata = there["Metadata"]
            if metadata.get("job-id") == job.id:
                return _from_metadata(metadata)
            if _is_of_newer_upload(job, metadata):
                raise Superseded(
                    "a newer upload of the same file was summarised first; its summary stands"
                )
            condition = {"IfMatch": there["ETag"]}
        raise Conflict(f"the summary of job {job.id} was written by others again and again")

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            return dict(self._client.head_object(Bucket=self._bucket, Key=key))
        except ClientError as exc:
            if exc.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise


class S3Workshop:
    """The texts between a transcript and its summary, under a prefix that S3 empties after a week."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, job_id: str, name: str, text: str, *, was_cut: bool = False) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=_work_key(job_id, name),
                Body=text.encode("utf-8"),
                ContentType="text/plain; charset=utf-8",
                Metadata={"was-cut": str(was_cut).lower()},
                IfNoneMatch="*",
            )
        except ClientError as exc:
            refusal = forbidden(exc, "writing notes beside the summaries")
            if refusal:
                raise refusal from exc
            if exc.response["Error"]["Code"] not in _SOMEBODY_WROTE:
                raise

    def kept(self, job_id: str, name: str) -> Kept | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_work_key(job_id, name))
        except ClientError as exc:
            if exc.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        text = answer["Body"].read().decode("utf-8")
        return Kept(text=text, was_cut=answer["Metadata"].get("was-cut") == "true")

    def delivered(self, job_id: str, call_id: str, attempt: int, *, max_bytes: int) -> bytes | None:
        key = delivery_key(job_id, call_id, attempt)
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        with closing(answer["Body"]) as body:
            received: bytes = body.read(max_bytes + 1)
        return received


def delivery_key(job_id: str, call_id: str, attempt: int) -> str:
    """Return where the worker of pull mode puts an attempt's result: a key of the attempt's own."""
    return _work_key(job_id, f"{call_id}.{attempt}")


def _work_key(job_id: str, name: str) -> str:
    return f"{WORK_PREFIX}{job_id}/{name}.txt"


# 412: the condition does not hold. 409: another conditional write is under way. 404: IfMatch on
# what has been deleted meanwhile.
_SOMEBODY_WROTE = frozenset(
    {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"}
)


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


def _is_of_newer_upload(job: Job, metadata: dict[str, str]) -> bool:
    try:
        uploaded_at = datetime.fromisoformat(metadata["source-uploaded-at"])
    except (KeyError, ValueError):
        return False  # not one of ours: the bucket's versions keep it
    return job.source.is_older_than(uploaded_at, metadata.get("source-sequencer", ""))


def _metadata(job: Job, summary: Summary) -> dict[str, str]:
    """Return what the object itself tells: ASCII, within S3's 2 KB."""
    fields = {
        "job-id": job.id,
        "call-id": summary.call_id,
        "attempt": str(summary.attempt),
        "runpod-id": summary.runpod_id,
        "model": summary.model,
        "words": str(summary.words),
        "prompt-tokens": str(summary.prompt_tokens),
        "completion-tokens": str(summary.completion_tokens),
        "finish-reason": summary.finish_reason,
        "source-key": quote(job.source.key),
        "source-version": job.source.version_id or job.source.etag,
        "source-uploaded-at": job.source.uploaded_at.isoformat(),
        "source-sequencer": job.source.sequencer,
    }
    return {
        name: value for name, value in fields.items() if 0 < len(value) <= _LONGEST_METADATA_VALUE
    }


def _from_metadata(metadata: dict[str, str]) -> Summary:
    return Summary(
        call_id=metadata["call-id"],
        attempt=int(metadata["attempt"]),
        runpod_id=metadata.get("runpod-id", ""),
        model=metadata.get("model", ""),
        words=int(metadata["words"]),
        prompt_tokens=int(metadata["prompt-tokens"]),
        completion_tokens=int(metadata["completion-tokens"]),
        finish_reason=metadata.get("finish-reason", ""),
    )


def _facts(job: Job, summary: Summary, *, bucket: str, now: datetime) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "source": {**asdict(job.source), "uploaded_at": job.source.uploaded_at.isoformat()},
        "summary": {"bucket": bucket, "key": job.summary_key, **asdict(summary)},
        "asked": {**asdict(job.request), "target_words": job.target_words},
        "made_of": {"calls": list(job.slots), "stages": job.stage, "repairs": job.repairs},
        "transcript_words": job.words_in,
        "created_at": job.created_at.isoformat(),
        "finished_at": now.isoformat(),
    }

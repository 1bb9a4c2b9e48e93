"""A new version of a file, the same as the one before: what S3 announces like an upload."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from core.jobs.job import Job, Source

RETRY_OF = "retry-of"  # metadata of the copy: the job that it starts anew
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")


class FileGone(Exception):
    """There is nothing to copy."""


class FileReplaced(Exception):
    """The file has a newer version, which has a job of its own."""

    def __init__(self, newest: Source | None = None) -> None:
        super().__init__("a newer version of its file was uploaded, which has a job of its own")
        self.newest = newest


class CopiedAlready(Exception):
    """The newest version is the copy that such a command made."""


def check_newest(s3: Any, job: Job) -> None:
    """See that a job is that of its file's newest version. Raises FileGone, FileReplaced, CopiedAlready."""
    _checked(job, _head(s3, job.source))


def copied_onto_itself(s3: Any, job: Job) -> Source:
    """Make a new version of a job's file and return it. Raises as `check_newest` does.

    Its metadata are replaced by the same and one more: S3 copies nothing onto itself without a change.
    The newest version is copied, by its ETag and not by its id: an upload in this instant is not undone.
    """
    source = job.source
    head = _head(s3, source)
    _checked(job, head)
    try:
        answer = s3.copy_object(
            Bucket=source.bucket,
            Key=source.key,
            CopySource={"Bucket": source.bucket, "Key": source.key},
            CopySourceIfMatch=head["ETag"],
            MetadataDirective="REPLACE",
            Metadata={**head["Metadata"], RETRY_OF: job.id},
            **{name: head[name] for name in _KEPT if head.get(name)},
            **_key_of(head),
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] in {"PreconditionFailed", "412"}:
            raise FileReplaced from exc
        raise
    etag = answer.get("CopyObjectResult", {}).get("ETag", "").strip('"')
    return replace(source, version_id=answer.get("VersionId", ""), etag=etag, sequencer="")


def _key_of(head: Mapping[str, Any]) -> dict[str, str]:
    """Return what keeps a copy under its KMS key; else the bucket's own encryption holds."""
    kind = str(head.get("ServerSideEncryption", ""))
    if not kind.startswith("aws:kms"):
        return {}
    return {"ServerSideEncryption": kind, "SSEKMSKeyId": head["SSEKMSKeyId"]}


def _head(s3: Any, source: Source) -> Mapping[str, Any]:
    try:
        return dict(s3.head_object(Bucket=source.bucket, Key=source.key))
    except ClientError as exc:
        if exc.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            raise FileGone(
                "its file is gone: it was deleted since; upload it again, or restore it"
            ) from exc
        raise


def _checked(job: Job, head: Mapping[str, Any]) -> None:
    source = job.source
    version_id = str(head.get("VersionId", ""))
    version_id = "" if version_id == "null" else version_id
    etag = str(head["ETag"]).strip('"')
    if head["Metadata"].get(RETRY_OF) == job.id:
        raise CopiedAlready(
            "it was started anew already; `list --key` shows the job that came of it"
        )
    is_same = version_id == source.version_id if source.version_id else etag == source.etag
    if not is_same:
        raise FileReplaced(
            replace(source, version_id=version_id, etag=etag, uploaded_at=head["LastModified"])
        )

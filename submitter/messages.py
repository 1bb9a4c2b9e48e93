"""What stands in an event: uploads, and calls that want an attempt. Pure.

An upload is announced in one of two shapes, by itself or as the body of an SQS message:

    S3 notification   {"Records": [{"s3": {"bucket": ..., "object": {"key": "a+b%2B.txt", ...}}}]}
    EventBridge       {"source": "aws.s3", "detail-type": "Object Created", "detail": {...}}

In the first the key is URL-encoded, with `+` for a space; in the second it is as it is.

A topic of SNS between S3 and the queue wraps either of them, unless it delivers raw:

    through SQS       {"Type": "Notification", "Message": "<the event as JSON>", ...}
    by itself         {"Records": [{"Sns": {"Message": "<the event as JSON>", ...}}]}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from core.aws.names import WORK_PREFIX, is_aside
from core.aws.queue import ATTEMPT_REQUESTED, NEXT_STAGE_REQUESTED
from core.errors import PipelineError
from core.jobs.job import Source
from core.settings import SubmitterSettings


class UnknownMessage(PipelineError):
    """Nothing that the submitter takes. It goes to the dead-letter queue for a person to see."""


@dataclass(frozen=True)
class AttemptRequested:
    """A waiting call's next attempt is asked for."""

    job_id: str
    call_id: str


@dataclass(frozen=True)
class NextStageRequested:
    """A job's stage is done, and what follows shall begin."""

    job_id: str


def parse_message(body: str) -> list[Source | AttemptRequested | NextStageRequested]:
    """Read the body of one SQS message. Raises UnknownMessage."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise UnknownMessage("a queue message is not JSON") from None
    try:
        if isinstance(message, dict) and ATTEMPT_REQUESTED in message:
            wanted = message[ATTEMPT_REQUESTED]
            return [AttemptRequested(job_id=str(wanted["job_id"]), call_id=str(wanted["call_id"]))]
        if isinstance(message, dict) and NEXT_STAGE_REQUESTED in message:
            return [NextStageRequested(job_id=str(message[NEXT_STAGE_REQUESTED]["job_id"]))]
    except (KeyError, TypeError):
        raise UnknownMessage("a message of ours names no job") from None
    return list(parse_uploads(message))


def parse_uploads(event: object) -> list[Source]:
    """Read an S3 event in any shape; S3's test event has no uploads. Raises UnknownMessage."""
    return [upload for unwrapped in _unwrapped(event) for upload in _parse_unwrapped(unwrapped)]


def _unwrapped(event: object) -> list[object]:
    """Return the events that SNS has wrapped, or the event itself."""
    if not isinstance(event, Mapping):
        return [event]
    records = event.get("Records")
    if event.get("Type") == "Notification":
        wrappers: list[Any] = [event]
    elif isinstance(records, list) and any(_is_from_sns(record) for record in records):
        wrappers = [record.get("Sns") for record in records if isinstance(record, Mapping)]
    else:
        return [event]
    try:
        return [json.loads(wrapper["Message"]) for wrapper in wrappers]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise UnknownMessage("a notification of SNS holds no JSON") from None


def _is_from_sns(record: object) -> bool:
    return isinstance(record, Mapping) and record.get("EventSource") == "aws:sns"


def _parse_unwrapped(event: object) -> list[Source]:
    if not isinstance(event, Mapping):
        raise UnknownMessage("an event is not a JSON object")
    try:
        if event.get("Event") == "s3:TestEvent":
            return []
        if event.get("source") == "aws.s3":
            return [_from_eventbridge(event)] if event["detail-type"] == "Object Created" else []
        return [_from_notification(record) for record in event["Records"] if _is_creation(record)]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UnknownMessage(f"an event is not S3's: {type(exc).__name__} reading it") from None


def is_for_a_job(source: Source, settings: SubmitterSettings) -> bool:
    """Does this upload become a job, if only one that fails with a reason?

    All do but what lies elsewhere, what the pipeline wrote itself, and names that nobody means as a
    transcript.
    """
    upload_filter, resources = settings.upload_filter, settings.resources
    is_ours = source.bucket == resources.output_bucket and source.key.startswith(
        (resources.output_prefix, WORK_PREFIX)
    )
    return (
        source.bucket == upload_filter.bucket
        and source.key.startswith(upload_filter.prefix)
        and not is_aside(source.key, upload_filter.suffixes)
        and not is_ours
    )


def _is_creation(record: Mapping[str, Any]) -> bool:
    return str(record.get("eventName", "")).startswith("ObjectCreated")


def _from_notification(record: Mapping[str, Any]) -> Source:
    s3_object = record["s3"]["object"]
    return Source(
        bucket=str(record["s3"]["bucket"]["name"]),
        key=unquote_plus(str(s3_object["key"]), errors="strict"),
        version_id=_version(s3_object.get("versionId")),
        etag=str(s3_object.get("eTag") or ""),
        sequencer=str(s3_object.get("sequencer") or ""),
        size_bytes=int(s3_object.get("size") or 0),
        uploaded_at=_instant(record["eventTime"]),
    )


def _from_eventbridge(event: Mapping[str, Any]) -> Source:
    detail = event["detail"]
    s3_object = detail["object"]
    return Source(
        bucket=str(detail["bucket"]["name"]),
        key=str(s3_object["key"]),
        version_id=_version(s3_object.get("version-id")),
        etag=str(s3_object.get("etag") or ""),
        sequencer=str(s3_object.get("sequencer") or ""),
        size_bytes=int(s3_object.get("size") or 0),
        uploaded_at=_instant(event["time"]),
    )


def _version(version_id: object) -> str:
    """Return the version's id; S3 says "null" for an object from before versions were turned on."""
    return "" if version_id in (None, "", "null") else str(version_id)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

"""Trigger   S3 uploads and calls that want an attempt, from SQS in batches; or an S3 event by itself.
Answers   which messages of the batch shall come again; raises for an event by itself.
Never     waits for a result; asks RunPod for one.
"""

import os
from functools import cache
from typing import Any

from core.errors import JobExists, UnknownCall
from core.jobs.job import Source, job_id_for
from core.outcomes import count_submission
from core.settings import SubmitterSettings
from core.telemetry import Metric, count, logger, observed, speak_of
from submitter.messages import (
    AttemptRequested,
    NextStageRequested,
    is_for_a_job,
    parse_message,
    parse_uploads,
)
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN
from submitter.use_cases import UseCases, wired


@observed
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    if _is_from_sqs(event):
        failed = [each["messageId"] for each in event["Records"] if not _is_taken(each)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
    for source in parse_uploads(event):
        _take(source)
    return {}


def _is_taken(record: dict[str, Any]) -> bool:
    """Take a message of the queue; whatever goes wrong with it, its neighbours are taken too."""
    try:
        _take_record(record)
    except Exception:
        logger.warning("message not taken; it comes again", exc_info=True)
        return False
    return True


def _take_record(record: dict[str, Any]) -> None:
    speak_of()  # of nobody yet: a message may name no job
    deliveries = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    for message in parse_message(record["body"]):
        _take(message, deliveries)


def _take(
    message: Source | AttemptRequested | NextStageRequested,
    deliveries: int = DELIVERIES_BEFORE_FORBIDDEN,
) -> None:
    use_cases = _wiring()
    speak_of()
    try:
        match message:
            case NextStageRequested(job_id):
                speak_of(job_id=job_id)
                count_submission(use_cases.stages.advance(job_id), [])
            case AttemptRequested(job_id, call_id):
                speak_of(job_id=job_id, call_id=call_id)
                job, call = use_cases.dispatch.next_attempt(job_id, call_id)
                count_submission(job, [call])
            case Source() if is_for_a_job(message, use_cases.settings):
                speak_of(job_id=job_id_for(message))
                count_submission(*use_cases.intake.accept(message, deliveries=deliveries))
            case Source():
                logger.info("upload ignored: not a transcript", extra={"key": message.key})
    except JobExists:
        count(Metric.DUPLICATE_UPLOADS)
    except UnknownCall as exc:
        logger.warning("message ignored: %s", exc)  # its record has expired


def _is_from_sqs(event: dict[str, Any]) -> bool:
    records = event.get("Records") or [{}]
    return bool(records[0].get("eventSource") == "aws:sqs")


@cache
def _wiring() -> UseCases:
    return wired(SubmitterSettings.from_env(os.environ))

"""Trigger   S3 uploads and calls that want an attempt, from SQS in batches; or an S3 event by itself.
Answers   which messages of the batch shall come again; raises for an event by itself.
Never     waits for a result; asks RunPod for one.
"""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from core import wiring
from core.errors import JobExists, UnknownCall
from core.jobs.model import Source
from core.settings import SubmitterSettings
from core.telemetry import count, count_submission, logger, metrics
from submitter.material import Material
from submitter.messages import (
    AttemptRequested,
    NextStageRequested,
    parse_message,
    parse_uploads,
    wants_job,
)
from submitter.stages import Stages
from submitter.submit import Submitter
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if _is_from_sqs(event):
        processor = BatchProcessor(
            event_type=EventType.SQS,
            raise_on_entire_batch_failure=False,
            logger=logger,  # type: ignore[arg-type]  # without it a failed message leaves no line
        )
        return dict(
            process_partial_response(
                event=event, record_handler=_take_record, processor=processor, context=context
            )
        )
    for source in parse_uploads(event):
        _take(source)
    return {}


def _take_record(record: dict[str, Any]) -> None:
    deliveries = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    for message in parse_message(record["body"]):
        _take(message, deliveries)


def _take(
    message: Source | AttemptRequested | NextStageRequested,
    deliveries: int = DELIVERIES_BEFORE_FORBIDDEN,
) -> None:
    stages = _wiring()
    submitter, settings = stages.submitter, stages.submitter.settings
    try:
        if isinstance(message, NextStageRequested):
            count_submission(stages.go_on(message.job_id, now=wiring.now()), [])
        elif isinstance(message, AttemptRequested):
            job, call = submitter.next_attempt(message.job_id, message.call_id, now=wiring.now())
            count_submission(job, [call])
        elif wants_job(message, settings.upload_filter, settings.resources):
            count_submission(*submitter.accept(message, now=wiring.now(), deliveries=deliveries))
        else:
            logger.info("upload ignored: not a transcript", extra={"key": message.key})
    except JobExists:
        count("DuplicateUploads")
    except UnknownCall as exc:
        logger.warning("message ignored: %s", exc)  # its record has expired


def _is_from_sqs(event: dict[str, Any]) -> bool:
    records = event.get("Records") or [{}]
    return bool(records[0].get("eventSource") == "aws:sqs")


@cache
def _wiring() -> Stages:
    settings = SubmitterSettings.from_env(os.environ)
    submitter = Submitter(
        store=wiring.store(settings.resources),
        material=Material(
            transcripts=wiring.transcripts(),
            intermediate_store=wiring.intermediate_store(settings.resources),
            settings=settings,
        ),
        queue=wiring.work_queue(settings.resources),
        runpod=wiring.runpod(settings.runpod),
        secrets=wiring.callback_secrets(settings.callback_secret),
        settings=settings,
        presigned_urls=wiring.presigned_urls(settings.resources),
        clock=wiring.now,
    )
    return Stages(submitter=submitter, summaries=wiring.summaries(settings.resources))

"""Messages to the submitter, through the queue that uploads arrive in."""

import json
import math
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ATTEMPT_REQUESTED = "attempt_requested"
NEXT_STAGE_REQUESTED = "next_stage_requested"
_LONGEST_DELAY_SECONDS = 900  # SQS's limit


class SqsWorkQueue:
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def request_attempt(self, job_id: str, call_id: str, *, after: timedelta) -> None:
        self._send({ATTEMPT_REQUESTED: {"job_id": job_id, "call_id": call_id}}, after)

    def request_next_stage(self, job_id: str) -> None:
        self._send({NEXT_STAGE_REQUESTED: {"job_id": job_id}}, timedelta())

    def _send(self, message: dict[str, dict[str, str]], after: timedelta) -> None:
        delay_seconds = min(math.ceil(after.total_seconds()), _LONGEST_DELAY_SECONDS)
        self._client.send_message(
            QueueUrl=self._queue_url, MessageBody=json.dumps(message), DelaySeconds=delay_seconds
        )

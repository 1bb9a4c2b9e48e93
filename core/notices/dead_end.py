"""The dead end of notices: a queue with what could not be told, and why. `summaries notices` shows it.

Five kinds of message get there. Two are ours: a job whose notice could not be made or sent, and an event
that the webhook's receiver did not take. The others come from AWS, when a function of ours did not run:
Lambda's account of a part of the table's stream; an event that EventBridge could not hand to a target; an
event from the webhook's queue, as it is.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

UNTOLD, UNDELIVERED = "untold", "undelivered"


class DeadEnd:
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def keep_untold(self, job_id: str, *, why: str, at: datetime) -> None:
        """Keep a job of which nobody was told."""
        self._send({"kind": UNTOLD, "job_id": job_id, "why": why, "at": at.isoformat()})

    def keep_undelivered(
        self, event: Mapping[str, Any], *, why: str, tries: int, at: datetime
    ) -> None:
        """Keep an event that the webhook's receiver did not take."""
        about = {"kind": UNDELIVERED, "why": why, "tries": tries, "at": at.isoformat()}
        self._send({**about, "event": event})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(message))

"""One message of the queue: sent, put off, or given up.

A message is put off by hiding it in the queue for as long as the schedule says. SQS counts how often it
was received, and that is the number of the try.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import SecretUnusable
from core.notices.dead_end import DeadEnd
from webhook_sender.message import Message, NoNotice, message_of
from webhook_sender.receiver import Receiver, Unreachable
from webhook_sender.schedule import pause_after
from webhook_sender.signing import Signer

GONE = 410  # "do not send to me any more", by the rules of Standard Webhooks
_HEADERS = {"content-type": "application/json", "user-agent": "transcript-summaries"}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What came of a try."""

    notice_id: str
    job_id: str
    tries: int
    why: str = ""  # it was not taken; "" if it was
    pause: timedelta | None = None  # until the next try; None if there is none


@dataclass(frozen=True, kw_only=True)
class Sender:
    receiver: Receiver
    signer: Signer
    dead_end: DeadEnd
    hide: Callable[[str, timedelta], None]  # a message of the queue, by its receipt
    chance: Callable[[], float]

    def deliver(self, record: Mapping[str, Any], *, now: datetime) -> Delivery:
        """Send a message, or see to it that it is tried again or kept in the dead end."""
        tries = int(record["attributes"]["ApproximateReceiveCount"])
        event = _parsed(record["body"])
        try:
            message = message_of(event)
        except NoNotice as exc:
            self.dead_end.keep_undelivered(event, why=str(exc), tries=tries, at=now)
            return Delivery(notice_id="", job_id="", tries=tries, why=str(exc))
        why, is_final = self.send(message, now=now)
        done = Delivery(notice_id=message.id, job_id=message.job_id, tries=tries, why=why)
        if not why:
            return done
        pause = None if is_final else pause_after(tries, chance=self.chance())
        if pause is None:
            self.dead_end.keep_undelivered(event, why=why, tries=tries, at=now)
            return done
        self.hide(record["receiptHandle"], pause)
        return Delivery(
            notice_id=message.id, job_id=message.job_id, tries=tries, why=why, pause=pause
        )

    def send(self, message: Message, *, now: datetime) -> tuple[str, bool]:
        """Send a message once; return why it was not taken, and whether it never will be."""
        try:
            headers = self.signer.headers(message.id, message.body, now=now)
            status = self.receiver.post(message.body.encode(), _HEADERS | headers)
        except (SecretUnusable, Unreachable) as exc:
            return str(exc), False
        if 200 <= status < 300:  # noqa: PLR2004 - what a receiver says by it
            return "", True
        return f"{self.receiver.host} answered {status}", status == GONE


def _parsed(body: str) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}

"""Trigger   the queue of notices for the webhook, one at a time; or an operator's `{"test": ID}`.
Answers   the messages that come again; of a test, what came of it.
Never     follows a redirect; sends to an address that is not public; logs the URL, which may hold a token.
"""

import os
import random
from datetime import timedelta
from functools import cache
from typing import Any

from core import wiring
from core.settings import WebhookSenderSettings
from core.telemetry import Metric, count, logger, observed
from webhook_sender.deliver import Delivery, Sender
from webhook_sender.message import message_of, trial_event
from webhook_sender.receiver import receiver_at
from webhook_sender.signing import Signer


@observed
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    settings, sender = _wiring()
    if "test" in event:
        told = trial_event(event["test"], stack=settings.stack_name, now=wiring.now())
        why, _ = sender.send(message_of(told), now=wiring.now())
        return {"host": sender.receiver.host, "why": why}
    put_off = []
    for record in event["Records"]:
        done = sender.deliver(record, now=wiring.now())
        _report(done)
        if done.pause:
            put_off.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": put_off}


def _report(done: Delivery) -> None:
    extra = {"job_id": done.job_id, "notice_id": done.notice_id, "tries": done.tries}
    if not done.why:
        count(Metric.WEBHOOKS_DELIVERED)
        logger.info("webhook delivered", extra=extra)
    elif done.pause:
        count(Metric.WEBHOOKS_PUT_OFF)
        seconds = done.pause.total_seconds()
        logger.warning("webhook put off: %s", done.why, extra=extra | {"seconds": seconds})
    else:
        count(Metric.WEBHOOKS_GIVEN_UP)
        logger.error("webhook given up: %s", done.why, extra=extra)


@cache
def _wiring() -> tuple[WebhookSenderSettings, Sender]:
    settings = WebhookSenderSettings.from_env(os.environ)
    sqs = wiring.client("sqs")

    def hide(receipt: str, pause: timedelta) -> None:
        sqs.change_message_visibility(
            QueueUrl=settings.notice_queue_url,
            ReceiptHandle=receipt,
            VisibilityTimeout=round(pause.total_seconds()),
        )

    sender = Sender(
        receiver=receiver_at(settings.url),
        signer=Signer(wiring.secret(settings.secret)),
        dead_end=wiring.dead_end(settings.notice_dead_end_url),
        hide=hide,
        chance=random.random,
    )
    return settings, sender

"""Trigger   RunPod's callback: POST /webhook/{job_id}/{call_id}/{attempt}/{token}, through API Gateway.
Answers   200 once the effect is durable or nothing is left to do; 4xx where sending it again can't
          help; 503, or raises, which is a 500, where it can: RunPod calls again.
Never     starts a RunPod request; reads anything before the token is right; asks RunPod about an id
          that only a callback has named.
"""

import json
import os
from functools import cache
from typing import Any

from core import wiring
from core.errors import (
    BadBody,
    BadToken,
    ForeignRequest,
    NewerRecord,
    NotYetKnown,
    UnknownCall,
)
from core.jobs.callback import CallRef
from core.jobs.ports import CallbackSecrets
from core.settings import ReceiverSettings
from core.telemetry import count, logger, metrics
from webhook_receiver.callbacks import checked_ref, parse_body
from webhook_receiver.receive import Receiver

BY = "webhook_receiver"


@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    receiver, secrets = _wiring()
    try:
        ref = checked_ref(event, secrets)
    except BadToken:
        count("CallbacksUnauthorized")
        logger.warning("callback refused: token")
        return _answer(401, "unauthorized")
    try:
        outcome = receiver.receive(ref, parse_body(event), now=wiring.now())
    except BadBody as exc:
        return _refused(400, str(exc), ref)
    except UnknownCall:
        return _refused(404, "no such call", ref)
    except ForeignRequest:
        return _refused(409, "another request's report", ref)
    except NotYetKnown as exc:
        logger.info("callback: %s", exc, extra=_ids(ref))
        return _answer(503, str(exc))
    except NewerRecord as exc:
        logger.error("callback: %s", exc, extra=_ids(ref))
        return _answer(503, "the record is a newer release's")
    logger.info("callback: %s", outcome, extra=_ids(ref))
    return _answer(200, outcome)


def _refused(code: int, why: str, ref: CallRef) -> dict[str, Any]:
    count("CallbacksRefused")
    logger.warning("callback refused: %s", why, extra=_ids(ref))
    return _answer(code, why)


def _answer(code: int, outcome: str) -> dict[str, Any]:
    return {"statusCode": code, "body": json.dumps({"outcome": outcome})}


def _ids(ref: CallRef) -> dict[str, str | int]:
    return {"job_id": ref.job_id, "call_id": ref.call_id, "attempt": ref.attempt}


@cache
def _wiring() -> tuple[Receiver, CallbackSecrets]:
    settings = ReceiverSettings.from_env(os.environ)
    store = wiring.store(settings.resources)
    lifecycle = wiring.lifecycle(settings.resources, settings.retries, store=store, by=BY)
    receiver = Receiver(
        settler=wiring.settler(settings.resources, lifecycle),
        store=store,
        verify_with=wiring.runpod(settings.verifies_with) if settings.verifies_with else None,
    )
    return receiver, wiring.callback_secrets(settings.callback_secret)

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
from core.jobs.decide import Fail, Overflow, Publish, Retry
from core.jobs.ports import CallbackSecrets
from core.settings import ReceiverSettings
from core.telemetry import Metric, count, logger, measure, observed, speak_of
from webhook_receiver.callbacks import checked_ref, parse_body
from webhook_receiver.receive import Receiver

BY = "webhook_receiver"
# What came of a callback that brought what was waited for.
_RESULTS = frozenset(each.outcome for each in (Publish, Retry, Overflow, Fail))


@observed
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    receiver, secrets = _wiring()
    # The access log has this id and can't have the job's: it stands in the path, beside the token.
    request = event.get("requestContext") or {}
    logger.append_keys(api_request_id=request.get("requestId"))
    try:
        ref = checked_ref(event, secrets)
    except BadToken:
        count(Metric.CALLBACKS_UNAUTHORIZED)
        logger.warning("callback refused: token")
        return _answer(401, "unauthorized")
    speak_of(job_id=ref.job_id, call_id=ref.call_id, attempt=ref.attempt)
    try:
        outcome = receiver.receive(ref, parse_body(event), now=wiring.now())
    except BadBody as exc:
        return _refused(400, str(exc))
    except UnknownCall:
        return _refused(404, "no such call")
    except ForeignRequest:
        return _refused(409, "another request's report")
    except NotYetKnown as exc:
        logger.info("callback: %s", exc)
        return _answer(503, str(exc))
    except NewerRecord as exc:
        logger.error("callback: %s", exc)
        return _answer(503, "the record is a newer release's")
    if outcome in _RESULTS:
        measure(Metric.CALLBACKS_LOST, 0)  # where the sweeper's samples are 1
    logger.info("callback: %s", outcome)
    return _answer(200, outcome)


def _refused(code: int, why: str) -> dict[str, Any]:
    count(Metric.CALLBACKS_REFUSED)
    logger.warning("callback refused: %s", why)
    return _answer(code, why)


def _answer(code: int, outcome: str) -> dict[str, Any]:
    return {"statusCode": code, "body": json.dumps({"outcome": outcome})}


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

"""Trigger   RunPod's callback: POST /webhook/{job_id}/{call_id}/{attempt}/{token}, through API Gateway.
Answers   200 once the effect is durable or nothing is left to do; 4xx where sending it again can't
          help; 503, or raises, which is a 500, where it can: RunPod calls again.
Never     starts a RunPod request; reads anything before the token is right; asks RunPod about an id
          that only a callback has named.
"""

import json
import os
from datetime import datetime
from functools import cache
from typing import Any

from core import wiring
from core.errors import BadBody, BadToken, ForeignRequest, NotYetKnown, UnknownCall
from core.jobs.callback import CallRef
from core.jobs.decide import attempt_of
from core.jobs.lifecycle import Lifecycle
from core.jobs.ports import CallbackSecrets
from core.runpod.client import HttpRunPod
from core.runpod.reports import RunPodReport, RunPodStatus
from core.settings import ReceiverSettings
from core.telemetry import count, logger, metrics
from webhook_receiver.callbacks import checked_ref, parse_body

BY = "webhook_receiver"


@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    lifecycle, secrets, runpod = _wiring()
    try:
        ref = checked_ref(event, secrets)
    except BadToken:
        count("CallbacksUnauthorized")
        logger.warning("callback refused: token")
        return _answer(401, "unauthorized")
    try:
        outcome = _record(ref, event, lifecycle, runpod)
    except BadBody as exc:
        return _refused(400, str(exc), ref)
    except UnknownCall:
        return _refused(404, "no such call", ref)
    except ForeignRequest:
        return _refused(409, "another request's report", ref)
    except NotYetKnown as exc:
        logger.info("callback: %s", exc, extra=_ids(ref))
        return _answer(503, str(exc))
    logger.info("callback: %s", outcome, extra=_ids(ref))
    return _answer(200, outcome)


def _record(
    ref: CallRef, event: dict[str, Any], lifecycle: Lifecycle, runpod: HttpRunPod | None
) -> str:
    now = wiring.now()
    report = parse_body(event)
    if report is None:
        lifecycle.expedite(ref, what="callback without a body", now=now)
        return "without a body; the sweeper will ask"
    if runpod:
        if not _is_its_own(ref, report, lifecycle, now):
            return "nothing to do"
        report = runpod.status(report.runpod_id)
        if report.status is RunPodStatus.GONE:
            # RunPod told of it and does not know it: too young for /status, or too old. The sweeper
            # knows which; taken for a loss here, a result that is there would be paid for again.
            lifecycle.expedite(
                ref, what="callback not confirmed", now=now, runpod_id=report.runpod_id
            )
            return "not confirmed; the sweeper will ask"
    settled = lifecycle.settle(ref, report, now=now)
    return settled.step


def _is_its_own(ref: CallRef, report: RunPodReport, lifecycle: Lifecycle, now: datetime) -> bool:
    """Is the report about the very request that RunPod told us of when it took the attempt?

    Whoever knows the URL can name any request of the endpoint, and /status would tell of that one. False
    where the call has ended and nobody will ever know. Raises NotYetKnown, ForeignRequest, UnknownCall.
    """
    _, call = lifecycle.store.load(ref.job_id, ref.call_id)
    if attempt_of(call, ref.attempt, report.runpod_id).runpod_id:
        return True
    if call.is_final:
        return False
    lifecycle.expedite(ref, what="callback before RunPod's answer", now=now)
    raise NotYetKnown("RunPod's id of the request is not on record yet")


def _refused(code: int, why: str, ref: CallRef) -> dict[str, Any]:
    count("CallbacksRefused")
    logger.warning("callback refused: %s", why, extra=_ids(ref))
    return _answer(code, why)


def _answer(code: int, outcome: str) -> dict[str, Any]:
    return {"statusCode": code, "body": json.dumps({"outcome": outcome})}


def _ids(ref: CallRef) -> dict[str, str | int]:
    return {"job_id": ref.job_id, "call_id": ref.call_id, "attempt": ref.attempt}


@cache
def _wiring() -> tuple[Lifecycle, CallbackSecrets, HttpRunPod | None]:
    settings = ReceiverSettings.from_env(os.environ)
    return (
        wiring.lifecycle(settings.resources, settings.retries, by=BY),
        wiring.callback_secrets(settings.callback_secret),
        wiring.runpod(settings.verifies_with) if settings.verifies_with else None,
    )

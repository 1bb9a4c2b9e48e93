"""Trigger   the table's stream: jobs that have just reached an end (template.yaml filters).
Answers   nothing, once EventBridge has each notice; what can never be told is kept in the dead end. Raises
          where trying again can help: Lambda brings the same records again for some hours, and then keeps
          an account of them in the dead end.
Never     writes to the table; reads a transcript or a summary.
"""

import os
from functools import cache
from typing import Any

from core import wiring
from core.settings import NotifierSettings
from core.telemetry import Metric, count, logger, observed
from notifier.notify import Notifier


@observed
def handler(event: dict[str, Any], _context: object) -> None:
    outcomes = _wiring().notify(event["Records"], now=wiring.now())
    for each in outcomes:
        if each.why:
            logger.error("notice kept in the dead end: %s", each.why, extra={"job_id": each.job_id})
        else:
            logger.info("notice sent: %s", each.kind, extra={"job_id": each.job_id})
    count(Metric.NOTICES_SENT, sum(not each.why for each in outcomes))
    count(Metric.NOTICES_UNTOLD, sum(bool(each.why) for each in outcomes))


@cache
def _wiring() -> Notifier:
    settings = NotifierSettings.from_env(os.environ)
    return Notifier(
        bus=wiring.event_bus(),
        dead_end=wiring.dead_end(settings.notice_dead_end_url),
        stack=settings.stack_name,
        output_bucket=settings.output_bucket,
    )

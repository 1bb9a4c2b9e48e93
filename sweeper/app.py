"""Trigger   a schedule, every SweepScheduleMinutes.
Answers   how many due calls came to what; raises, after the others, for calls it could not look at.
Never     touches a call that is not due; runs into its own timeout, whoever hangs.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from core import wiring
from core.aws.work_files import PARTS
from core.jobs.ports import WorkFiles
from core.settings import SweeperSettings
from core.telemetry import count, logger, metrics
from sweeper.findings import SweepOutcome
from sweeper.sweep import Sweeper

BY = "sweeper"
_SECONDS_TO_TELL = 5.0  # for the metrics and the log line, after the last look
_SECONDS_TO_EXPIRE = 30.0  # old work files: a nicety that may wait for a sweep with less to do
# /status takes 2,000 requests in 10 seconds per endpoint. Half of it, to leave room for people.
_ASKS_PER_SECOND = 100


@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1_000 - _SECONDS_TO_TELL

    found: Counter[SweepOutcome] = Counter()
    troubles: set[str] = set()
    try:
        for look in _wiring().sweep(pace=_pace(_ASKS_PER_SECOND), seconds_left=seconds_left):
            found[look.found] += 1
            troubles |= {look.key_trouble} - {""}
    finally:
        if troubles:
            logger.error("RunPod can't be asked: %s", "; ".join(sorted(troubles)))
        count("CallbacksLost", found[SweepOutcome.LOST_CALLBACK])
        count("CallsResent", found[SweepOutcome.RESENT])
        count("CallsGivenUp", found[SweepOutcome.GIVEN_UP])
        count("CallsSwept", found.total())
        logger.info("swept", extra={"found": dict(found), "seconds_left": seconds_left()})
    if seconds_left() > _SECONDS_TO_EXPIRE:
        _expire(_wiring().work_files)
    return {kind.value: number for kind, number in found.items()}


def _expire(work_files: WorkFiles | None) -> None:
    """Delete old notes, a part of them each time; what goes wrong with that is no sweep's failure."""
    if work_files is None:
        return
    try:
        expired = work_files.expire(random.randrange(PARTS), now=wiring.now())  # noqa: S311 - no secret
    except (BotoCoreError, ClientError):
        logger.exception("old work files could not be deleted; the next sweeps try again")
    else:
        count("WorkFilesExpired", expired)


def _pace(per_second: int) -> Callable[[], None]:
    """Return a function that returns at most so often a second."""
    next_turn = 0.0

    def pace() -> None:
        nonlocal next_turn
        now = time.monotonic()
        time.sleep(max(0.0, next_turn - now))
        next_turn = max(next_turn, now) + 1 / per_second

    return pace


@cache
def _wiring() -> Sweeper:
    settings = SweeperSettings.from_env(os.environ)
    return Sweeper(
        lifecycle=wiring.lifecycle(settings.resources, settings.retries, by=BY),
        runpod=wiring.runpod(settings.runpod),
        max_polls=settings.max_polls,
        poll_interval=settings.poll_interval,
        clock=wiring.now,
        work_files=wiring.work_files(settings.resources) if settings.expires_work_files else None,
    )

"""Trigger   a schedule, every SweepScheduleMinutes.
Answers   the due calls counted by outcome; raises, after the others, for calls it could not look at.
Never     touches a call that is not due; runs into its own timeout, whoever hangs.
"""

import os
import random
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from core import wiring
from core.aws.work_files import PARTS
from core.jobs.ports import WorkFiles
from core.settings import SweeperSettings
from core.telemetry import Metric, count, logger, observed
from sweeper.gauges import Gauges
from sweeper.lanes import paced
from sweeper.looks import Looks
from sweeper.polling import Polling
from sweeper.report import SweepReport
from sweeper.sweep import Sweeper

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

BY = "sweeper"
SECONDS_TO_TELL = 5.0  # for the metrics and the log line, after the last look
_SECONDS_TO_EXPIRE = 30.0  # old work files: a nicety that may wait for a sweep with less to do
# /status takes 2,000 requests in 10 seconds per endpoint, and /cancel 100. Some less of each: the rest is
# for people, and for the receiver with VerifyCallbacks.
POLLS_PER_SECOND = 170
CANCELS_PER_SECOND = 8


@observed
def handler(_event: dict[str, Any], context: "LambdaContext") -> dict[str, int]:
    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1_000 - SECONDS_TO_TELL

    sweeper, gauges, work_files = _wiring()
    report = SweepReport()
    sweep = sweeper.sweep(
        pace=paced(POLLS_PER_SECOND),
        cancel_pace=paced(CANCELS_PER_SECOND),
        seconds_left=seconds_left,
    )
    try:
        with sweeper.polling.runpod.keeping_connections():
            for result in sweep:
                report.add(result)
    finally:
        report.close(seconds_left=seconds_left())
        gauges.read(seconds_left)
    if seconds_left() > _SECONDS_TO_EXPIRE:
        _expire(work_files)
    return {kind.value: number for kind, number in report.found.items()}


def _expire(work_files: WorkFiles | None) -> None:
    """Delete old notes, a part of them each time; what goes wrong with that is no sweep's failure."""
    if work_files is None:
        return
    try:
        expired = work_files.expire(random.randrange(PARTS), now=wiring.now())  # noqa: S311 - no secret
    except (BotoCoreError, ClientError):
        logger.exception("old work files could not be deleted; the next sweeps try again")
    else:
        count(Metric.WORK_FILES_EXPIRED, expired)


@cache
def _wiring() -> tuple[Sweeper, Gauges, WorkFiles | None]:
    settings = SweeperSettings.from_env(os.environ)
    store = wiring.store(settings.resources)
    lifecycle = wiring.lifecycle(settings.resources, settings.retries, store=store, by=BY)
    runpod = wiring.runpod(settings.runpod)
    sweeper = Sweeper(
        store=store,
        looks=Looks(lifecycle=lifecycle, store=store, clock=wiring.now),
        polling=Polling(
            lifecycle=lifecycle,
            settler=wiring.settler(settings.resources, lifecycle),
            store=store,
            runpod=runpod,
            max_polls=settings.max_polls,
            poll_interval=settings.poll_interval,
            clock=wiring.now,
        ),
        clock=wiring.now,
    )
    gauges = Gauges(index=wiring.job_index(settings.resources), endpoint=runpod, clock=wiring.now)
    if not settings.expires_work_files:  # the bucket has a rule for it
        return sweeper, gauges, None
    work_files = wiring.work_files(settings.resources, kept=settings.work_file_retention)
    return sweeper, gauges, work_files

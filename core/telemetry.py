"""The logger and the metrics of a function: one line and one figure for each outcome.

What goes into `extra` is ids, states, counts and codes; never a body, a URL or a header.
"""

import logging
import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from core.decide import Step
from core.jobs import Call, CallState, Job, JobState
from core.settle import Settled

# An invocation with nothing to count is no news; Powertools would log a warning for each.
warnings.filterwarnings("ignore", message="No application metrics to publish")

# Lambda gives the root logger the deployment's LogLevel. At DEBUG botocore would print every request and
# answer whole, the secrets among them; ours are the only lines for which DEBUG is meant.
_root = logging.getLogger()
_root.setLevel(max(_root.level, logging.INFO))

# Service name, level and namespace come from the POWERTOOLS_* variables.
logger = Logger()
metrics = Metrics()


def count(name: str, value: int = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def tell_settled(settled: Settled) -> None:
    """Log and count what came of a report, where it changed something."""
    job, call = settled.job, settled.call
    extra = {"job_id": job.id, "call_id": call.id, "state": job.state}
    if settled.step is Step.IGNORE:
        return
    if settled.step is Step.RETRY:
        count("CallsRetried")
        logger.warning("call wants another attempt", extra=extra)
    elif job.state is JobState.FAILED:
        count("JobsFailed")
        logger.warning("job failed", extra=extra | {"code": job.reason_code, "reason": job.reason})
    elif job.state is JobState.SUCCEEDED and job.summary:
        count("JobsSucceeded")
        logger.info("job succeeded", extra=extra | {"words_out": job.summary.words})


def tell_submitted(job: Job, calls: list[Call]) -> None:
    """Log and count what came of an upload, an attempt or a stage."""
    extra = {"job_id": job.id, "key": job.source.key, "state": job.state, "stage": job.stage}
    if job.reason_code:
        count("JobsFailed")
        logger.warning("job failed", extra=extra | {"code": job.reason_code, "reason": job.reason})
    else:
        if job.summary:
            count("JobsSucceeded")
        submitted = sum(call.state is CallState.SUBMITTED for call in calls)
        count("CallsSubmitted", submitted)
        holds = {call.hold for call in calls if call.state is CallState.WAITING and call.hold}
        if holds:
            count("CallsHeld", sum(call.hold in holds for call in calls))
            logger.error("calls are held: %s", "; ".join(sorted(holds)), extra=extra)
        logger.info("job is %s", job.state, extra=extra | {"calls_submitted": submitted})

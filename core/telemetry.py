"""The logger and the metrics of a function: one line and one figure for each outcome.

What goes into `extra` is ids, states, counts and codes; never a body, a URL or a header.
"""

import logging
import threading
import warnings
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState

# An invocation with nothing to count is normal; Powertools would log a warning for each.
warnings.filterwarnings("ignore", message="No application metrics to publish")

# Lambda gives the root logger the deployment's LogLevel. At DEBUG botocore would print every request and
# answer whole, the secrets among them; ours are the only lines for which DEBUG is meant.
_root = logging.getLogger()
_root.setLevel(max(_root.level, logging.INFO))

# Service name, level and namespace come from the POWERTOOLS_* variables.
logger = Logger()
metrics = Metrics()


# Calls are submitted, and due calls looked at, in threads.
_counting = threading.Lock()


def count(name: str, value: int = 1) -> None:
    with _counting:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def report_transitions(item: Job | Call) -> None:
    """Log and count the transitions that a write has made, by the events written with it."""
    moves = {(event.from_state, event.to_state) for event in item.pending_events}
    if isinstance(item, Call):
        _report_call(item, moves)
    elif (JobState.ACTIVE, item.state) in moves:
        _report_end(item)


def _report_end(job: Job) -> None:
    extra: dict[str, Any] = {"job_id": job.id, "key": job.source.key}
    if job.state is JobState.FAILED:
        count("JobsFailed")
        logger.warning("job failed", extra=extra | {"code": job.reason_code, "reason": job.reason})
    elif job.summary:
        count("JobsSucceeded")
        logger.info("job succeeded", extra=extra | {"words_out": job.summary.words})


def _report_call(call: Call, moves: set[tuple[str, str]]) -> None:
    extra = {"job_id": call.job_id, "call_id": call.id}
    if (CallState.SUBMITTING, CallState.SUBMITTED) in moves:
        count("CallsSubmitted")
    if (CallState.SUBMITTING, CallState.PUBLISHING) in moves:
        count("CallsSubmitted")  # its callback was quicker than RunPod's answer
    is_waiting = any(to_state == CallState.WAITING for _, to_state in moves)
    if is_waiting and not call.hold and not call.attempt.is_free:
        count("CallsRetried")
        logger.warning("call wants another attempt", extra=extra)


def count_submission(job: Job, calls: list[Call]) -> None:
    """Log what an upload, an attempt or a stage found, or left; count the calls that are held."""
    extra = {"job_id": job.id, "key": job.source.key, "stage": job.stage}
    holds = {call.hold for call in calls if call.state is CallState.WAITING and call.hold}
    if holds and not job.is_final:
        count("CallsHeld", sum(call.hold in holds for call in calls))
        logger.error("calls are held: %s", "; ".join(sorted(holds)), extra=extra)
    submitted = sum(call.state is CallState.SUBMITTED for call in calls)
    logger.info("job is %s", job.state, extra=extra | {"calls_submitted": submitted})

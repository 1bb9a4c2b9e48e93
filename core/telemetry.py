"""The logger and the metrics of a function: one line and one figure for each outcome.

What goes into `extra` is ids, states, counts and codes; never a body, a URL or a header. Every line about
a job has its id as `job_id`: it is what leads from the upload to the summary, through all functions.
"""

import logging
import threading
import warnings
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

# An invocation with nothing to count is normal; Powertools would log a warning for each.
warnings.filterwarnings("ignore", message="No application metrics to publish")

# Lambda gives the root logger the deployment's LogLevel. At DEBUG botocore would print every request and
# answer whole, the secrets among them; ours are the only lines for which DEBUG is meant.
_root = logging.getLogger()
_root.setLevel(max(_root.level, logging.INFO))

# Service name, level and namespace come from the POWERTOOLS_* variables. The namespace names the
# deployment. The metrics of all functions have one service, not each its own: a job can end in any of
# them, and every further value of a dimension is a metric more to pay for and to add up.
SERVICE = "pipeline"
logger = Logger()
metrics = Metrics(service=SERVICE)

Answer = TypeVar("Answer")


class Metric(StrEnum):
    """Everything that is counted or measured; docs/monitoring.md says what each means and costs."""

    # jobs
    JOBS_SUCCEEDED = "JobsSucceeded"
    JOBS_FAILED = "JobsFailed"
    JOBS_FAILED_UNEXPECTEDLY = "JobsFailedUnexpectedly"
    DUPLICATE_UPLOADS = "DuplicateUploads"
    OLDEST_ACTIVE_JOB_SECONDS = "OldestActiveJobSeconds"
    # how long a summary took
    SECONDS_TO_SUMMARY = "SecondsToSummary"
    SECONDS_IN_QUEUE = "SecondsInQueue"
    SECONDS_ON_GPU = "SecondsOnGpu"
    SECONDS_OURS = "SecondsOurs"
    # requests to RunPod
    CALLS_SUBMITTED = "CallsSubmitted"
    CALLS_RETRIED = "CallsRetried"
    CALLS_HELD = "CallsHeld"
    SUBMIT_ERRORS = "SubmitErrors"
    ENDPOINT_JOBS_IN_QUEUE = "EndpointJobsInQueue"
    ENDPOINT_WORKERS_RUNNING = "EndpointWorkersRunning"
    ENDPOINT_JOBS_WITHOUT_WORKER = "EndpointJobsWithoutWorker"
    # callbacks, and what the sweeper made of missing ones
    CALLBACKS_UNAUTHORIZED = "CallbacksUnauthorized"
    CALLBACKS_REFUSED = "CallbacksRefused"
    CALLBACKS_LOST = "CallbacksLost"
    CALLS_RESENT = "CallsResent"
    CALLS_GIVEN_UP = "CallsGivenUp"
    CALLS_SWEPT = "CallsSwept"
    WORK_FILES_EXPIRED = "WorkFilesExpired"
    # what it cost
    GPU_SECONDS = "GpuSeconds"
    TOKENS_GENERATED = "TokensGenerated"
    TOKENS_DISCARDED = "TokensDiscarded"
    TOKENS_DISCARDED_PERCENT = "TokensDiscardedPercent"
    # how good it is
    SUMMARIES_WITH_DOUBTS = "SummariesWithDoubts"
    SUMMARY_LENGTH_PERCENT = "SummaryLengthPercent"

    # what others were told of it
    NOTICES_SENT = "NoticesSent"
    NOTICES_UNTOLD = "NoticesUntold"
    WEBHOOKS_DELIVERED = "WebhooksDelivered"
    WEBHOOKS_PUT_OFF = "WebhooksPutOff"
    WEBHOOKS_GIVEN_UP = "WebhooksGivenUp"

    @property
    def unit(self) -> MetricUnit:
        if "Seconds" in self.value:
            return MetricUnit.Seconds
        return MetricUnit.Percent if self.value.endswith("Percent") else MetricUnit.Count


# Calls are submitted, and due calls looked at, in threads.
_counting = threading.Lock()


def measure(metric: Metric, value: float) -> None:
    """Take down one sample, also of zero: an average over 0 and 1 is a rate."""
    with _counting:
        metrics.add_metric(name=metric.value, unit=metric.unit, value=value)


def count(metric: Metric, number: int = 1) -> None:
    """Count what happened; nothing is not sent, for a metric is paid for in the hours that have it."""
    if number:
        measure(metric, number)


def observed(
    handler: Callable[[dict[str, Any], Any], Answer],
) -> Callable[[dict[str, Any], Any], Answer]:
    """Let a Lambda handler's lines carry the invocation's id, and print its metrics when it ends.

    What it raises is printed by Lambda, which knows of no job: so a line says which one it was about.
    """

    @wraps(handler)
    def observed_handler(event: dict[str, Any], context: Any) -> Answer:
        logger.remove_keys(["api_request_id"])
        logger.append_keys(function_request_id=getattr(context, "aws_request_id", None))
        speak_of()
        try:
            return handler(event, context)
        except Exception as exc:
            logger.error("the function raised %s", type(exc).__name__)  # noqa: TRY400 - Lambda prints it
            raise
        finally:
            speak_of()

    return metrics.log_metrics(observed_handler)


def speak_of(**ids: str | int) -> None:
    """Name the job and the call in each line from here on, the libraries' own too."""
    logger.remove_keys(["job_id", "call_id", "attempt"])
    logger.append_keys(**ids)

"""What of a job's life is logged and counted, by the events written with its record.

One line and one figure for each outcome, by the write that made it: so nothing is told twice.
"""

from collections.abc import Mapping
from typing import Any

from core.failures import FAILURES
from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState, is_result
from core.jobs.job import Job, JobState, Summary
from core.telemetry import Metric, count, logger, measure

# What the success of a job says about its time, and the metric of each.
_TIMES: Mapping[str, Metric] = {
    "in_queue_ms": Metric.SECONDS_IN_QUEUE,
    "on_gpu_ms": Metric.SECONDS_ON_GPU,
    "ours_ms": Metric.SECONDS_OURS,
}


def report_transitions(item: Job | Call) -> None:
    """Log and count the transitions that a write has made."""
    for event in item.pending_events:
        if isinstance(item, Call):
            _report_call(item, event)
        elif event.from_state == JobState.ACTIVE and item.is_final:
            _report_end(item, event)


def _report_end(job: Job, event: AuditEvent) -> None:
    extra: dict[str, Any] = {"job_id": job.id, "key": job.source.key}
    if job.state is JobState.FAILED:
        count(Metric.JOBS_FAILED)
        if not FAILURES[job.reason_code].is_for_the_uploader:
            count(Metric.JOBS_FAILED_UNEXPECTEDLY)
        logger.warning("job failed", extra=extra | {"code": job.reason_code, "reason": job.reason})
    elif job.summary:
        count(Metric.JOBS_SUCCEEDED)
        _measure_summary(job, job.summary)
        times = _measure_times(job, event)
        logger.info("job succeeded", extra=extra | {"words_out": job.summary.words, **times})


def _measure_summary(job: Job, summary: Summary) -> None:
    measure(Metric.SUMMARIES_WITH_DOUBTS, int(summary.doubts > 0))
    if job.target_words:
        measure(Metric.SUMMARY_LENGTH_PERCENT, 100 * summary.words / job.target_words)
    if summary.completion_tokens:
        discarded, generated = summary.discarded_tokens, summary.completion_tokens
        count(Metric.TOKENS_GENERATED, generated)
        count(Metric.TOKENS_DISCARDED, discarded)
        measure(Metric.TOKENS_DISCARDED_PERCENT, 100 * discarded / generated)


def _measure_times(job: Job, event: AuditEvent) -> dict[str, float]:
    """Measure where a job's time went, as its success says; it does not where a death lies between."""
    seconds = {"seconds": (event.at - job.created_at).total_seconds()}
    measure(Metric.SECONDS_TO_SUMMARY, seconds["seconds"])
    for name, metric in _TIMES.items():
        if name in event.detail:
            told = int(event.detail[name]) / 1000
            measure(metric, told)
            seconds[f"{name.removesuffix('_ms')}_seconds"] = told
    return seconds


def _report_call(call: Call, event: AuditEvent) -> None:
    extra: dict[str, Any] = {"job_id": call.job_id, "call_id": call.id}
    is_figure = event.to_state != CallState.SUCCEEDED or is_result(event)  # else its job's, in sum
    if is_figure and "ran_ms" in event.detail:
        measure(Metric.GPU_SECONDS, int(event.detail["ran_ms"]) / 1000)
    match event.from_state, event.to_state:
        case (
            CallState.SUBMITTING,
            CallState.SUBMITTED | CallState.PUBLISHING | CallState.SUCCEEDED,
        ):  # also where its callback was quicker than RunPod's answer
            count(Metric.CALLS_SUBMITTED)
            measure(Metric.SUBMIT_ERRORS, 0)
        case CallState.SUBMITTING, CallState.WAITING | CallState.FAILED if not call.hold:
            measure(Metric.SUBMIT_ERRORS, 1)
    if event.to_state == CallState.SUBMITTED:
        attempt = call.attempt
        told = {"attempt": attempt.number, "runpod_id": attempt.runpod_id, "ask": call.ask}
        logger.info("call submitted", extra=extra | told)
    if event.to_state == CallState.WAITING and not call.hold and not call.attempt.is_free:
        count(Metric.CALLS_RETRIED)
        logger.warning("call wants another attempt", extra=extra | {"reason": event.why})


def count_submission(job: Job, calls: list[Call]) -> None:
    """Log what an upload, an attempt or a stage found, or left; count the calls that are held."""
    extra = {"job_id": job.id, "key": job.source.key, "stage": job.stage}
    holds = {call.hold for call in calls if call.state is CallState.WAITING and call.hold}
    if holds and not job.is_final:
        count(Metric.CALLS_HELD, sum(call.hold in holds for call in calls))
        logger.error("calls are held: %s", "; ".join(sorted(holds)), extra=extra)
    submitted = sum(call.state is CallState.SUBMITTED for call in calls)
    logger.info("job is %s", job.state, extra=extra | {"calls_submitted": submitted})

"""What one report means for its call as it is now. Pure."""

from enum import StrEnum

from core.errors import ForeignRequest, UnknownCall
from core.jobs.model import OVERFLOW, SUCCEEDED, Attempt, Call, CallState, Job
from core.runpod.failures import Failure
from core.runpod.reports import RunPodReport
from core.summaries.options import Mode
from core.summaries.plans import Kind

CUT = "length"  # vLLM's finish_reason where the model stopped at max_tokens


class Step(StrEnum):
    """What a report means for a call."""

    SUCCEED = "succeeded"  # its text is the call's result
    RECOVER = "recovered"  # the result is gone and was being published: S3 knows how far that got
    RETRY = "wants another attempt"
    SPLIT = "too long for the model"  # its task is done anew in smaller shares
    FAIL = "failed"
    CLOSE = "closed"  # the job has ended, or gone on; the call follows
    NOTE_LATE = "late result noted"  # the call has ended otherwise; the audit says what came
    IGNORE = "nothing to do"  # a duplicate, or a state on the way


def is_the_summary(job: Job, call: Call, words: int, finish_reason: str) -> bool:
    """Is a call's text the job's summary as it stands, or one that further calls must better?"""
    if job.options.mode is Mode.PULL:
        return True  # what further calls could better was bettered next to the model
    if call.task.kind is not Kind.COMPOSE or job.slots != (call.id,):
        return False
    if job.repairs >= job.options.most_repairs:
        return True
    least = job.target_words * job.options.least_percent / 100
    return finish_reason != CUT and least <= words <= 2 * job.target_words - least


def is_left_behind(job: Job, call: Call) -> bool:
    """Has the job ended, or gone on to a later stage, without this call's end?

    A stage is left once each of its calls was counted. Whoever counts and dies leaves a call open.
    """
    return job.is_final or (call.stage < job.stage and call.state is not CallState.PUBLISHING)


def decide(job: Job, call: Call, number: int, report: RunPodReport, *, max_attempts: int) -> Step:
    """Say what a report about attempt `number` means for the call as it is now.

    Any attempt's success is the call's success, also an earlier one's that was given up too soon. A
    failure counts only from the attempt that is open. What comes after the end changes nothing: a
    success after a failure is noted once, everything else is a duplicate.

    Raises UnknownCall for an attempt that never began, ForeignRequest for another request's report.
    """
    attempt = attempt_of(call, number, report.runpod_id)
    if call.is_final:
        is_news = report.has_result and call.state is not CallState.SUCCEEDED and not call.late
        return Step.NOTE_LATE if is_news else Step.IGNORE
    if not report.status.is_final:
        return Step.IGNORE
    if is_left_behind(job, call):
        return Step.CLOSE
    if call.state is CallState.PUBLISHING:
        return _decide_published(attempt, report)
    if report.failure is None:
        return Step.SUCCEED
    if number != call.attempt.number or call.state is CallState.WAITING:
        return Step.IGNORE
    if call.was_too_long:
        return Step.SPLIT  # whoever recorded that died before the call ended
    is_open = not attempt.outcome
    return _decide_failed(call, report.failure, max_attempts) if is_open else Step.IGNORE


def attempt_of(call: Call, number: int, runpod_id: str) -> Attempt:
    """Return the attempt that a report is about; without an id there is nothing to compare.

    Raises UnknownCall and ForeignRequest.
    """
    attempt = call.attempt_numbered(number)
    if attempt is None:
        raise UnknownCall(f"call {call.id} of job {call.job_id} has no attempt {number}")
    if attempt.runpod_id and runpod_id and attempt.runpod_id != runpod_id:
        raise ForeignRequest(
            f"the report is not about the request of attempt {number}, call {call.id}, job {call.job_id}"
        )
    return attempt


def _decide_published(attempt: Attempt, report: RunPodReport) -> Step:
    """Say what a report means for a call whose result is being written to S3."""
    if attempt.outcome != SUCCEEDED:
        return Step.IGNORE  # it is another attempt's result
    return Step.SUCCEED if report.failure is None else Step.RECOVER


def _decide_failed(call: Call, failure: Failure, max_attempts: int) -> Step:
    if failure.code == OVERFLOW and call.task.chunks > 1:
        return Step.SPLIT
    if failure.may_help_to_retry and call.paid_attempts < max_attempts:
        return Step.RETRY
    return Step.FAIL

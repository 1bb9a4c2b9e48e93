"""What one report means for its call as it is now. Pure.

`decide` returns one of the decisions below, each with what it takes to carry it out (core/jobs/settle.py).
"""

from dataclasses import dataclass
from typing import ClassVar

from core.errors import ForeignRequest, UnknownCall
from core.failures import Failure
from core.jobs.call import OVERFLOW, SUCCEEDED, Attempt, Call, CallState
from core.jobs.job import Job
from core.runpod.reports import RunPodReport
from core.summaries.options import Mode

CUT = "length"  # vLLM's finish_reason where the model stopped at max_tokens


@dataclass(frozen=True)
class Publish:
    """The attempt's text is the call's result; also an empty one, where the engine judges it."""

    outcome: ClassVar = "succeeded"
    attempt: Attempt
    report: RunPodReport


@dataclass(frozen=True)
class Recover:
    """The result was being published and RunPod no longer has it: S3 knows how far that got."""

    outcome: ClassVar = "recovered"
    attempt: Attempt
    failure: Failure


@dataclass(frozen=True)
class Retry:
    outcome: ClassVar = "wants another attempt"
    failure: Failure


@dataclass(frozen=True)
class Overflow:
    """The prompt was too long for the model: its stage's end asks for less at a time."""

    outcome: ClassVar = "too long for the model"
    attempt: Attempt
    failure: Failure


@dataclass(frozen=True)
class Fail:
    outcome: ClassVar = "failed"
    failure: Failure


@dataclass(frozen=True)
class Close:
    """The job has ended, or gone on; the call follows."""

    outcome: ClassVar = "closed"


@dataclass(frozen=True)
class NoteLate:
    """The call has ended otherwise; the audit says what came."""

    outcome: ClassVar = "late result noted"
    attempt: Attempt
    report: RunPodReport


@dataclass(frozen=True)
class Ignore:
    """A duplicate, or a state on the way."""

    outcome: ClassVar = "nothing to do"


Decision = Publish | Recover | Retry | Overflow | Fail | Close | NoteLate | Ignore


def is_left_behind(job: Job, call: Call) -> bool:
    """Has the job ended, or gone on to a later stage, without this call's end?

    A stage is left once each of its calls was counted. Whoever counts and dies leaves a call open.
    """
    return job.is_final or (call.stage < job.stage and call.state is not CallState.PUBLISHING)


def attempt_of(call: Call, number: int, runpod_id: str) -> Attempt:
    """Return the attempt that a report is about; without an id there is nothing to compare.

    Raises UnknownCall for an attempt that never began, ForeignRequest for another request's report.
    """
    attempt = call.attempt_numbered(number)
    if attempt is None:
        raise UnknownCall(f"call {call.id} of job {call.job_id} has no attempt {number}")
    if attempt.runpod_id and runpod_id and attempt.runpod_id != runpod_id:
        raise ForeignRequest(
            f"the report is not about the request of attempt {number}, call {call.id}, job {call.job_id}"
        )
    return attempt


def decide(
    job: Job, call: Call, attempt: Attempt, report: RunPodReport, *, max_attempts: int
) -> Decision:
    """Say what a report about one of the call's attempts means for the call as it is now.

    Any attempt's success is the call's success, also an earlier one's that was given up too soon. A
    failure counts only from the attempt that is open. What comes after the end changes nothing: a
    success after a failure is noted once, everything else is a duplicate.
    """
    if call.is_final:
        is_new = report.has_result and call.state is not CallState.SUCCEEDED and not call.late
        return NoteLate(attempt, report) if is_new else Ignore()
    if not report.status.is_final:
        return Ignore()
    if is_left_behind(job, call):
        return Close()
    if call.state is CallState.PUBLISHING and attempt.outcome != SUCCEEDED:
        return Ignore()  # another attempt's result is being published
    if report.failure is None:
        return Publish(attempt, report)
    if call.state is CallState.PUBLISHING:
        return Recover(attempt, report.failure)
    if attempt.number != call.attempt.number or call.state is CallState.WAITING:
        return Ignore()
    if call.was_too_long:
        return Overflow(attempt, report.failure)  # whoever recorded that died before the call ended
    if attempt.outcome:
        return Ignore()
    return _of_failure(job, call, attempt, report.failure, max_attempts)


def _of_failure(
    job: Job, call: Call, attempt: Attempt, failure: Failure, max_attempts: int
) -> Decision:
    if failure.code == OVERFLOW and job.options.mode is Mode.PUSH:
        return Overflow(attempt, failure)
    if failure.may_help_to_retry and call.paid_attempts < max_attempts:
        return Retry(failure)
    return Fail(failure)

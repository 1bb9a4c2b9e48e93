"""What becomes of a job that is to be published and can't be: no refusal keeps it for ever.

    deadline                   others are given up; who is publishing goes on trying
    deadline + PATIENCE        failed, once S3 has said that no summary of the job stands
    deadline + LAST_PATIENCE   failed, though S3 can't even be asked; the audit says so

A summary that stands makes its job succeed at any time, also where its facts can't be written.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import OutputRefused, Superseded
from core.jobs.model import Job, Summary
from core.jobs.ports import Summaries
from core.runpod.failures import Failure

PATIENCE = timedelta(minutes=10)
LAST_PATIENCE = timedelta(minutes=30)

NOT_JOINED = Failure(
    code="not-joined",
    message="all its texts were there, and the submitter did not get the summary into S3; look at the"
    " submitter's log and the dead-letter queue, then upload the file again",
    may_help_to_retry=False,
)


def refused(refusal: OutputRefused) -> Failure:
    """Return why a job has failed whose summary, or what leads to it, S3 refused."""
    return Failure(
        code="output-refused",
        message=f"{refusal}, until past the job's deadline; mend the bucket's policy, its key or the"
        " function's permissions, then upload the file again",
        may_help_to_retry=False,
    )


def superseded(exc: Superseded) -> Failure:
    return Failure(code="superseded", message=str(exc), may_help_to_retry=False)


def end_of(
    job: Job, failure: Failure, *, summaries: Summaries, now: datetime
) -> Summary | Failure | None:
    """Say how a job ends that could not be published: well, or as failed; None is not yet."""
    if now < job.deadline + PATIENCE:
        return None
    try:
        return summaries.visible(job) or failure
    except Superseded as exc:
        return superseded(exc)
    except OutputRefused:
        if now < job.deadline + LAST_PATIENCE:
            return None
        message = f"{failure.message} (S3 could not be asked whether a summary stands all the same)"
        return replace(failure, message=message)

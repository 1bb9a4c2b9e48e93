"""New jobs and calls as they are recorded, and the submitter's lines of the audit."""

from datetime import datetime

from core.aws.names import summary_key_for
from core.jobs.model import AuditEvent, Call, CallState, Job, JobState, job_id_for
from core.settings import SubmitterSettings
from core.summaries.levels import limits_of
from core.summaries.plans import Kind, Task
from core.summaries.stages import resolve_target
from submitter.material import Reading

WHOLE = "whole"  # the id of the one call of a job whose transcript fits the model, or is pulled
BY = "submitter"


def new_job(reading: Reading, *, settings: SubmitterSettings, now: datetime) -> Job:
    """Return the job of an upload; one that was not read has no words yet."""
    source, options = reading.source, reading.options
    target = options.words
    detail: dict[str, str | int] = {"mode": options.mode.value, "bytes_in": source.size_bytes}
    if reading.text is not None:
        options, target = resolve_target(options, reading.words)
        detail |= {"words_in": reading.words, "read_as": reading.format}
    job = Job(
        id=job_id_for(source),
        state=JobState.ACTIVE,
        source=source,
        options=options,
        limits=limits_of(context_tokens=settings.context_tokens, max_tokens=options.max_tokens),
        summary_key=summary_key_for(
            source.key,
            prefix=settings.resources.output_prefix,
            suffixes=settings.upload_filter.suffixes,
        ),
        words_in=reading.words,
        target_words=target,
        created_at=now,
        deadline=now + settings.retries.job_deadline,
        expires_at=now + settings.retention,
    )
    return job.with_event(AuditEvent(at=now, by=BY, what="recorded", detail=detail))


def new_call(job: Job, call_id: str, task: Task, *, stage: int = 0) -> Call:
    return Call(
        job_id=job.id,
        id=call_id,
        stage=stage,
        task=task,
        state=CallState.WAITING,
        expires_at=job.expires_at,
    )


def whole_task(job: Job) -> Task:
    """Return pull mode's one task; how it is shared out is decided by the worker."""
    words = job.target_words
    return Task(kind=Kind.COMPOSE, level=0, first=0, last=1, words=words, requested_words=words)


def event(now: datetime, *, what: str = "", why: str = "", **detail: str | int) -> AuditEvent:
    return AuditEvent(at=now, by=BY, what=what, why=why, detail=detail)

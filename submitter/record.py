"""New jobs and calls as they are recorded."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.aws.names import summary_key_for
from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState, Source, job_id_for
from core.settings import SubmitterSettings
from core.summaries.levels import limits_of
from core.summaries.options import SummaryOptions
from core.summaries.plans import Kind, Task
from core.summaries.stages import StagePlan, filled

WHOLE = "whole"  # the id of the one call of a job whose transcript fits the model, or is pulled
BY = "submitter"


def new_job(
    source: Source,
    options: SummaryOptions,
    *,
    settings: SubmitterSettings,
    now: datetime,
    words_in: int = 0,
    target_words: int | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> Job:
    """Return the job of an upload; one that was not read has no words yet."""
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
        words_in=words_in,
        target_words=options.words if target_words is None else target_words,
        created_at=now,
        deadline=now + settings.retries.job_deadline,
        expires_at=now + settings.retention,
    )
    detail = {"mode": options.mode.value, "bytes_in": source.size_bytes, **(detail or {})}
    return job.with_event(AuditEvent(at=now, by=BY, note="recorded", detail=detail))


def new_call(job: Job, call_id: str, task: Task, *, stage: int = 0) -> Call:
    return Call(
        job_id=job.id,
        id=call_id,
        stage=stage,
        task=task,
        state=CallState.WAITING,
        expires_at=job.expires_at,
    )


def as_one_call(job: Job, task: Task) -> tuple[Job, Call]:
    """Return a job that is one call, and the call."""
    job = job.with_stage([WHOLE], stage=0, stage_calls=1, repairs=0, due_at=None, event=None)
    return job, new_call(job, WHOLE, task)


def whole_task(job: Job) -> Task:
    """Return pull mode's one task; the worker decides how it is partitioned."""
    words = job.target_words
    return Task(kind=Kind.COMPOSE, level=0, first=0, last=1, words=words, requested_words=words)


def in_next_stage(
    job: Job, plan: StagePlan, *, pickup: timedelta, now: datetime
) -> tuple[Job, list[Call]]:
    """Return a job in its next stage, and that stage's new calls, due after `pickup`."""
    stage = job.stage + 1
    tasks = plan.tasks
    slots, new = filled(plan.slots, stage=stage)
    due_at = now + pickup
    calls = [new_call(job, call_id, task, stage=stage).with_due_at(due_at) for call_id, task in new]
    detail: Mapping[str, str | int] = {
        "calls": len(tasks),
        "level": tasks[0].level,
        "words_asked": sum(task.requested_words for task in tasks),
        "repairs": plan.repairs,
    }
    event = AuditEvent(at=now, by=BY, note=f"stage {stage}: {tasks[0].kind}", detail=detail)
    job = job.with_stage(
        slots,
        stage=stage,
        stage_calls=len(tasks),
        repairs=plan.repairs,
        due_at=due_at,
        event=event,
    )
    return job, calls

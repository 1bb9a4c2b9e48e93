"""New jobs and calls as they are recorded."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.aws.names import summary_key_for
from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState, Source, job_id_for
from core.settings import SubmitterSettings
from core.summaries.glossary import Glossary
from core.summaries.options import SummaryOptions
from core.summaries.rounds import Round

BY = "submitter"

_MOST_NOTES = 5  # on a glossary, in the audit; the facts have them all


def new_job(
    source: Source,
    options: SummaryOptions,
    *,
    settings: SubmitterSettings,
    now: datetime,
    words_in: int = 0,
    target_words: int | None = None,
    glossary: Glossary | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> Job:
    """Return the job of an upload; one that was not read has no words yet."""
    glossary = glossary or Glossary()
    job = Job(
        id=job_id_for(source),
        state=JobState.ACTIVE,
        source=source,
        options=options,
        limits=settings.limits,
        summary_key=summary_key_for(
            source.key,
            prefix=settings.resources.output_prefix,
            suffixes=settings.upload_filter.suffixes,
        ),
        has_glossary=glossary.says_something,
        words_in=words_in,
        target_words=options.words if target_words is None else target_words,
        created_at=now,
        deadline=now + settings.retries.job_deadline,
        expires_at=now + settings.retention,
    )
    detail = {"mode": options.mode.value, "bytes_in": source.size_bytes, **(detail or {})}
    job = job.with_event(AuditEvent(at=now, by=BY, note="recorded", detail=detail))
    if glossary.says_something:
        job = job.with_event(_glossary_event(glossary, now))
    return job


def _glossary_event(glossary: Glossary, now: datetime) -> AuditEvent:
    why = "; ".join(glossary.notes[:_MOST_NOTES])
    detail = {"names": len(glossary.names), "speakers": len(glossary.speakers)}
    return AuditEvent(at=now, by=BY, note="glossary", why=why, detail=detail)


def new_call(job: Job, call_id: str, *, ask: str = "", words: int = 0) -> Call:
    return Call(
        job_id=job.id,
        id=call_id,
        stage=job.stage,
        ask=ask,
        words=words,
        state=CallState.WAITING,
        expires_at=job.expires_at,
    )


def in_next_stage(
    job: Job, plan: Round, *, pickup: timedelta, now: datetime
) -> tuple[Job, list[Call]]:
    """Return a job in its next stage, and that stage's calls, due after `pickup`."""
    asks = plan.asks
    due_at = now + pickup
    kinds = ", ".join(sorted({ask.kind.value for ask in asks}))
    detail = {"calls": len(asks), "words_asked": sum(ask.words for ask in asks)}
    event = AuditEvent(at=now, by=BY, note=f"stage {job.stage + 1}: {kinds}", detail=detail)
    job = job.with_stage(calls=len(asks), due_at=due_at, event=event)
    calls = [
        new_call(job, call_id, ask=ask.name, words=ask.words).with_due_at(due_at)
        for call_id, ask in zip(job.call_ids, asks, strict=True)
    ]
    return job, calls

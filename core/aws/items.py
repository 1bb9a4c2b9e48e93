"""Jobs and calls as items of the DynamoDB table, field by field, there and back.

Releases read each other's records: a new one those of the jobs under way, an old one, after a rollback,
those of the new. So a field is added with a default, and what a reader does not know it leaves out. Where
that would lose a summary, SCHEMA counts up: an older release then refuses the record.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from core.errors import NewerRecord
from core.jobs.audit import AuditEvent
from core.jobs.call import Attempt, Call, CallState
from core.jobs.job import Job, JobState, Source, Summary
from core.summaries.goals import WritingLimits
from core.summaries.options import Mode, Strategy, SummaryOptions

SCHEMA = 1  # of jobs and calls; a record that names none is of the first
DUE_GROUP = "open"
JOB_ITEM = "job"
CALL_PREFIX = "call#"
GROUP_PREFIX = "group#"

T = TypeVar("T")


def key_of(job_id: str, item: str) -> dict[str, Any]:
    return {"job_id": job_id, "item": item}


def job_item(job: Job) -> dict[str, Any]:
    return {
        **key_of(job.id, JOB_ITEM),
        "schema": SCHEMA,
        "state": job.state.value,
        "source": {**asdict(job.source), "uploaded_at": instant(job.source.uploaded_at)},
        "options": {
            **asdict(job.options),
            "temperature": str(job.options.temperature),
            "top_p": str(job.options.top_p),
            "strategy": job.options.strategy.value,
            "mode": job.options.mode.value,
        },
        "limits": {**asdict(job.limits), "token_budget": str(job.limits.token_budget)},
        "summary_key": job.summary_key,
        "has_glossary": job.has_glossary,
        "words_in": job.words_in,
        "created_at": instant(
            job.created_at
        ),  # calls have none: the index by state holds jobs alone
        "deadline": instant(job.deadline),
        "expires_at": int(job.expires_at.timestamp()),  # TTL wants epoch seconds
        "finished_at": instant(job.finished_at) if job.finished_at else None,
        "reason_code": job.reason_code or None,
        "reason": job.reason or None,
        "summary": asdict(job.summary) if job.summary else None,
        "target_words": job.target_words,
        "stage": job.stage,
        "stage_calls": job.stage_calls,
        "group_size": job.group_size,
        "is_publishing": job.is_publishing,
        "due_group": DUE_GROUP if job.due_at else None,
        "due_at": instant(job.due_at) if job.due_at else None,
        "revision": job.revision,
        "events": [_event_item(event) for event in job.pending_events],
    }


def to_job(item: Mapping[str, Any]) -> Job:
    """Read a job. Raises NewerRecord."""
    _check_schema(item)
    source, options, limits = item["source"], item["options"], item["limits"]
    return Job(
        id=item["job_id"],
        state=JobState(item["state"]),
        source=_known(Source, source, uploaded_at=_to_instant(source["uploaded_at"])),
        options=_known(
            SummaryOptions,
            options,
            temperature=float(options["temperature"]),
            top_p=float(options["top_p"]),
            strategy=Strategy(options["strategy"]),
            mode=Mode(options.get("mode", Mode.PUSH)),
        ),
        limits=_known(WritingLimits, limits, token_budget=float(limits["token_budget"])),
        summary_key=item["summary_key"],
        has_glossary=item["has_glossary"],
        words_in=item["words_in"],
        created_at=_to_instant(item["created_at"]),
        deadline=_to_instant(item["deadline"]),
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
        finished_at=_to_instant(item["finished_at"]) if "finished_at" in item else None,
        reason_code=item.get("reason_code", ""),
        reason=item.get("reason", ""),
        summary=_known(Summary, item["summary"]) if "summary" in item else None,
        target_words=item["target_words"],
        stage=item["stage"],
        stage_calls=item["stage_calls"],
        group_size=item.get("group_size", 1),
        done=frozenset(item.get("done", ())),
        is_publishing=item["is_publishing"],
        due_at=_to_instant(item["due_at"]) if "due_at" in item else None,
        revision=item["revision"],
    )


@dataclass(frozen=True, kw_only=True)
class ListedJob:
    """What the index by state holds of a job."""

    id: str
    state: JobState
    bucket: str
    key: str
    version_id: str
    created_at: datetime
    deadline: datetime
    finished_at: datetime | None
    reason_code: str
    words_in: int
    summary: Summary | None


def to_listed_job(item: Mapping[str, Any]) -> ListedJob:
    source = item["source"]
    return ListedJob(
        id=item["job_id"],
        state=JobState(item["state"]),
        bucket=source["bucket"],
        key=source["key"],
        version_id=source["version_id"],
        created_at=_to_instant(item["created_at"]),
        deadline=_to_instant(item["deadline"]),
        finished_at=_to_instant(item["finished_at"]) if "finished_at" in item else None,
        reason_code=item.get("reason_code", ""),
        words_in=item["words_in"],
        summary=_known(Summary, item["summary"]) if "summary" in item else None,
    )


def call_item(call: Call) -> dict[str, Any]:
    return {
        **key_of(call.job_id, CALL_PREFIX + call.id),
        "schema": SCHEMA,
        "state": call.state.value,
        "stage": call.stage,
        "ask": call.ask,
        "words": call.words,
        "attempts": [
            {**asdict(attempt), "begun_at": instant(attempt.begun_at)} for attempt in call.attempts
        ],
        "due_group": DUE_GROUP if call.due_at else None,
        "due_at": instant(call.due_at) if call.due_at else None,
        "polls": call.polls,
        "late": call.late,
        "hold": call.hold or None,
        "expires_at": int(call.expires_at.timestamp()),
        "revision": call.revision,
        "events": [_event_item(event) for event in call.pending_events],
    }


def to_call(item: Mapping[str, Any]) -> Call:
    """Read a call. Raises NewerRecord."""
    _check_schema(item)
    return Call(
        job_id=item["job_id"],
        id=item["item"].removeprefix(CALL_PREFIX),
        state=CallState(item["state"]),
        stage=item["stage"],
        ask=item["ask"],
        words=item["words"],
        attempts=tuple(
            _known(Attempt, attempt, begun_at=_to_instant(attempt["begun_at"]))
            for attempt in item["attempts"]
        ),
        due_at=_to_instant(item["due_at"]) if "due_at" in item else None,
        polls=item["polls"],
        late=item["late"],
        hold=item.get("hold", ""),
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
        revision=item["revision"],
    )


def _event_item(event: AuditEvent) -> dict[str, Any]:
    fields = {**asdict(event), "at": instant(event.at)}
    return {name: value for name, value in fields.items() if value}


def to_event(item: Mapping[str, Any]) -> AuditEvent:
    return _known(AuditEvent, item, at=_to_instant(item["at"]))


def _check_schema(item: Mapping[str, Any]) -> None:
    schema = item.get("schema", SCHEMA)
    if schema > SCHEMA:
        raise NewerRecord(
            f"{item['item']} of job {item['job_id']} was written by a newer release (schema {schema}; this"
            f" one reads up to {SCHEMA}): deploy that release again, and the job goes on"
        )


def _known(kind: type[T], held: Mapping[str, Any], **read: Any) -> T:
    """Return what is held as one of a kind, without the fields that only a newer release knows."""
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    return kind(**{name: value for name, value in {**held, **read}.items() if name in names})


def instant(at: datetime) -> str:
    """Return UTC text of one width, so that its order is time's order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _to_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""A job's story as data: what `show` tells, with a bar for each call and what may be done about it. Pure.

A bar is a stretch of time in which a call was waiting for a worker, on the GPU, finished and not known,
or waiting to be sent again; in seconds since the job was recorded.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cli.operating.show import as_fields
from cli.operating.show_story import Told, amiss
from cli.operating.story import CallStory
from cli.page.marks import check_fields
from core.failures import FAILURES
from core.jobs.durations import Interval
from core.jobs.job import Job, JobState


def story_fields(told: Told, at: datetime) -> dict[str, Any]:
    story, job = told.story, told.story.job
    fields = as_fields(told)
    calls = {call.call.id: call for call in story.calls}
    for each in (call for shown in fields["rounds"] for call in shown["calls"]):
        each["bars"] = [_bar(bar, job, at) for bar in _intervals(calls[each["call_id"]], job, at)]
        each["amiss"] = list(amiss(calls[each["call_id"]]))
    return {
        **fields,
        "uploaded_at": job.source.uploaded_at.isoformat(),
        "bytes": job.source.size_bytes,
        "lasted_seconds": round(((job.finished_at or at) - job.created_at).total_seconds(), 3),
        "round": job.stage,
        "is_publishing": job.is_publishing,
        "doubts": job.summary.doubts if job.summary else 0,
        "advice": FAILURES[job.reason_code].advice if job.reason_code in FAILURES else None,
        "dollars": told.dollars.text if told.dollars else None,
        "checks": check_fields(fields["checks"]),
        "can": {"cancel": job.state is JobState.ACTIVE, "retry": job.is_final},
    }


def _intervals(call: CallStory, job: Job, at: datetime) -> Iterator[Interval]:
    until = job.finished_at or at
    yield from call.waits
    for attempt in call.attempts:
        yield from attempt.intervals(until)


def _bar(interval: Interval, job: Job, at: datetime) -> dict[str, Any]:
    until = job.finished_at or at
    return {
        "kind": interval.kind,
        "from": round((interval.begins - job.created_at).total_seconds(), 3),
        "to": round((min(interval.ends, until) - job.created_at).total_seconds(), 3),
    }

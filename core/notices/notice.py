"""A notice: what everybody else is told once a job has ended. Pure.

It is made from the job's record alone, so it can be made again for as long as the record is kept, and is
the same each time, its id included: who has had it knows it again. It holds names, counts and codes, never
a text. docs/notices.md describes it for those who listen; events/notices/ has its JSON Schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.aws.names import facts_key_for
from core.jobs.job import Job, JobState, Summary

VERSION = 1  # of `detail`; a field more is no other version
SOURCE = "transcript-summaries"
PUBLISHED, FAILED = "Summary Published", "Summary Failed"
TEST = "Test Notice"  # to the webhook alone, when an operator asks for it


@dataclass(frozen=True, kw_only=True)
class Notice:
    kind: str  # EventBridge's detail-type
    at: datetime  # when the job ended
    detail: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.detail["id"])


def notice_of(job: Job, *, stack: str, output_bucket: str) -> Notice:
    """Return the notice of a job's end. Raises ValueError for a job that has none, or is not ended."""
    if job.state is JobState.SUCCEEDED and job.summary and job.finished_at:
        kind, outcome = PUBLISHED, _summary(job, job.summary, output_bucket)
    elif job.state is JobState.FAILED and job.finished_at:
        kind, outcome = FAILED, {"reason": {"code": job.reason_code, "message": job.reason}}
    else:
        raise ValueError(f"job {job.id} has not ended")
    detail = {
        "version": VERSION,
        "id": f"{job.id}-{job.state}",
        "stack": stack,
        "job_id": job.id,
        "transcript": {
            "bucket": job.source.bucket,
            "key": job.source.key,
            "version_id": job.source.version_id or None,
            "bytes": job.source.size_bytes,
            "words": job.words_in or None,  # None where it was not read
            "uploaded_at": _instant(job.source.uploaded_at),
        },
        "recorded_at": _instant(job.created_at),
        "finished_at": _instant(job.finished_at),
        "seconds": round((job.finished_at - job.created_at).total_seconds(), 3),
        **outcome,
    }
    return Notice(kind=kind, at=job.finished_at, detail=detail)


def _summary(job: Job, summary: Summary, bucket: str) -> dict[str, Any]:
    return {
        "summary": {
            "bucket": bucket,
            "key": job.summary_key,
            "facts_key": facts_key_for(job.summary_key),
            "words": summary.words,
            "words_wanted": job.target_words,
            "model": summary.model,
        },
        "checks": {"doubts": summary.doubts},
        "cost": {
            "gpu_seconds": summary.ran_ms / 1_000,
            "rounds": summary.rounds,
            "calls": summary.calls,
            "prompt_tokens": summary.prompt_tokens,
            "completion_tokens": summary.completion_tokens,
            "discarded_tokens": summary.discarded_tokens,
        },
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

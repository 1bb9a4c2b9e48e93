"""What is recorded with a summary: its object's metadata, and the facts beside it. Pure.

The metadata also say which version of the file an object is of, and so which of two is the newer.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from core.jobs.job import Job, Summary

_LONGEST_METADATA_VALUE = 1000  # S3 takes 2 KB of user metadata in all


def is_of(job: Job, metadata: Mapping[str, str]) -> bool:
    """Was an object with these metadata written for this job?"""
    return metadata.get("job-id") == job.id


def is_of_newer_upload(job: Job, metadata: Mapping[str, str]) -> bool:
    """Was an object written for a newer version of the job's file?

    Of two in no known order, the one with the greater job id counts as the newer, so that
    everybody agrees on one.
    """
    try:
        uploaded_at = datetime.fromisoformat(metadata["source-uploaded-at"])
        sequencer, job_id = metadata.get("source-sequencer", ""), metadata["job-id"]
    except (KeyError, ValueError):
        return False  # not one of ours: the bucket's versions keep it
    if job.source.is_older_than(uploaded_at, sequencer):
        return True
    there = replace(job.source, sequencer=sequencer, uploaded_at=uploaded_at)
    is_same_age = not there.is_older_than(job.source.uploaded_at, job.source.sequencer)
    return is_same_age and job.id < job_id


def version_metadata(job: Job) -> dict[str, str]:
    """Return what says which version of the file an object is of: ASCII, within S3's 2 KB."""
    fields = {
        "job-id": job.id,
        "source-key": quote(job.source.key),
        "source-version": job.source.version_id or job.source.etag,
        "source-uploaded-at": job.source.uploaded_at.isoformat(),
        "source-sequencer": job.source.sequencer,
    }
    return _fitting(fields)


def summary_metadata(job: Job, summary: Summary) -> dict[str, str]:
    """Return the metadata of a summary's object: ASCII, within S3's 2 KB."""
    fields = {
        "call-id": summary.call_id,
        "attempt": str(summary.attempt),
        "runpod-id": summary.runpod_id,
        "model": summary.model,
        "words": str(summary.words),
        "prompt-tokens": str(summary.prompt_tokens),
        "completion-tokens": str(summary.completion_tokens),
        "finish-reason": summary.finish_reason,
        "rounds": str(summary.rounds),
        "calls": str(summary.calls),
        "discarded-tokens": str(summary.discarded_tokens),
        "ran-ms": str(summary.ran_ms),
        "doubts": str(summary.doubts),
    }
    return version_metadata(job) | _fitting(fields)


def _fitting(fields: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in fields.items() if 0 < len(value) <= _LONGEST_METADATA_VALUE
    }


def summary_in(metadata: Mapping[str, str]) -> Summary:
    """Return the summary that its object's metadata describes."""
    return Summary(
        call_id=metadata["call-id"],
        attempt=int(metadata["attempt"]),
        runpod_id=metadata.get("runpod-id", ""),
        model=metadata.get("model", ""),
        words=int(metadata["words"]),
        prompt_tokens=int(metadata["prompt-tokens"]),
        completion_tokens=int(metadata["completion-tokens"]),
        finish_reason=metadata.get("finish-reason", ""),
        rounds=int(metadata["rounds"]),
        calls=int(metadata["calls"]),
        discarded_tokens=int(metadata["discarded-tokens"]),
        ran_ms=int(metadata["ran-ms"]),
        doubts=int(metadata["doubts"]),
    )


def facts_of(
    job: Job, summary: Summary, facts: Mapping[str, Any], *, bucket: str, now: datetime
) -> dict[str, Any]:
    """Return the facts that stand beside a summary."""
    return {
        "job_id": job.id,
        "source": {**asdict(job.source), "uploaded_at": job.source.uploaded_at.isoformat()},
        "summary": {"bucket": bucket, "key": job.summary_key, **asdict(summary)},
        "asked": {**asdict(job.options), "target_words": job.target_words},
        "writing": dict(facts),
        "transcript_words": job.words_in,
        "created_at": job.created_at.isoformat(),
        "finished_at": now.isoformat(),
    }

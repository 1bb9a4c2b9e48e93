"""One job, by what a person has at hand: its id, the beginning of it, or the key of its file."""

import heapq
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from cli.deployment import History
from cli.operating.desk import Desk, NoSuchJob
from core.aws.items import ListedJob
from core.aws.job_index import JobIndex
from core.jobs.job import JobState, Source, job_id_for

_ID = re.compile(r"[0-9a-f]{32}")
_BEGINNING = re.compile(r"[0-9a-f]{6,31}")
MOST_LOOKED_AT = 20_000  # jobs, newest first, where the index alone can tell
_MOST_VERSIONS = 100  # of one file


def newest_jobs(
    desk: Desk,
    states: tuple[JobState, ...] = tuple(JobState),
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    oldest_first: bool = False,
    index: JobIndex | None = None,
    page_size: int | None = None,
) -> Iterator[ListedJob]:
    """Yield the jobs of some states, newest first; `index` is one whose read units somebody wants."""
    index = index or desk.index
    of_states = (
        index.jobs(state, since=since, until=until, oldest_first=oldest_first, page_size=page_size)
        for state in states
    )
    return heapq.merge(*of_states, key=lambda job: job.created_at, reverse=not oldest_first)


def found_history(desk: Desk, name: str) -> History:
    """Return the job that a name means, the newest where several do. Raises NoSuchJob."""
    for job_id in _candidates(desk, name):
        history = desk.deployment.history_of(job_id)
        if history:
            return history
    raise NoSuchJob(
        f"there is no job {name}: give its id, the first letters of it, or the key of its file"
        " (`list` shows them; records are kept for RetentionDays)"
    )


def _candidates(desk: Desk, name: str) -> Iterator[str]:
    if _ID.fullmatch(name):
        yield name
        return
    yield from _by_version(desk, name)
    is_beginning = bool(_BEGINNING.fullmatch(name))
    for job in islice(newest_jobs(desk), MOST_LOOKED_AT):
        if job.key == name or (is_beginning and job.id.startswith(name)):
            yield job.id
            return


def _by_version(desk: Desk, key: str) -> Iterator[str]:
    """Yield the ids of the jobs of a file's versions, newest first: the id names the version."""
    bucket = desk.deployment.outputs["InputBucket"]
    listed = desk.deployment.client("s3").list_object_versions(
        Bucket=bucket, Prefix=key, MaxKeys=_MOST_VERSIONS
    )
    versions = [each for each in listed.get("Versions", []) if each["Key"] == key]
    for each in versions:
        if each["VersionId"] not in ("", "null"):
            yield job_id_for(
                Source(
                    bucket=bucket,
                    key=key,
                    version_id=each["VersionId"],
                    uploaded_at=each["LastModified"],
                )
            )

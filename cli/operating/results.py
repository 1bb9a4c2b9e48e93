"""What a job has left in the output bucket: its summary, and the facts beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.operating.desk import Desk
from core.aws.names import facts_key_for
from core.aws.objects import Objects
from core.jobs.job import Job

_MOST_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Result:
    text: str = field(repr=False)
    metadata: Mapping[str, str]
    facts: Mapping[str, Any]  # {} where there are none of this job


def facts_of_job(desk: Desk, job: Job) -> Mapping[str, Any]:
    """Return the facts beside a job's summary; {} where there are none, or they are of another version."""
    found = _objects(desk).get(facts_key_for(job.summary_key), max_bytes=_MOST_BYTES)
    if found is None:
        return {}
    try:
        facts = json.loads(found[0])
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) and facts.get("job_id") == job.id else {}


def result_of_job(desk: Desk, job: Job) -> Result | None:
    """Return the summary that stands for a job's file, whichever version made it; None without one."""
    found = _objects(desk).get(job.summary_key, max_bytes=_MOST_BYTES)
    if found is None:
        return None
    body, metadata = found
    return Result(text=body.decode("utf-8"), metadata=metadata, facts=facts_of_job(desk, job))


def _objects(desk: Desk) -> Objects:
    return Objects(desk.deployment.client("s3"), desk.deployment.outputs["OutputBucket"])

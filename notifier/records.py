"""Records of the table's stream to jobs. Pure."""

from collections.abc import Mapping
from typing import Any

from core.aws.items import JOB_ITEM, to_job
from core.aws.values import unpacked
from core.errors import NewerRecord
from core.jobs.job import Job, JobState

_ENDS = frozenset({JobState.SUCCEEDED.value, JobState.FAILED.value})


class UnreadableRecord(Exception):
    """A record of a job that has ended, from which no job can be made."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(why)
        self.job_id = job_id


def ended_job(record: Mapping[str, Any]) -> Job | None:
    """Return the job that a record says has just ended; None if it says something else.

    template.yaml filters by the same rule, so that the function is not even started for the rest. Raises
    UnreadableRecord.
    """
    change = record["dynamodb"]
    if change["Keys"]["item"]["S"] != JOB_ITEM:
        return None
    before, after = _state(change, "OldImage"), _state(change, "NewImage")
    if after not in _ENDS or before in _ENDS:
        return None
    try:
        return to_job(unpacked(change["NewImage"]))
    except (KeyError, ValueError, TypeError, NewerRecord) as exc:
        job_id = change["Keys"]["job_id"]["S"]
        raise UnreadableRecord(job_id, f"its record can't be read ({type(exc).__name__})") from exc


def _state(change: Mapping[str, Any], image: str) -> str:
    return str(change.get(image, {}).get("state", {}).get("S", ""))

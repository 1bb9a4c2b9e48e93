"""A table of a hundred thousand jobs and more, as far as its index by state is read.

It has no items until they are asked for. Pages end and read units count as DynamoDB says: after 1 MB of
what the index holds, half a unit for each 4 KB begun. Nothing but that one query is answered: no scan.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from benchmarks.units import size_of
from core.aws.items import instant, job_item
from core.aws.job_index import BY_STATE
from core.aws.values import packed
from core.jobs.audit import AuditEvent
from core.jobs.job import Job, JobState
from tests.builders import a_job, a_source, a_summary
from tests.fakes.aws import PROJECTED

PAGE_BYTES = 1_000_000
_KEYS = ("job_id", "item", "state", "created_at")
_ACTIVE = 40  # at any time
_FAILED_OF = 33  # one of so many
_TO_A_SUMMARY = timedelta(minutes=4)


@dataclass
class BigTable:
    jobs: int
    now: datetime
    lasts: timedelta = timedelta(days=90)
    queries: int = 0
    read_units: float = 0.0
    _created: dict[JobState, list[tuple[str, int]]] = field(default_factory=dict)  # oldest first

    def __post_init__(self) -> None:
        self._created = {state: [] for state in JobState}
        for number in range(self.jobs):
            at = instant(self._at(number))
            self._created[self._state(number)].append((at, number))
        self._templates = {state: self._template(state) for state in JobState}

    def close(self) -> None: ...

    def query(self, **asked: Any) -> dict[str, Any]:
        """Answer as boto3's client does."""
        assert asked["IndexName"] == BY_STATE, f"nothing but the index by state is here: {asked}"
        values = asked["ExpressionAttributeValues"]
        state = JobState(values[":state"]["S"])
        created = self._created[state]
        first = bisect_left(created, (values[":since"]["S"], -1))
        last = bisect_right(created, (values[":until"]["S"], self.jobs)) - 1
        is_forward = asked.get("ScanIndexForward", True)
        start = asked.get("ExclusiveStartKey")
        if start:
            at = created.index((start["created_at"]["S"], int(start["job_id"]["S"], 16)))
            first, last = (at + 1, last) if is_forward else (first, at - 1)
        numbers = range(first, last + 1) if is_forward else range(last, first - 1, -1)
        return self._page(state, [created[each] for each in numbers], asked)

    def _page(
        self, state: JobState, found: list[tuple[str, int]], asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        each_bytes = size_of(self._item(state, *found[0])) if found else 0
        most = min(PAGE_BYTES // max(each_bytes, 1), asked.get("Limit", self.jobs))
        page = found[:most]
        self.queries += 1
        units = max(math.ceil(len(page) * each_bytes / 4096), 1) / 2
        self.read_units += units
        answer: dict[str, Any] = {
            "Count": len(page),
            "ConsumedCapacity": {"TableName": "jobs", "CapacityUnits": units},
        }
        if asked.get("Select") != "COUNT":
            answer["Items"] = [self._item(state, *each) for each in page]
        if len(page) == most and page:
            item = self._item(state, *page[-1])
            answer["LastEvaluatedKey"] = {name: item[name] for name in _KEYS}
        return answer

    def _at(self, number: int) -> datetime:
        return self.now - self.lasts * ((self.jobs - number) / self.jobs)

    def _state(self, number: int) -> JobState:
        if number >= self.jobs - _ACTIVE:
            return JobState.ACTIVE
        return JobState.FAILED if number % _FAILED_OF == 0 else JobState.SUCCEEDED

    def _template(self, state: JobState) -> dict[str, Any]:
        item = packed(job_item(_ended(a_job(created_at=self.now), state)))
        return {name: item[name] for name in (*_KEYS, *PROJECTED) if name in item}

    def _item(self, state: JobState, created_at: str, number: int) -> dict[str, Any]:
        at = datetime.fromisoformat(created_at)
        key = f"customers/{number % 200:03}/2026/board meeting {number:06}.vtt"
        source = {**self._templates[state]["source"]["M"], "key": {"S": key}}
        item = self._templates[state] | {
            "job_id": {"S": f"{number:032x}"},
            "created_at": {"S": created_at},
            "deadline": {"S": instant(at + timedelta(hours=1))},
            "source": {"M": source},
        }
        if "finished_at" in item:
            seconds = timedelta(seconds=number % 90)
            item["finished_at"] = {"S": instant(at + _TO_A_SUMMARY + seconds)}
        return item


def _ended(job: Job, state: JobState) -> Job:
    """Return a job with values as long as they are in life."""
    version, at = "096fKKXTRTtl3on89fVO.nfljtsv6qko", job.created_at + _TO_A_SUMMARY
    job = replace(job, source=a_source(bucket="a-stack-transcripts-123456789012-eu-west-1"))
    job = replace(job, source=replace(job.source, version_id=version))
    if state is JobState.SUCCEEDED:
        figures = a_summary(rounds=4, calls=21, discarded_tokens=900, ran_ms=61_000)
        return job.with_success(figures, AuditEvent(at=at, by="submitter"))
    if state is JobState.FAILED:
        return job.with_failure("deadline", AuditEvent(at=at, by="sweeper", why="no result"))
    return job

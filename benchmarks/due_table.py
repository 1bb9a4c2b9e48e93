"""A table of a million jobs and more, as far as a sweep reads it: the index of what is due, and those.

An item exists once it is asked for. The index has what is due and nothing else, and pages of 1 MB, as
DynamoDB's. No scan is answered, so a sweep that read what is not due would fail here.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from core.aws.items import CALL_PREFIX, DUE_GROUP, call_item, instant, job_item
from core.aws.job_store import DUE_INDEX
from core.aws.values import packed
from core.jobs.audit import AuditEvent
from core.jobs.call import CallState
from tests.builders import a_call, a_job

_PAGE_ENTRIES = (
    1_000_000 // 190
)  # of keys alone: job, item, group, time, and 100 bytes of DynamoDB's own
_CALL = f"{CALL_PREFIX}1-0"


class ConditionFalse(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem")


@dataclass
class DueTable:
    """A client of DynamoDB. Of `jobs` jobs the first `due` have a call each that is past due."""

    jobs: int
    due: int
    now: datetime
    request: Callable[[str, int], None] = lambda _operation, _items: None  # called with each
    requests: Counter[str] = field(default_factory=Counter)
    _due_at: dict[int, str] = field(default_factory=dict)
    _revisions: dict[int, int] = field(default_factory=dict)

    exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionFalse)

    def __post_init__(self) -> None:
        begun = self.now - timedelta(minutes=20)
        step = timedelta(minutes=10) / max(self.due, 1)
        self._due_at = {number: instant(begun + number * step) for number in range(self.due)}
        event = AuditEvent(at=begun, by="submitter")
        job = a_job(created_at=begun, deadline=self.now + timedelta(hours=1))
        call = a_call(CallState.SUBMITTED).with_event(event).with_due_at(self.now)
        self._job, self._call = packed(job_item(job)), packed(call_item(call))

    def get_paginator(self, name: str) -> "DueTable":
        assert name == "query", f"a sweep has no use for {name}"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        assert asked["IndexName"] == DUE_INDEX, f"a sweep reads what is due alone: {asked}"
        until = asked["ExpressionAttributeValues"][":now"]["S"]
        entries = sorted((at, number) for number, at in self._due_at.items() if at <= until)
        for page in range(max(math.ceil(len(entries) / _PAGE_ENTRIES), 1)):
            found = entries[page * _PAGE_ENTRIES : (page + 1) * _PAGE_ENTRIES]
            self._count("Query", len(found))
            yield {
                "Items": [
                    packed({**_key(number), "due_group": DUE_GROUP, "due_at": at})
                    for at, number in found
                ]
            }

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        assert len(asked["Keys"]) <= 100, "DynamoDB takes a hundred keys at most"
        self._count("BatchGetItem", len(asked["Keys"]))
        return {"Responses": {table: [self._item(key) for key in asked["Keys"]]}}

    def update_item(self, **asked: Any) -> dict[str, Any]:
        self._count("UpdateItem", 1)
        number = int(asked["Key"]["job_id"]["S"], 16)
        assert asked["Key"]["item"]["S"] == _CALL, "nothing of the jobs changes in these sweeps"
        values = asked["ExpressionAttributeValues"]
        if int(values[":seen"]["N"]) != self._revision(number):
            raise ConditionFalse
        self._revisions[number] = self._revision(number) + 1
        self._due_at[number] = values[":due_at"]["S"]
        return {}

    def _revision(self, number: int) -> int:
        return self._revisions.get(number, 1)

    def _item(self, key: Mapping[str, Any]) -> dict[str, Any]:
        number = int(key["job_id"]["S"], 16)
        assert number < self.jobs
        if key["item"]["S"] != _CALL:
            return {**self._job, "job_id": key["job_id"]}
        attempt = {**self._call["attempts"]["L"][0]["M"], "runpod_id": {"S": f"rp-{number:07}"}}
        changed = {"due_at": self._due_at[number], "revision": self._revision(number)}
        attempts = {"L": [{"M": attempt}]}
        return {**self._call, "job_id": key["job_id"], "attempts": attempts, **packed(changed)}

    def _count(self, operation: str, items: int) -> None:
        self.requests[operation] += 1
        self.request(operation, items)


def _key(number: int) -> dict[str, str]:
    return {"job_id": f"{number:032x}", "item": _CALL}

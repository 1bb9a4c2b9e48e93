"""Jobs in one DynamoDB table.

    job_id (HASH)   item (RANGE)       holds
    <job>           job                the job, its audit
    <job>           call#<call id>     one call, its audit
    <job>           group#<group>      of a stage with many calls: those of a group that are done

Only what the sweeper has to look at carries `due_group` and `due_at`: open calls, jobs in the middle of a
stage, and failed jobs with calls to cancel. So the index `due` is as large as what is open, and a sweep
reads what is due. All share one `due_group`: an index partition takes 1,000 writes a second, and RunPod
takes 100 requests a second per endpoint.

The audit is the list `events`, appended to in the same write as the change it records.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from core.aws.contention import CONDITION_FALSE, persistently, reasons_of
from core.aws.expressions import put_of_new, update_of
from core.aws.items import (
    CALL_PREFIX,
    DUE_GROUP,
    GROUP_PREFIX,
    JOB_ITEM,
    call_item,
    instant,
    job_item,
    key_of,
    to_call,
    to_event,
    to_job,
)
from core.aws.values import packed, unpacked
from core.errors import Conflict, JobExists, UnknownCall
from core.jobs.audit import AuditEvent, in_order
from core.jobs.call import Call
from core.jobs.job import Job, JobState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

DUE_INDEX = "due"
_MOST_UNPROCESSED_READS = 5
_MOST_IN_TRANSACTION = 100  # DynamoDB's limit
_MOST_IN_BATCH = 100  # keys of one read; also DynamoDB's


class DynamoJobStore:
    """The JobStore of the deployed functions."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table
        self._persist = partial(persistently, sleep=sleep)

    def create(self, job: Job, calls: Sequence[Call]) -> bool:
        # The job comes last, and with it the calls count: nobody submits a call without its job.
        items = [*map(call_item, calls), job_item(job)]
        are_new = self._put_new(items[:-_MOST_IN_TRANSACTION])
        try:
            self._transact([self._new(item) for item in items[-_MOST_IN_TRANSACTION:]])
        except ClientError as exc:
            reasons = reasons_of(exc)
            if reasons and reasons[-1] == CONDITION_FALSE:
                raise JobExists(f"job {job.id} is recorded already") from exc
            if CONDITION_FALSE in reasons:
                raise Conflict(f"calls of job {job.id} are being recorded by others") from exc
            raise
        return are_new

    def record_calls(self, calls: Sequence[Call]) -> bool:
        return self._put_new([call_item(call) for call in calls])

    def begin_stage(self, job: Job) -> Job:
        # `done` is nobody else's to write: a save would undo what was counted since the load.
        update = update_of(self._table, {**job_item(job), "done": None}, job.revision)
        self._write(update, f"job {job.id}")
        return replace(job, revision=job.revision + 1, done=frozenset(), pending_events=())

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        keys = [key_of(job_id, JOB_ITEM), key_of(job_id, CALL_PREFIX + call_id)]
        items = {item["item"]: item for item in self._read(keys)}
        job, call = items.get(JOB_ITEM), items.get(CALL_PREFIX + call_id)
        if job is None or call is None:
            raise UnknownCall(f"no call {call_id} of job {job_id} is recorded")
        return to_job(job), to_call(call)

    def load_job(self, job_id: str) -> Job:
        for item in self._read([key_of(job_id, JOB_ITEM)]):
            return to_job(item)
        raise UnknownCall(f"no job {job_id} is recorded")

    def load_many(
        self, keys: Sequence[tuple[str, str]]
    ) -> tuple[Mapping[str, Job], Mapping[tuple[str, str], Call]]:
        wanted = [(job_id, JOB_ITEM) for job_id, _ in keys]
        wanted += [(job_id, CALL_PREFIX + call_id) for job_id, call_id in keys if call_id]
        distinct = [key_of(*each) for each in dict.fromkeys(wanted)]
        jobs: dict[str, Job] = {}
        calls: dict[tuple[str, str], Call] = {}
        for first in range(0, len(distinct), _MOST_IN_BATCH):
            for item in self._read(distinct[first : first + _MOST_IN_BATCH]):
                if item["item"] == JOB_ITEM:
                    jobs[item["job_id"]] = to_job(item)
                else:
                    call = to_call(item)
                    calls[call.job_id, call.id] = call
        return jobs, calls

    def save_call(self, call: Call) -> Call:
        self._write(
            update_of(self._table, call_item(call), call.revision),
            f"call {call.id} of {call.job_id}",
        )
        return replace(call, revision=call.revision + 1, pending_events=())

    def save_job(self, job: Job) -> Job:
        self._write(update_of(self._table, job_item(job), job.revision), f"job {job.id}")
        return replace(job, revision=job.revision + 1, pending_events=())

    def count_done(self, job: Job, call: Call, *, due_at: datetime) -> Job:
        if job.group_size > 1 and self._count_in_group(job, call) < job.calls_of_group(call.id):
            return job
        answer = self._write(
            {
                "TableName": self._table,
                "Key": packed(key_of(job.id, JOB_ITEM)),
                "UpdateExpression": "ADD done :done SET due_group = :group, due_at = :due",
                "ConditionExpression": "#state = :active AND stage = :stage",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": packed(
                    {
                        ":done": {job.group_of(call.id)},
                        ":group": DUE_GROUP,
                        ":due": instant(due_at),
                        ":active": JobState.ACTIVE.value,
                        ":stage": call.stage,
                    }
                ),
                "ReturnValues": "ALL_NEW",
            },
            f"job {job.id}",
        )
        return to_job(unpacked(answer["Attributes"]))

    def _count_in_group(self, job: Job, call: Call) -> int:
        """Count a call in its group, and return how many are counted there."""
        answer = self._write(
            {
                "TableName": self._table,
                "Key": packed(key_of(job.id, GROUP_PREFIX + job.group_of(call.id))),
                "UpdateExpression": "ADD calls :call SET expires_at = :expires",
                "ExpressionAttributeValues": packed(
                    {":call": {call.id}, ":expires": int(job.expires_at.timestamp())}
                ),
                "ReturnValues": "ALL_NEW",
            },
            f"the calls of job {job.id}",
        )
        return len(unpacked(answer["Attributes"])["calls"])

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        updates = (
            update_of(self._table, job_item(job), job.revision),
            update_of(self._table, call_item(call), call.revision),
        )
        try:
            self._transact([{"Update": update} for update in updates])
        except ClientError as exc:
            if CONDITION_FALSE in reasons_of(exc):
                raise Conflict(f"job {job.id} or its call {call.id} changed meanwhile") from exc
            raise
        return (
            replace(job, revision=job.revision + 1, pending_events=()),
            replace(call, revision=call.revision + 1, pending_events=()),
        )

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_group = :group AND due_at <= :now",
            ExpressionAttributeValues=packed({":group": DUE_GROUP, ":now": instant(now)}),
        )
        for page in pages:
            for item in map(unpacked, page["Items"]):
                call_id = "" if item["item"] == JOB_ITEM else item["item"]
                yield item["job_id"], call_id.removeprefix(CALL_PREFIX)

    def history(self, job_id: str) -> tuple[Job, list[Call], list[AuditEvent]]:
        job, calls, audits = self.history_by_item(job_id)
        return job, calls, in_order(event for events in audits.values() for event in events)

    def history_by_item(
        self, job_id: str
    ) -> tuple[Job, list[Call], Mapping[str, list[AuditEvent]]]:
        """Return a job with its calls and the audit of each: of the job by "", of a call by its id."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="job_id = :job",
            ExpressionAttributeValues=packed({":job": job_id}),
            ConsistentRead=True,
        )
        items = [
            item
            for page in pages
            for item in map(unpacked, page["Items"])
            if not item["item"].startswith(GROUP_PREFIX)
        ]
        jobs = [to_job(item) for item in items if item["item"] == JOB_ITEM]
        if not jobs:
            raise UnknownCall(f"no job {job_id} is recorded")
        items.sort(key=lambda item: item["item"] != JOB_ITEM)  # the job is recorded first
        calls = [to_call(item) for item in items[1:]]
        audits = {
            each_id: [to_event(event) for event in item["events"]]
            for each_id, item in zip(["", *(call.id for call in calls)], items, strict=True)
        }
        return jobs[0], calls, audits

    def _read(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        wanted: Any = {self._table: {"Keys": [packed(key) for key in keys], "ConsistentRead": True}}
        for _ in range(_MOST_UNPROCESSED_READS):
            answer = self._client.batch_get_item(RequestItems=wanted)
            yield from map(unpacked, answer["Responses"].get(self._table, []))
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return
        raise ConnectionError("DynamoDB left keys unread again and again: it is throttling")

    def _transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> None:
        self._persist(lambda: self._client.transact_write_items(TransactItems=writes))

    def _write(self, update: "UpdateTypeDef | dict[str, Any]", what: str) -> Any:
        try:
            return self._persist(lambda: self._client.update_item(**update))
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            raise Conflict(f"{what} changed meanwhile") from exc

    def _new(self, item: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
        return {"Put": put_of_new(self._table, item)}

    def _put_new(self, items: Sequence[Mapping[str, Any]]) -> bool:
        """Put what is not there yet, a hundred at a time; leave what is, and return whether nothing was."""
        are_new = True
        for first in range(0, len(items), _MOST_IN_TRANSACTION):
            chunk = items[first : first + _MOST_IN_TRANSACTION]
            try:
                self._transact([self._new(item) for item in chunk])
            except ClientError as exc:
                if CONDITION_FALSE not in reasons_of(exc):
                    raise
                self._put_missing(chunk)
                are_new = False
        return are_new

    def _put_missing(self, items: Sequence[Mapping[str, Any]]) -> None:
        for item in items:
            put = put_of_new(self._table, item)
            try:
                self._persist(lambda put=put: self._client.put_item(**put))  # type: ignore[misc]
            except self._client.exceptions.ConditionalCheckFailedException:
                continue  # an earlier try got so far

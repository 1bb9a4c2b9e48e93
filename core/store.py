"""Jobs in one DynamoDB table.

    job_id (HASH)   item (RANGE)       holds
    <job>           job                the job, its audit
    <job>           call#<call id>     one call, its audit

`due_group` and `due_at` stand only on calls that the sweeper shall look at, so the index `due` is as
large as what is open and a sweep reads what is due. All of them share one `due_group`: an index
partition takes 1,000 writes a second, and RunPod takes 100 requests a second per endpoint.

The audit is the list `events`, appended to in the same write as the change it tells of.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer  # noqa: TID251 - DynamoDB's adapter
from botocore.exceptions import ClientError

from core.errors import Conflict, JobExists, UnknownCall
from core.jobs import (
    Attempt,
    Call,
    CallState,
    Event,
    Job,
    JobState,
    Request,
    Source,
    Summary,
    in_order,
)
from core.plans import Kind, Strategy, Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

DUE_INDEX = "due"
DUE_GROUP = "open"
JOB_ITEM = "job"
_CALL_PREFIX = "call#"
_MOST_UNPROCESSED_READS = 5
_MOST_IN_TRANSACTION = 100  # DynamoDB's limit

_serialized = TypeSerializer().serialize
_deserialized = TypeDeserializer().deserialize


class DynamoJobStore:
    """The JobStore of the deployed functions."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, job: Job, calls: Sequence[Call]) -> None:
        # The job comes last, and with it the calls count: nobody submits a call without its job.
        items = [*map(_call_item, calls), _job_item(job)]
        try:
            self._put_new(items[:-_MOST_IN_TRANSACTION])
            self._client.transact_write_items(
                TransactItems=[self._new(item) for item in items[-_MOST_IN_TRANSACTION:]]
            )
        except ClientError as exc:
            if _was_beaten(exc):
                raise JobExists(f"job {job.id} is recorded already") from exc
            raise

    def begin_stage(self, job: Job, calls: Sequence[Call]) -> Job:
        self._put_new([_call_item(call) for call in calls])
        # `done` is nobody else's to write: a save would undo what was counted since the load.
        update = self._update({**_job_item(job), "done": None}, job.revision)
        self._write(update, f"job {job.id}")
        return replace(job, revision=job.revision + 1, done=frozenset(), news=())

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        keys = [_key(job_id, JOB_ITEM), _key(job_id, _CALL_PREFIX + call_id)]
        items = {item["item"]: item for item in self._read(keys)}
        try:
            return _to_job(items[JOB_ITEM]), _to_call(items[_CALL_PREFIX + call_id])
        except KeyError:
            raise UnknownCall(f"no call {call_id} of job {job_id} is recorded") from None

    def load_job(self, job_id: str) -> Job:
        for item in self._read([_key(job_id, JOB_ITEM)]):
            return _to_job(item)
        raise UnknownCall(f"no job {job_id} is recorded")

    def save_call(self, call: Call) -> Call:
        self._write(
            self._update(_call_item(call), call.revision), f"call {call.id} of {call.job_id}"
        )
        return replace(call, revision=call.revision + 1, news=())

    def save_job(self, job: Job) -> Job:
        self._write(self._update(_job_item(job), job.revision), f"job {job.id}")
        return replace(job, revision=job.revision + 1, news=())

    def count_done(self, call: Call, *, stage: int, due_at: datetime) -> Job:
        answer = self._write(
            {
                "TableName": self._table,
                "Key": _packed(_key(call.job_id, JOB_ITEM)),
                "UpdateExpression": "ADD done :done SET due_group = :group, due_at = :due",
                "ConditionExpression": "#state = :active AND stage = :stage",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": _packed(
                    {
                        ":done": {call.id},
                        ":group": DUE_GROUP,
                        ":due": _instant(due_at),
                        ":active": JobState.ACTIVE.value,
                        ":stage": stage,
                    }
                ),
                "ReturnValues": "ALL_NEW",
            },
            f"job {call.job_id}",
        )
        return _to_job(_unpacked(answer["Attributes"]))

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        updates = (
            self._update(_job_item(job), job.revision),
            self._update(_call_item(call), call.revision),
        )
        try:
            self._client.transact_write_items(
                TransactItems=[{"Update": update} for update in updates]
            )
        except ClientError as exc:
            if _was_beaten(exc):
                raise Conflict(f"job {job.id} or its call {call.id} changed meanwhile") from exc
            raise
        return (
            replace(job, revision=job.revision + 1, news=()),
            replace(call, revision=call.revision + 1, news=()),
        )

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_group = :group AND due_at <= :now",
            ExpressionAttributeValues=_packed({":group": DUE_GROUP, ":now": _instant(now)}),
        )
        for page in pages:
            for item in map(_unpacked, page["Items"]):
                call_id = "" if item["item"] == JOB_ITEM else item["item"]
                yield item["job_id"], call_id.removeprefix(_CALL_PREFIX)

    def history(self, job_id: str) -> tuple[Job, list[Call], list[Event]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="job_id = :job",
            ExpressionAttributeValues=_packed({":job": job_id}),
            ConsistentRead=True,
        )
        items = [_unpacked(item) for page in pages for item in page["Items"]]
        jobs = [_to_job(item) for item in items if item["item"] == JOB_ITEM]
        if not jobs:
            raise UnknownCall(f"no job {job_id} is recorded")
        calls = [_to_call(item) for item in items if item["item"] != JOB_ITEM]
        items.sort(key=lambda item: item["item"] != JOB_ITEM)  # the job is recorded first
        events = [_to_event(event) for item in items for event in item["events"]]
        return jobs[0], calls, in_order(events)

    def _read(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        wanted: Any = {
            self._table: {"Keys": [_packed(key) for key in keys], "ConsistentRead": True}
        }
        for _ in range(_MOST_UNPROCESSED_READS):
            answer = self._client.batch_get_item(RequestItems=wanted)
            yield from map(_unpacked, answer["Responses"].get(self._table, []))
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return
        raise ConnectionError("DynamoDB left keys unread again and again: it is throttling")

    def _write(self, update: "UpdateTypeDef | dict[str, Any]", what: str) -> Any:
        try:
            return self._client.update_item(**update)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            raise Conflict(f"{what} changed meanwhile") from exc

    def _new(self, item: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
        put: PutTypeDef = {
            "TableName": self._table,
            "Item": _packed(item),
            "ConditionExpression": "attribute_not_exists(job_id)",
        }
        return {"Put": put}

    def _put_new(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Put what is not there yet, a hundred at a time; leave what is."""
        for first in range(0, len(items), _MOST_IN_TRANSACTION):
            chunk = items[first : first + _MOST_IN_TRANSACTION]
            try:
                self._client.transact_write_items(TransactItems=[self._new(item) for item in chunk])
            except ClientError as exc:
                if not _was_beaten(exc):
                    raise
                self._put_missing(chunk)

    def _put_missing(self, items: Sequence[Mapping[str, Any]]) -> None:
        for item in items:
            try:
                self._client.put_item(**self._new(item)["Put"])
            except self._client.exceptions.ConditionalCheckFailedException:
                continue  # an earlier try got so far

    def _update(self, item: dict[str, Any], revision: int) -> "UpdateTypeDef":
        """Return the write of every field that appends the news and counts the revision up."""
        key = {name: item.pop(name) for name in ("job_id", "item")}
        news = item.pop("events")
        item["revision"] = revision + 1
        held = {name: value for name, value in item.items() if value is not None}
        dropped = [name for name, value in item.items() if value is None]

        # `#` before each name: some (state, source) are words that DynamoDB reserves.
        assignments = [f"#{name} = :{name}" for name in held]
        assignments.append("#events = list_append(#events, :events)")
        removals = [f"#{name}" for name in dropped]
        return {
            "TableName": self._table,
            "Key": _packed(key),
            "UpdateExpression": "SET "
            + ", ".join(assignments)
            + (" REMOVE " + ", ".join(removals) if removals else ""),
            "ConditionExpression": "#revision = :seen",  # nobody wrote since it was loaded
            "ExpressionAttributeNames": {f"#{name}": name for name in (*item, "events")},
            "ExpressionAttributeValues": _packed(
                {f":{name}": value for name, value in held.items()}
                | {":events": news, ":seen": revision}
            ),
        }


def _was_beaten(exc: ClientError) -> bool:
    """Did a transaction fail because of another write, and not for a fault of its own?"""
    reasons = {reason.get("Code") for reason in exc.response.get("CancellationReasons", [])}
    return bool(reasons & {"ConditionalCheckFailed", "TransactionConflict"})


def _key(job_id: str, item: str) -> dict[str, Any]:
    return {"job_id": job_id, "item": item}


def _job_item(job: Job) -> dict[str, Any]:
    return {
        **_key(job.id, JOB_ITEM),
        "state": job.state.value,
        "source": {**asdict(job.source), "uploaded_at": _instant(job.source.uploaded_at)},
        "request": {
            **asdict(job.request),
            "temperature": str(job.request.temperature),
            "top_p": str(job.request.top_p),
            "strategy": job.request.strategy.value,
        },
        "summary_key": job.summary_key,
        "words_in": job.words_in,
        "created_at": _instant(job.created_at),
        "deadline": _instant(job.deadline),
        "expires_at": int(job.expires_at.timestamp()),  # TTL wants epoch seconds
        "finished_at": _instant(job.finished_at) if job.finished_at else None,
        "reason_code": job.reason_code or None,
        "reason": job.reason or None,
        "summary": asdict(job.summary) if job.summary else None,
        "target_words": job.target_words,
        "stage": job.stage,
        "slots": list(job.slots),
        "stage_calls": job.stage_calls,
        "repairs": job.repairs,
        "is_joining": job.is_joining,
        "due_group": DUE_GROUP if job.due_at else None,
        "due_at": _instant(job.due_at) if job.due_at else None,
        "revision": job.revision,
        "events": [_event_item(event) for event in job.news],
    }


def _to_job(item: Mapping[str, Any]) -> Job:
    source, request = item["source"], item["request"]
    return Job(
        id=item["job_id"],
        state=JobState(item["state"]),
        source=Source(**{**source, "uploaded_at": _to_instant(source["uploaded_at"])}),
        request=Request(
            **{
                **request,
                "temperature": float(request["temperature"]),
                "top_p": float(request["top_p"]),
                "strategy": Strategy(request["strategy"]),
            }
        ),
        summary_key=item["summary_key"],
        words_in=item["words_in"],
        created_at=_to_instant(item["created_at"]),
        deadline=_to_instant(item["deadline"]),
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
        finished_at=_to_instant(item["finished_at"]) if "finished_at" in item else None,
        reason_code=item.get("reason_code", ""),
        reason=item.get("reason", ""),
        summary=Summary(**item["summary"]) if "summary" in item else None,
        target_words=item["target_words"],
        stage=item["stage"],
        slots=tuple(item["slots"]),
        stage_calls=item["stage_calls"],
        done=frozenset(item.get("done", ())),
        repairs=item["repairs"],
        is_joining=item["is_joining"],
        due_at=_to_instant(item["due_at"]) if "due_at" in item else None,
        revision=item["revision"],
    )


def _call_item(call: Call) -> dict[str, Any]:
    return {
        **_key(call.job_id, _CALL_PREFIX + call.id),
        "state": call.state.value,
        "stage": call.stage,
        "task": {**asdict(call.task), "kind": call.task.kind.value},
        "attempts": [
            {**asdict(attempt), "begun_at": _instant(attempt.begun_at)} for attempt in call.attempts
        ],
        "due_group": DUE_GROUP if call.due_at else None,
        "due_at": _instant(call.due_at) if call.due_at else None,
        "asks": call.asks,
        "late": call.late,
        "expires_at": int(call.expires_at.timestamp()),
        "revision": call.revision,
        "events": [_event_item(event) for event in call.news],
    }


def _to_call(item: Mapping[str, Any]) -> Call:
    return Call(
        job_id=item["job_id"],
        id=item["item"].removeprefix(_CALL_PREFIX),
        state=CallState(item["state"]),
        stage=item["stage"],
        task=Task(**{**item["task"], "kind": Kind(item["task"]["kind"])}),
        attempts=tuple(
            Attempt(**{**attempt, "begun_at": _to_instant(attempt["begun_at"])})
            for attempt in item["attempts"]
        ),
        due_at=_to_instant(item["due_at"]) if "due_at" in item else None,
        asks=item["asks"],
        late=item["late"],
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
        revision=item["revision"],
    )


def _event_item(event: Event) -> dict[str, Any]:
    fields = {**asdict(event), "at": _instant(event.at)}
    return {name: value for name, value in fields.items() if value}


def _to_event(item: Mapping[str, Any]) -> Event:
    return Event(**{**item, "at": _to_instant(item["at"])})


def _instant(at: datetime) -> str:
    """Return UTC text of one width, so that its order is time's order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _to_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _packed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialized(value) for name, value in item.items() if value is not None}


def _unpacked(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(_deserialized(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    """Return DynamoDB's decimals as the whole numbers that we only ever store."""
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value

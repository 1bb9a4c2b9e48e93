"""DynamoDB's units, metered where moto plays it: what it charges for each write and read, by item sizes.

A write costs a unit for each KB of the item as it was or is, whichever is larger; in a transaction two. An
index that holds the item costs units of its own: one for an item that comes or goes or changes, two where
its key in the index changes. A read costs a unit for each 4 KB, half of it where an older answer will do.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from tests.fakes.aws import PROJECTED

ACCOUNT, REGION, TABLE = "123456789012", "us-east-1", "jobs"
Item = Mapping[str, Any]  # as DynamoDB writes it: {"item": {"S": "job"}}

# What each index of template.yaml goes by, and what it holds beside keys.
_KEYS = ("job_id", "item")
INDEXES = {
    "due": (("due_group", "due_at"), ()),
    "by-state": (("state", "created_at"), PROJECTED),
}


@dataclass
class Units:
    """What was metered."""

    written: Counter[str] = field(default_factory=Counter)  # of the table, and of each index
    read: float = 0.0
    largest_item_bytes: int = 0

    def add_write(self, before: Item | None, after: Item | None, *, is_transaction: bool) -> None:
        sizes = [size_of(each) for each in (before, after) if each]
        self.largest_item_bytes = max(self.largest_item_bytes, *sizes, 0)
        self.written["table"] += _units(max(sizes, default=1), 1024) * (1 + is_transaction)
        for index, (keys, held) in INDEXES.items():
            self.written[index] += _index_units(before, after, keys, (*_KEYS, *keys, *held))


def size_of(item: Item) -> int:
    """Return the bytes that DynamoDB counts: names and values, and a little for each document."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return math.ceil(len(held.strip("-0.") or "0") / 2) + 1
        case "L":
            return 3 + sum(1 + _size(each) for each in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in held.items())
        case "SS":
            return sum(len(each.encode()) for each in held)
    return 1  # true, false, null


def _units(size_bytes: int, unit_bytes: int) -> int:
    return max(1, math.ceil(size_bytes / unit_bytes))


def _index_units(
    before: Item | None, after: Item | None, keys: tuple[str, ...], held: tuple[str, ...]
) -> int:
    def held_of(item: Item | None) -> dict[str, Any] | None:
        if item is None or not all(key in item for key in keys):
            return None
        return {name: item[name] for name in held if name in item}

    was, now = held_of(before), held_of(after)
    if was == now:
        return 0
    sizes = [_units(size_of(each), 1024) for each in (was, now) if each]
    is_moved = was and now and any(was[key] != now[key] for key in keys)
    return sum(sizes) if is_moved else max(sizes)


@contextmanager
def metering(client: Any) -> Iterator[Units]:
    """Meter what a client of moto's DynamoDB writes and reads."""
    units = Units()

    def before_call(model: Any, params: Any, context: Any, **_: Any) -> None:
        context["asked"] = body = json.loads(params["body"])
        context["before"] = [_stored(key) for key, _ in _writes(model.name, body)]

    def after_call(model: Any, http_response: Any, parsed: Any, context: Any, **_: Any) -> None:
        body = context["asked"]
        is_taken = http_response.status_code < 300  # noqa: PLR2004 - HTTP
        is_transaction = model.name == "TransactWriteItems"
        for before, (key, _) in zip(context["before"], _writes(model.name, body), strict=True):
            after = _stored(key) if is_taken else before
            units.add_write(before, after, is_transaction=is_transaction)
        units.read += sum(_read_units(model.name, body, parsed))

    events = client.meta.events
    events.register("before-call.dynamodb", before_call)
    events.register("after-call.dynamodb", after_call)
    try:
        yield units
    finally:
        events.unregister("before-call.dynamodb", before_call)
        events.unregister("after-call.dynamodb", after_call)


def _writes(operation: str, body: Mapping[str, Any]) -> list[tuple[Item, str]]:
    """Return the key of each item that a request writes, with how."""
    match operation:
        case "PutItem":
            return [(_key(body["Item"]), "Put")]
        case "UpdateItem" | "DeleteItem":
            return [(body["Key"], "Update")]
        case "TransactWriteItems":
            return [
                (_key(what["Item"]) if kind == "Put" else what["Key"], kind)
                for each in body["TransactItems"]
                for kind, what in each.items()
            ]
        case "BatchWriteItem":
            requests = [each for some in body["RequestItems"].values() for each in some]
            return [
                (_key(each["PutRequest"]["Item"]), "Put")
                if "PutRequest" in each
                else (each["DeleteRequest"]["Key"], "Delete")
                for each in requests
            ]
    return []


def _read_units(
    operation: str, body: Mapping[str, Any], parsed: Mapping[str, Any]
) -> Iterator[float]:
    share = 1.0 if body.get("ConsistentRead") else 0.5
    match operation:
        case "GetItem":
            yield share * _units(_plain_size(parsed.get("Item", {})), 4096)
        case "Query":
            size = sum(_plain_size(each) for each in parsed.get("Items", ()))
            yield share * _units(size, 4096)
        case "BatchGetItem":
            for table, items in parsed.get("Responses", {}).items():
                is_consistent = body["RequestItems"][table].get("ConsistentRead")
                for each in items:
                    yield (1.0 if is_consistent else 0.5) * _units(_plain_size(each), 4096)
        case "TransactGetItems":
            for each in parsed.get("Responses", ()):
                yield 2.0 * _units(_plain_size(each.get("Item", {})), 4096)


def _plain_size(item: Mapping[str, Any]) -> int:
    return size_of(item) if item else 0


def _key(item: Item) -> Item:
    return {name: item[name] for name in _KEYS}


def _stored(key: Item) -> Item | None:
    table = dynamodb_backends[ACCOUNT][REGION].tables[TABLE]
    found = table.get_item(*_dynamo_types(key))
    return None if found is None else dict(found.to_json()["Attributes"])


def _dynamo_types(key: Item) -> list[Any]:
    from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

    return [DynamoType(key[name]) for name in _KEYS]

"""Counts what DynamoDB bills and limits: read and write units, by item, by partition and by index.

    meter = Meter(look_up)
    with meter.watching():
        ...  # whatever asks DynamoDB by botocore, through any client

Emulators answer with units of their own making, so they are computed from sizes, as AWS documents them.
A write costs a unit for each KB begun of the item before or after it, whichever is larger; in a
transaction twice that; also where its condition is false. Each index that the change shows in costs its
own: once for an entry that comes, goes or changes, twice for one whose key changes. A consistent read costs
a unit for each 4 KB begun, item by item, and of a query in all; one of an index half of that.

`look_up(table, key)` returns an item as it is stored, outside of what is counted.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

Item = Mapping[str, Any]  # in DynamoDB's own notation: {"name": {"S": "text"}}

_WRITE_BYTES, _READ_BYTES = 1024, 4096
_WRITES = {"PutItem": "Item", "UpdateItem": "Key", "DeleteItem": "Key"}


@dataclass(frozen=True)
class Index:
    """A global secondary index."""

    name: str
    key: tuple[str, ...]
    others: tuple[str, ...] = ()  # what it holds beside keys

    def entry(self, item: Item | None, table_key: Sequence[str]) -> Item | None:
        """Return what the index holds of an item, if anything."""
        if not item or any(name not in item for name in self.key):
            return None
        held = (*self.key, *table_key, *self.others)
        return {name: item[name] for name in dict.fromkeys(held) if name in item}


INDEXES = (
    Index("due", ("due_group", "due_at")),
    Index(
        "by-state",
        ("state", "created_at"),
        ("source", "deadline", "finished_at", "reason_code", "summary", "words_in"),
    ),
)
TABLE_KEY = ("job_id", "item")


@dataclass
class Meter:
    look_up: Callable[[str, Item], Item | None]
    table_key: Sequence[str] = TABLE_KEY
    indexes: Sequence[Index] = INDEXES
    requests: Counter[str] = field(default_factory=Counter)  # "dynamodb.UpdateItem"
    refused: Counter[str] = field(default_factory=Counter)  # by what the error is called
    read_units: float = 0.0
    write_units: Counter[tuple[str, ...]] = field(default_factory=Counter)  # by item
    index_units: Counter[str] = field(default_factory=Counter)  # by index
    largest_bytes: Counter[tuple[str, ...]] = field(default_factory=Counter)  # by item

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count every request that any of botocore's clients makes."""
        real = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

        def call(client: Any, operation: str, params: dict[str, Any]) -> Any:
            service = client.meta.service_model.service_name
            return self.counted(service, operation, params, lambda: real(client, operation, params))

        with patch.object(BaseClient, "_make_api_call", call):
            yield

    def counted(
        self, service: str, operation: str, params: Mapping[str, Any], make: Callable[[], Any]
    ) -> Any:
        """Make one request and count it. Raises what it raises."""
        self.requests[f"{service}.{operation}"] += 1
        if service != "dynamodb":
            return make()
        writes = list(writes_of(operation, params))
        before = [self._stored(*write) for write in writes]
        try:
            answer = make()
        except ClientError as exc:
            self.refused[exc.response["Error"]["Code"]] += 1
            self._count_refused(operation, writes, before)
            raise
        for write, old in zip(writes, before, strict=True):
            self._count_write(write, old, is_in_transaction=operation.startswith("Transact"))
        self.read_units += _read_units(operation, params, answer)
        return answer

    def partition_units(self) -> Counter[str]:
        """Return the write units of the table by partition key: DynamoDB takes 1,000 a second of each."""
        units: Counter[str] = Counter()
        for key, each in self.write_units.items():
            units[key[0]] += each
        return units

    def _stored(self, table: str, key: Item) -> Item | None:
        return self.look_up(table, {name: key[name] for name in self.table_key})

    def _name(self, key: Item) -> tuple[str, ...]:
        return tuple(next(iter(key[name].values())) for name in self.table_key)

    def _count_write(
        self, write: tuple[str, Item], old: Item | None, *, is_in_transaction: bool
    ) -> None:
        new = self._stored(*write)
        name, size = self._name(write[1]), max(size_of(old or {}), size_of(new or {}))
        self.write_units[name] += units_of(size) * (2 if is_in_transaction else 1)
        self.largest_bytes[name] = max(self.largest_bytes[name], size)
        for index in self.indexes:
            self.index_units[index.name] += self._index_units(index, old, new)

    def _index_units(self, index: Index, old: Item | None, new: Item | None) -> int:
        was, now = (index.entry(each, self.table_key) for each in (old, new))
        if was == now:
            return 0
        if was and now and all(was[name] == now[name] for name in index.key):
            return units_of(max(size_of(was), size_of(now)))
        return sum(units_of(size_of(each)) for each in (was, now) if each)

    def _count_refused(
        self, operation: str, writes: Sequence[tuple[str, Item]], before: Sequence[Item | None]
    ) -> None:
        factor = 2 if operation.startswith("Transact") else 1
        for (_, key), old in zip(writes, before, strict=True):
            self.write_units[self._name(key)] += units_of(size_of(old or {})) * factor


def units_of(size_bytes: int) -> int:
    """Return the units of one write."""
    return max(math.ceil(size_bytes / _WRITE_BYTES), 1)


def writes_of(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Item]]:
    """Yield table and key, or the item with its key, of each thing that is written."""
    if operation in _WRITES:
        yield params["TableName"], params[_WRITES[operation]]
    elif operation == "TransactWriteItems":
        for each in params["TransactItems"]:
            ((kind, write),) = each.items()
            yield write["TableName"], write["Item" if kind == "Put" else "Key"]
    elif operation == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            for each in requests:
                ((kind, write),) = each.items()
                yield table, write["Item" if kind == "PutRequest" else "Key"]


def _read_units(operation: str, params: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    match operation:
        case "GetItem":
            units, asked = _units_read([answer.get("Item", {})]), params
            return units if asked.get("ConsistentRead") else units / 2
        case "BatchGetItem":
            return sum(
                _units_read(items)
                / (1 if params["RequestItems"].get(table, {}).get("ConsistentRead") else 2)
                for table, items in answer["Responses"].items()
            )
        case "Query" | "Scan":
            size = sum(size_of(item) for item in answer.get("Items", []))
            units = max(math.ceil(size / _READ_BYTES), 1)
            return units if params.get("ConsistentRead") else units / 2
    return 0.0


def _units_read(items: Sequence[Item]) -> float:
    return sum(max(math.ceil(size_of(item) / _READ_BYTES), 1) for item in items)


def size_of(item: Item) -> int:
    """Return how many bytes DynamoDB counts for an item."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return len(held) // 2 + 1
        case "M":
            return 3 + size_of(held) + len(held)
        case "L":
            return 3 + sum(_size_of_value(each) + 1 for each in held)
        case "SS":
            return sum(len(each.encode()) for each in held)
        case "NS":
            return sum(len(each) // 2 + 1 for each in held)
        case "B":
            return len(held)
    return 1

# ruff: noqa: N803, ARG002 - parameters have DynamoDB's names, and some change nothing here
"""A DynamoDB table in dictionaries, for what the job store asks: thousands of requests in a second.

moto takes twenty milliseconds for one of the store's updates, and a job of a thousand sections makes
thousands. This knows the few forms of expressions that the store uses, and refuses every other, so that
nothing is silently taken for something else. It is held to moto by a test.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from benchmarks.units import TABLE_KEY, size_of

Stored = dict[str, dict[str, Any]]
Key = tuple[str, ...]

_PAGE_BYTES = 1_000_000
_TOLD = frozenset(
    {"ReturnConsumedCapacity", "ReturnValuesOnConditionCheckFailure"}
)  # of no effect here
_SECTIONS = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b")
_FUNCTION = re.compile(r"(\w+)\(\s*([#\w]+)\s*(?:,\s*([:#\w]+)\s*)?\)")


class Refused(Exception):
    """What DynamoDB says where a condition is false; `reasons` are of a transaction, item by item."""

    def __init__(self, code: str, reasons: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons


@dataclass
class QuickTable:
    items: dict[Key, Stored] = field(default_factory=dict)

    def look_up(self, _table: str, key: Mapping[str, Any]) -> Stored | None:
        return self.items.get(key_of(key))

    def answer(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked. Raises Refused."""
        return getattr(self, f"_{operation.lower()}")(**params)  # type: ignore[no-any-return]

    def _putitem(self, *, TableName: str, Item: Stored, **more: Any) -> dict[str, Any]:
        self._check(key_of(Item), more)
        self.items[key_of(Item)] = copy(Item)
        return {}

    def _updateitem(
        self,
        *,
        TableName: str,
        Key: Stored,
        UpdateExpression: str,
        ReturnValues: str = "NONE",
        **more: Any,
    ) -> dict[str, Any]:
        key = key_of(Key)
        expression = self._check(key, more)
        item = dict(self.items.get(key, Key))
        for change in _changes(UpdateExpression):
            change(item, expression)
        self.items[key] = item
        assert ReturnValues in ("NONE", "ALL_NEW"), ReturnValues
        return {"Attributes": item} if ReturnValues == "ALL_NEW" else {}

    def _transactwriteitems(
        self,
        *,
        TransactItems: list[dict[str, Any]],
        **more: Any,
    ) -> dict[str, Any]:
        assert not set(more) - _TOLD - {"ClientRequestToken"}, more
        before = dict(self.items)
        reasons = []
        for each in TransactItems:
            ((kind, params),) = each.items()
            try:
                self.answer(f"{kind}Item", params)
                reasons.append("None")
            except Refused as exc:
                reasons.append(exc.code.removesuffix("Exception"))
        if set(reasons) != {"None"}:
            self.items = before
            raise Refused("TransactionCanceledException", reasons)
        return {}

    def _getitem(
        self, *, TableName: str, Key: Stored, ConsistentRead: bool = False
    ) -> dict[str, Any]:
        item = self.items.get(key_of(Key))
        return {"Item": item} if item else {}

    def _batchgetitem(self, *, RequestItems: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        assert not set(more) - _TOLD, more
        ((table, asked),) = RequestItems.items()
        assert len(asked["Keys"]) <= 100, "DynamoDB takes a hundred keys at most"
        found = [self.items.get(key_of(key)) for key in asked["Keys"]]
        return {"Responses": {table: [item for item in found if item]}, "UnprocessedKeys": {}}

    def _query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        ConsistentRead: bool = False,
        ExclusiveStartKey: Stored | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        expression = _Expression(more)
        after = key_of(ExclusiveStartKey) if ExclusiveStartKey else ()
        answer: dict[str, Any] = {"Items": []}
        size = 0
        for key in sorted(self.items):
            item = self.items[key]
            if key <= after or not _holds(KeyConditionExpression, item, expression):
                continue
            answer["Items"].append(item)
            size += size_of(item)
            if size > _PAGE_BYTES:
                answer["LastEvaluatedKey"] = {name: item[name] for name in TABLE_KEY}
                break
        return {**answer, "Count": len(answer["Items"])}

    def _check(self, key: Key, more: dict[str, Any]) -> "_Expression":
        """Read the rest of a write's parameters. Raises Refused where its condition is false."""
        condition = more.pop("ConditionExpression", "")
        expression = _Expression(more)
        if condition and not _holds(condition, self.items.get(key, {}), expression):
            raise Refused("ConditionalCheckFailedException")
        return expression


class _Expression:
    """What stands for names and values in an expression."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._names = params.get("ExpressionAttributeNames", {})
        self._values = params.get("ExpressionAttributeValues", {})
        unknown = set(params) - _TOLD - {"ExpressionAttributeNames", "ExpressionAttributeValues"}
        assert not unknown, f"the quick table does not know {unknown}"

    def name(self, word: str) -> str:
        return str(self._names[word]) if word.startswith("#") else word

    def value(self, word: str, item: Stored) -> dict[str, Any] | None:
        return self._values[word] if word.startswith(":") else item.get(self.name(word))  # type: ignore[no-any-return]


def key_of(item: Mapping[str, Any]) -> Key:
    return tuple(item[name]["S"] for name in TABLE_KEY)


def _holds(condition: str, item: Stored, expression: _Expression) -> bool:
    """Say whether terms joined by AND all hold."""
    assert " OR " not in condition, condition
    assert "NOT " not in condition, condition
    return all(_term_holds(term.strip(), item, expression) for term in condition.split(" AND "))


def _term_holds(term: str, item: Stored, expression: _Expression) -> bool:
    if match := _FUNCTION.fullmatch(term):
        function, name, argument = match.groups()
        held = item.get(expression.name(name))
        match function:
            case "attribute_not_exists":
                return held is None
            case "attribute_exists":
                return held is not None
            case "begins_with":
                wanted = expression.value(argument, item) or {"S": ""}
                return held is not None and held["S"].startswith(wanted["S"])
            case "contains":
                wanted = expression.value(argument, item) or {"S": ""}
                return held is not None and wanted["S"] in held.get("SS", ())
    left, operator, right = term.split()
    one, other = (expression.value(word, item) for word in (left, right))
    if one is None or other is None:
        return operator == "<>"
    if operator in ("=", "<>"):
        return (one == other) is (operator == "=")
    return _ORDERS[operator](_plain(one), _plain(other))


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    return int(held) if kind == "N" else held


Change = Callable[[Stored, _Expression], None]


@cache
def _changes(text: str) -> tuple[Change, ...]:
    parts = _SECTIONS.split(text)
    assert not parts[0].strip(), text
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return tuple(change for kind, body in pairs for change in _changes_of(kind, body))


def _changes_of(kind: str, body: str) -> Iterator[Change]:
    for clause in re.split(r",(?![^(]*\))", body):
        words = clause.strip()
        match kind:
            case "SET":
                name, _, value = words.partition("=")
                yield _setting(name.strip(), value.strip())
            case "REMOVE":
                yield lambda item, said, name=words: item.pop(said.name(name), None)  # type: ignore[misc]
            case "ADD" | "DELETE":
                name, value = words.split()
                yield _adding(name, value, sign=1 if kind == "ADD" else -1)


def _setting(name: str, value: str) -> Change:
    def set_to(item: Stored, said: _Expression) -> None:
        item[said.name(name)] = _computed(value, item, said)

    return set_to


def _computed(text: str, item: Stored, said: _Expression) -> dict[str, Any]:
    if " + " in text:
        one, other = (_computed(each.strip(), item, said) for each in text.split(" + "))
        return {"N": str(int(one["N"]) + int(other["N"]))}
    match = _FUNCTION.fullmatch(text)
    if match is None:
        found = said.value(text, item)
        assert found is not None, f"{text} has no value"
        return found
    function, name, argument = match.groups()
    held, given = item.get(said.name(name)), said.value(argument, item) or {}
    match function:
        case "list_append":
            return {"L": [*(held or {"L": []})["L"], *given["L"]]}
        case "if_not_exists":
            return held if held is not None else given
    raise AssertionError(f"the quick table does not know {function}")


def _adding(name: str, value: str, *, sign: int) -> Change:
    def add(item: Stored, said: _Expression) -> None:
        held, given = item.get(said.name(name)), said.value(value, item) or {}
        ((kind, of),) = given.items()
        if kind == "N":
            item[said.name(name)] = {"N": str(int((held or {"N": "0"})["N"]) + sign * int(of))}
            return
        there = set((held or {kind: ()})[kind])
        kept = sorted(there | set(of) if sign > 0 else there - set(of))
        item.pop(said.name(name), None)
        if kept:
            item[said.name(name)] = {kind: kept}

    return add

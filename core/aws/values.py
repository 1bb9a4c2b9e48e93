"""DynamoDB's words for values, there and back, for the kinds of value that a record holds.

boto3 has the same, by way of decimals of 38 digits: with them, reading a page of a thousand jobs takes four
times as long, and boto3 itself has to be imported, which an operator waits for at each command.
"""

from collections.abc import Mapping
from typing import Any


def packed(item: Mapping[str, Any]) -> dict[str, Any]:
    """Write an item; a field of None is not stored."""
    return {name: _packed(value) for name, value in item.items() if value is not None}


def unpacked(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read an item. Numbers are whole: no others are ever stored."""
    return {name: _unpacked(value) for name, value in item.items()}


def _packed(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case Mapping():
            return {"M": {name: _packed(each) for name, each in value.items()}}
        case list() | tuple():
            return {"L": [_packed(each) for each in value]}
        case set() | frozenset() if value and all(isinstance(each, str) for each in value):
            return {"SS": sorted(value)}
    raise TypeError(f"a record holds no {type(value).__name__}")


def _unpacked(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    match kind:
        case "S" | "BOOL":
            return held
        case "N":
            return int(held)
        case "M":
            return unpacked(held)
        case "L":
            return [_unpacked(each) for each in held]
        case "SS":
            return set(held)
        case "NULL":
            return None
    raise TypeError(f"a record holds no value of DynamoDB's kind {kind}")

"""The JSON object in a model's answer, whatever stands around it and also where it was cut off. Pure.

Models put JSON into fences, write prose before it, leave a comma before a bracket, break lines inside
strings, and stop at their token limit. All of it is read in time linear in the answer's length.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_MOST_STARTS = 50  # each costs a look at what is left
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_DECODER = json.JSONDecoder(strict=False)
_CLOSING = {"{": "}", "[": "]"}


def json_object_in(answer: str, keys: Sequence[str]) -> Mapping[str, Any] | None:
    """Return the object that has most of these keys; None if none has any."""
    best: tuple[int, int] = (0, 0)
    found: Mapping[str, Any] | None = None
    for value, length in _objects(answer):
        rank = (sum(key in value for key in keys), length)
        if rank[0] and rank > best:
            best, found = rank, value
    return found


def _objects(answer: str) -> list[tuple[Mapping[str, Any], int]]:
    objects: list[tuple[Mapping[str, Any], int]] = []
    at = answer.find("{")
    first_broken = -1
    for _ in range(_MOST_STARTS):
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(answer, at)
        except (ValueError, RecursionError):
            first_broken = at if first_broken < 0 else first_broken
            at = answer.find("{", at + 1)
            continue
        if isinstance(value, Mapping):
            objects.append((value, end - at))
        at = answer.find("{", end)
    if first_broken >= 0 and (mended := _mended(answer[first_broken:])):
        objects.append(mended)
    return objects


def _mended(text: str) -> tuple[Mapping[str, Any], int] | None:
    """Read an object that was cut off or has commas too many: up to its last whole entry."""
    end, closing = _last_whole_entry(text)
    try:
        value = _DECODER.decode(_TRAILING_COMMA.sub("", text[:end] + closing))
    except (ValueError, RecursionError):
        return None
    return (value, end) if isinstance(value, Mapping) else None


def _last_whole_entry(text: str) -> tuple[int, str]:
    """Return where the last whole entry ends, and the brackets that are open there."""
    stack: list[str] = []
    in_string = escaped = False
    end, closing = 0, ""
    for at, sign in enumerate(text):
        if in_string:
            in_string = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            in_string = True
        elif sign in "{[":
            stack.append(sign)
        elif sign in "}]":
            if not stack or _CLOSING[stack.pop()] != sign:
                break
            end, closing = at + 1, _closed(stack)
            if not stack:
                break
        elif sign == ",":
            end, closing = at, _closed(stack)
    return end, closing


def _closed(stack: Sequence[str]) -> str:
    return "".join(_CLOSING[sign] for sign in reversed(stack[-64:]))

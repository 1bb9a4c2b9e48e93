"""The functions' logs, line by line as they wrote them: JSON where it is ours, else text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cli.operating.desk import Desk

FUNCTIONS: Mapping[str, str] = {
    "submitter": "SubmitterFunction",
    "receiver": "WebhookReceiverFunction",
    "sweeper": "SweeperFunction",
    "notifier": "NotifierFunction",
    "sender": "WebhookSenderFunction",  # where there is a webhook
}
# What a line of trouble holds: ours by its level, Lambda's own by its record, any other by its words.
_LEVELS = frozenset({"WARNING", "ERROR", "CRITICAL"})
_ENDS = frozenset({"timeout", "error", "failure"})
_WORDS = ("Task timed out", "Runtime exited", "errorType", "Traceback")
_CONDITIONS = " || ".join(  # the functions log JSON, as the template says
    f'$.{field} = "{value}"'
    for field, values in (("level", _LEVELS), ("record.status", _ENDS))
    for value in sorted(values)
)
_TROUBLE = f"{{ {_CONDITIONS} }}"
MOST_PAGES = 50  # of ten thousand lines or 1 MB; a day of many jobs has a few


@dataclass(frozen=True, kw_only=True)
class Line:
    at: datetime
    function: str
    message: str

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """What a structured line holds; nothing of any other."""
        try:
            held = json.loads(self.message)
        except ValueError:
            return {}
        return held if isinstance(held, dict) else {}

    @property
    def is_trouble(self) -> bool:
        """Is it a warning or an error, or Lambda's report of an invocation that failed?"""
        if not self.fields:
            return any(word in self.message for word in _WORDS)
        record = self.fields.get("record")
        ended = record.get("status") if isinstance(record, dict) else None
        return self.fields.get("level") in _LEVELS or ended in _ENDS


class Truncated(Exception):
    """There is more than is read at once."""


def troubles(desk: Desk, function: str, *, since: datetime) -> Iterator[Line]:
    """Yield a function's warnings and errors, the oldest first. Raises Truncated after many pages."""
    found = _found(desk, function, pattern=_TROUBLE, since=since)
    yield from (line for line in found if line.is_trouble)


def lines(
    desk: Desk, function: str, *, holding: str, since: datetime, until: datetime | None = None
) -> Iterator[Line]:
    """Yield a function's lines that hold a word, the oldest first. Raises Truncated after many pages."""
    found = _found(desk, function, pattern=f'"{holding}"', since=since, until=until)
    yield from (line for line in found if holding in line.message)


def _found(
    desk: Desk, function: str, *, pattern: str, since: datetime, until: datetime | None = None
) -> Iterator[Line]:
    """Yield what a filter pattern finds, and more on an emulator, which may take no notice of it."""
    name = desk.deployment.outputs.get(FUNCTIONS[function])
    if name is None:  # this stack has none
        return
    group = f"/aws/lambda/{name}"
    wanted: dict[str, Any] = {
        "logGroupName": group,
        "startTime": _epoch_ms(since),
        "filterPattern": pattern,
    }
    if until:
        wanted["endTime"] = _epoch_ms(until)
    logs = desk.deployment.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(**wanted)
    try:
        for number, page in enumerate(pages):
            if number == MOST_PAGES:
                raise Truncated
            for event in page["events"]:
                yield Line(
                    at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                    function=function,
                    message=event["message"].rstrip(),
                )
    except logs.exceptions.ResourceNotFoundException:
        return  # it has not run yet


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)

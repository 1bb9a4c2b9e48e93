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


class Truncated(Exception):
    """There is more than is read at once."""


def lines(
    desk: Desk, function: str, *, holding: str, since: datetime, until: datetime | None = None
) -> Iterator[Line]:
    """Yield a function's lines that hold a word, the oldest first. Raises Truncated after many pages."""
    name = desk.deployment.outputs.get(FUNCTIONS[function])
    if name is None:  # this stack has none
        return
    group = f"/aws/lambda/{name}"
    wanted: dict[str, Any] = {
        "logGroupName": group,
        "startTime": _epoch_ms(since),
        "filterPattern": f'"{holding}"',
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
                if holding in event["message"]:  # an emulator may take no notice of the pattern
                    yield Line(
                        at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                        function=function,
                        message=event["message"].rstrip(),
                    )
    except logs.exceptions.ResourceNotFoundException:
        return  # it has not run yet


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)

"""An event of EventBridge as the body of a webhook, in the shape of Standard Webhooks. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.notices.notice import FAILED, PUBLISHED, SOURCE, TEST, VERSION

TYPES = {PUBLISHED: "summary.published", FAILED: "summary.failed", TEST: "notice.test"}


class NoNotice(Exception):
    """A message of the queue that is no event of ours."""


@dataclass(frozen=True, kw_only=True)
class Message:
    id: str  # the same in every try, and if it is replayed
    job_id: str  # "" of a test
    body: str


def message_of(event: Mapping[str, Any]) -> Message:
    """Return what is sent of an event. Raises NoNotice."""
    try:
        detail = event["detail"]
        is_ours = event["source"] == SOURCE
        payload = {
            "type": TYPES[event["detail-type"]],
            "timestamp": event["time"],  # when it happened; when it was sent is a header
            "data": detail,
        }
        message_id = detail["id"]
    except (KeyError, TypeError) as exc:
        raise NoNotice("no event of ours") from exc
    if not is_ours:
        raise NoNotice("no event of ours")
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Message(id=message_id, job_id=detail.get("job_id", ""), body=body)


def trial_event(test_id: str, *, stack: str, now: datetime) -> dict[str, Any]:
    """Return an event that tells nothing but that it arrived."""
    return {
        "source": SOURCE,
        "detail-type": TEST,
        "time": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "detail": {"version": VERSION, "id": f"test-{test_id}", "stack": stack},
    }

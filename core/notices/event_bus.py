"""Notices on their way to EventBridge, where whoever wants them has a rule."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import NoticesNotTaken
from core.notices.notice import SOURCE, Notice

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MOST_AT_ONCE = 10  # what one PutEvents takes
# What EventBridge says of an entry that it would refuse each time.
_NEVER = frozenset(
    {
        "InvalidArgument",
        "InvalidAccountIdException",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
    }
)


class EventBus:
    """The account's default bus."""

    def __init__(self, client: "EventBridgeClient") -> None:
        self._client = client

    def put(self, notices: Sequence[Notice]) -> Mapping[str, str]:
        """Send notices, and return by id those that EventBridge will never take, with its code.

        Raises NoticesNotTaken if it may take others of them next time.
        """
        refused: dict[str, str] = {}
        for first in range(0, len(notices), MOST_AT_ONCE):
            refused |= self._put(notices[first : first + MOST_AT_ONCE])
        later = {code for code in refused.values() if code not in _NEVER}
        if later:
            raise NoticesNotTaken(f"EventBridge did not take notices: {', '.join(sorted(later))}")
        return refused

    def _put(self, notices: Sequence[Notice]) -> dict[str, str]:
        try:
            answer = self._client.put_events(Entries=[_entry(notice) for notice in notices])
        except ClientError as exc:
            code = exc.response["Error"]["Code"]
            raise NoticesNotTaken(f"EventBridge did not take notices: {code}") from exc
        except BotoCoreError as exc:
            raise NoticesNotTaken(
                f"EventBridge did not take notices: {type(exc).__name__}"
            ) from exc
        return {
            notice.id: entry["ErrorCode"]
            for notice, entry in zip(notices, answer["Entries"], strict=True)
            if entry.get("ErrorCode")
        }


def _entry(notice: Notice) -> "PutEventsRequestEntryTypeDef":
    return {
        "Source": SOURCE,
        "DetailType": notice.kind,
        "Time": notice.at,
        "Detail": json.dumps(notice.detail, ensure_ascii=False),
    }

"""Writes to DynamoDB that others are in the way of.

DynamoDB rejects a write for two different reasons. A false condition says what is recorded. A transaction
in progress says nothing, as it may still be cancelled: such a write is repeated a few times, and then it
is a Conflict.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from core.errors import Conflict

CONDITION_FALSE = "ConditionalCheckFailed"
# What DynamoDB says, of a write or of one item of a transaction, that says nothing about what is recorded.
_IN_THE_WAY = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)
_MOST_TRIES = 5  # of one write
_FIRST_PAUSE_SECONDS = 0.05  # doubled from try to try, up to half as much again for chance

T = TypeVar("T")


def persistently(write: Callable[[], T], *, sleep: Callable[[float], None]) -> T:
    """Write, and again while others are in the way of it. Raises Conflict if they stay there."""
    pause_seconds = _FIRST_PAUSE_SECONDS
    for tries_left in reversed(range(_MOST_TRIES)):
        try:
            return write()
        except ClientError as exc:
            if not _is_in_the_way(exc):
                raise
            if not tries_left:
                raise Conflict("others were writing to the same job; try again") from exc
        # Chance keeps two writers apart that have met once; it guards no secret.
        sleep(pause_seconds * (1 + random.random() / 2))  # noqa: S311
        pause_seconds *= 2
    raise AssertionError("the last try returns or raises")


def reasons_of(exc: ClientError) -> list[str]:
    """Return why a transaction was cancelled, item by item in its own order; [] for any other error."""
    return [reason.get("Code", "") for reason in exc.response.get("CancellationReasons", [])]


def _is_in_the_way(exc: ClientError) -> bool:
    """Was a write turned away for another one, with no condition of its own known to be false?"""
    reasons = reasons_of(exc)
    if CONDITION_FALSE in reasons:
        return False
    return not _IN_THE_WAY.isdisjoint({*reasons, exc.response["Error"]["Code"]})

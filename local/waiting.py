"""Polls for a condition, with a timeout."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

_T = TypeVar("_T")


class NotInTime(Exception):
    """The condition did not come true in time."""


def wait_for(
    probe: Callable[[], _T | None],
    *,
    what: str,
    timeout_seconds: float,
    every_seconds: float = 0.1,
) -> _T:
    """Return the first thing `probe` returns that is not None. Raises NotInTime, naming `what`."""
    attempts = Retrying(
        retry=retry_if_result(lambda found: found is None),
        stop=stop_after_delay(timeout_seconds),
        wait=wait_fixed(every_seconds),
    )
    try:
        found = attempts(probe)
    except RetryError:
        raise NotInTime(f"{what}: not within {timeout_seconds:g} seconds") from None
    if found is None:  # for the type checker: tenacity returns only what is not retried
        raise NotInTime(what)
    return found

"""When a webhook is tried again: eleven tries in about 22 hours, then it is given up. Pure."""

from datetime import timedelta

# Seconds to hours, as Standard Webhooks recommends. SQS hides a message for 12 hours at most.
_PAUSES_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 28_800)
MOST_TRIES = len(_PAUSES_SECONDS) + 1
_LONGEST_JITTER = 0.1  # of a pause


def pause_after(tries: int, *, chance: float) -> timedelta | None:
    """Return how long to wait after so many failed tries; None if that was the last.

    `chance`, from 0 to 1, makes it up to a tenth longer: what failed together is not tried together.
    """
    if tries >= MOST_TRIES:
        return None
    seconds = _PAUSES_SECONDS[max(tries, 1) - 1] * (1 + _LONGEST_JITTER * chance)
    return timedelta(seconds=round(seconds))

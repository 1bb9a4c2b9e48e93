"""What a sweep found, as lines and figures: each look as it ends, and all of them at the sweep's end."""

from collections import Counter

from core.telemetry import Metric, count, logger, measure
from sweeper.results import SweepOutcome, SweepResult

# What the sweep has changed; of the rest nothing need be told.
_TOLD = frozenset(
    {
        SweepOutcome.LOST_CALLBACK,
        SweepOutcome.TAKEN_OVER,
        SweepOutcome.RESENT,
        SweepOutcome.GIVEN_UP,
    }
)


class SweepReport:
    def __init__(self) -> None:
        self.found: Counter[SweepOutcome] = Counter()
        self._key_errors: set[str] = set()

    def add(self, result: SweepResult) -> None:
        self.found[result.outcome] += 1
        self._key_errors |= {result.key_error} - {""}
        extra = {"job_id": result.job_id, "call_id": result.call_id}
        if result.error:
            logger.error("swept: %s", result.outcome, exc_info=result.error, extra=extra)
        elif result.outcome in _TOLD:
            logger.info("swept: %s", result.outcome, extra=extra)

    def close(self, *, seconds_left: float) -> None:
        if self._key_errors:
            logger.error("RunPod can't be asked: %s", "; ".join(sorted(self._key_errors)))
        for _ in range(self.found[SweepOutcome.LOST_CALLBACK]):
            measure(Metric.CALLBACKS_LOST, 1)  # where the receiver's samples are 0
        count(Metric.CALLS_RESENT, self.found[SweepOutcome.RESENT])
        count(Metric.CALLS_GIVEN_UP, self.found[SweepOutcome.GIVEN_UP])
        count(Metric.CALLS_SWEPT, self.found.total())
        logger.info("swept", extra={"found": dict(self.found), "seconds_left": seconds_left})

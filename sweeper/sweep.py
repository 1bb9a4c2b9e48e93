"""The sweeper's use case: look at every call and job that is due, and at no other.

RunPod keeps a result for 30 minutes and calls back for 20 seconds, so this is what makes the system
correct; the callback is what makes it fast.

Looks need no RunPod (sweeper/looks.py), polls do (sweeper/polling.py). The two have lanes of their own, so
that a RunPod that hangs holds up no look that needs none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from core.jobs.ports import JobStore
from sweeper.lanes import Circuit, Lane, as_completed
from sweeper.looks import Looks
from sweeper.polling import Polling
from sweeper.results import Due, Polls, SweepOutcome, SweepResult

_LOOK_THREADS = 8
_LOOK_SECONDS = 10.0  # two or three requests to DynamoDB and SQS
_POLL_THREADS = 16
# An answer of RunPod (10 s, or 15 to find no connection), then a result to publish or a request to cancel.
_POLL_SECONDS = 35.0
# More than there are threads: some requests that hang occupy them all without RunPod being away.
_FAILURES_IN_A_ROW = 20


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    store: JobStore
    looks: Looks
    polling: Polling
    clock: Callable[[], datetime]

    def sweep(
        self, *, pace: Callable[[], None], seconds_left: Callable[[], float]
    ) -> Iterator[SweepResult]:
        """Look at every due call while there is time, several at once; yield as they end.

        `pace` returns when RunPod may be asked next. A call that can't be looked at holds up no other:
        what went wrong is raised at the end.
        """
        errors: list[Exception] = []
        circuit = Circuit(failures_in_a_row=_FAILURES_IN_A_ROW)
        looks: Lane[SweepResult | Polls | Due] = Lane(_LOOK_THREADS, longest_seconds=_LOOK_SECONDS)
        polls: Lane[SweepResult | Polls | Due] = Lane(
            _POLL_THREADS, longest_seconds=_POLL_SECONDS, pace=pace
        )
        looks.add(lambda: Due(list(self.store.due(self.clock()))))
        try:
            for future in as_completed((looks, polls), seconds_left):
                error = future.exception()
                if isinstance(error, Exception):
                    errors.append(error)
                    continue
                match future.result():
                    case SweepResult() as result:
                        errors += [result.error] if result.error else []
                        yield result
                    case Due(found):
                        for job_id, call_id in found:
                            look = partial(self.looks.look, job_id, call_id)
                            looks.add(_about(job_id, call_id, look))
                    case Polls(wanted):
                        for poll in wanted:
                            ask = partial(self.polling.poll, poll, circuit)
                            polls.add(_about(poll.job.id, poll.call.id, ask))
        finally:
            looks.stop()
            polls.stop()
        yield from [SweepResult(SweepOutcome.LEFT)] * polls.unfinished
        if errors:
            raise ExceptionGroup(f"{len(errors)} due calls could not be looked at", errors)


def _about(
    job_id: str, call_id: str, work: Callable[[], SweepResult | Polls]
) -> Callable[[], SweepResult | Polls | Due]:
    """Return work whose result says whom it was about, also where it raises."""

    def named() -> SweepResult | Polls:
        try:
            result = work()
        except Exception as exc:
            return SweepResult(SweepOutcome.BROKEN, job_id=job_id, call_id=call_id, error=exc)
        if isinstance(result, SweepResult):
            return replace(result, job_id=job_id, call_id=call_id)
        return result

    return named

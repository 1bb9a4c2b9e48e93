"""The sweeper's use case: look at every call and job that is due, and at no other.

RunPod keeps a result for 30 minutes and calls back for 20 seconds, so this is what makes the system
correct; the callback is what makes it fast.

What is due is read in batches, longest overdue first, each when there is room for it (sweeper/reading.py):
so as much is read as there is time for, and nothing waits long between being read and being done. Looks
need no RunPod (sweeper/looks.py), polls do (sweeper/polling.py), and of cancelling RunPod takes a
twentieth. The three have lanes of their own, so that none holds up another. What a sweep has no time for
stays due, and comes first in the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from core.jobs.decide import is_left_behind
from core.jobs.ports import JobStore
from sweeper.lanes import Circuit, Lane, as_completed
from sweeper.looks import Looks
from sweeper.polling import Polling
from sweeper.reading import Reading
from sweeper.results import Cancelled, Due, Poll, Polls, SweepOutcome, SweepResult

_LOOK_THREADS = 8
_LOOK_SECONDS = 10.0  # two or three requests to DynamoDB and SQS
# At 170 polls a second, each of which may take 280 ms with what is written after it.
_POLL_THREADS = 48
# An answer of RunPod (10 s, or 15 to find no connection), then a result to publish or a request to cancel.
_POLL_SECONDS = 35.0
_CANCEL_THREADS = 4
# More than there are threads: some requests that hang occupy them all without RunPod being away.
_FAILURES_IN_A_ROW = 60
# Calls that wait for a poll while more are read: some seconds' worth.
_MOST_WAITING = 500

Found: TypeAlias = SweepResult | Polls | Due | Cancelled


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    store: JobStore
    looks: Looks
    polling: Polling
    clock: Callable[[], datetime]

    def sweep(
        self,
        *,
        pace: Callable[[], None],
        seconds_left: Callable[[], float],
        cancel_pace: Callable[[], None] = lambda: None,
    ) -> Iterator[SweepResult]:
        """Look at every due call while there is time, several at once; yield as they end.

        `pace` returns when RunPod may be asked next, and `cancel_pace` when it may be asked to cancel.
        A call that can't be looked at holds up no other: what went wrong is raised at the end.
        """
        errors: list[Exception] = []
        run = _Run(self, pace, cancel_pace)
        run.read()
        try:
            for future in as_completed(run.lanes, seconds_left):
                error = future.exception()
                if isinstance(error, Exception):
                    errors.append(error)
                    continue
                found = future.result()
                run.follow_up(found)
                if isinstance(found, SweepResult):
                    errors += [found.error] if found.error else []
                    yield found
        finally:
            for lane in run.lanes:
                lane.stop()
        yield from [SweepResult(SweepOutcome.LEFT)] * run.unpolled
        if errors:
            raise ExceptionGroup(f"{len(errors)} due calls could not be looked at", errors)


@dataclass
class _Run:
    """One sweep: its lanes, and what each result leads to."""

    sweeper: Sweeper
    pace: Callable[[], None]
    cancel_pace: Callable[[], None]
    _is_reading: bool = False

    def __post_init__(self) -> None:
        self._reading = Reading(self.sweeper.store, self.sweeper.clock())
        # Each its own: a RunPod that takes no more cancellations may well answer what a call's status is.
        self._poll_circuit = Circuit(failures_in_a_row=_FAILURES_IN_A_ROW)
        self._cancel_circuit = Circuit(failures_in_a_row=_FAILURES_IN_A_ROW)
        self._looks: Lane[Found] = Lane(_LOOK_THREADS, longest_seconds=_LOOK_SECONDS)
        self._polls: Lane[Found] = Lane(
            _POLL_THREADS, longest_seconds=_POLL_SECONDS, pace=self.pace
        )
        self._cancels: Lane[Found] = Lane(_CANCEL_THREADS, longest_seconds=_POLL_SECONDS)

    @property
    def lanes(self) -> tuple[Lane[Found], ...]:
        return self._looks, self._polls, self._cancels

    @property
    def unpolled(self) -> int:
        """How many were read and have waited for RunPod in vain."""
        return self._polls.unfinished + self._cancels.unfinished

    def read(self) -> None:
        """Read some more of what is due, if there is more and room for it; one read at a time."""
        room = self._polls.waiting + self._looks.waiting < _MOST_WAITING
        if room and not self._is_reading and not self._reading.is_done:
            self._is_reading = True
            self._looks.add(self._reading.next_batch)

    def follow_up(self, found: Found) -> None:
        """Do what a result leads to."""
        match found:
            case Due(items):
                self._is_reading = False
                for item in items:
                    look = partial(self.sweeper.looks.look, item)
                    self._looks.add(_about(item.job_id, item.call_id, look))
            case Polls(wanted):
                for poll in wanted:
                    self._ask(poll)
            case SweepResult(left_running=runpod_id) if runpod_id:
                cancel = partial(self.sweeper.polling.cancel, runpod_id, self._cancel_circuit)
                self._cancels.add(_in_turn(self.cancel_pace, cancel))
        self.read()

    def _ask(self, poll: Poll) -> None:
        """Ask RunPod about a call, or to cancel it."""
        polling, about = self.sweeper.polling, partial(_about, poll.job.id, poll.call.id)
        if is_left_behind(poll.job, poll.call):
            close = partial(polling.poll, poll, self._cancel_circuit)
            self._cancels.add(_in_turn(self.cancel_pace, about(close)))
        else:
            self._polls.add(about(partial(polling.poll, poll, self._poll_circuit)))


def _in_turn(pace: Callable[[], None], work: Callable[[], Found]) -> Callable[[], Found]:
    """Return work that waits for its turn in its own thread: it is slow, and others are not to wait."""

    def paced() -> Found:
        pace()
        return work()

    return paced


def _about(
    job_id: str, call_id: str, work: Callable[[], SweepResult | Polls]
) -> Callable[[], Found]:
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

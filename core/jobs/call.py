"""A call: one piece of a job's work for the model; and the only transitions between its states.

A call is tried as one or more **attempts**; an attempt is one RunPod request, with a token of its own.

    waiting ──a──► submitting ──b──► submitted      waiting, submitting, submitted ──d──► publishing
       ▲               │                 │          publishing ──h──► succeeded
       └───────c───────┴────────f────────┘          every state but the ends ──e──► failed
       └───────────────g── publishing               every state but the ends ──i──► cancelled
                                                    waiting, submitting, submitted ──j──► succeeded

    a  submitter          claims the call just before POST /run
    b  submitter          RunPod answered with its id
    c  any                RunPod did not take it, broke on it or never answered; or a secret is unusable
    d  receiver, sweeper  RunPod's result is here, from whichever attempt; from now on nobody gives up
    e  any                RunPod refused it, it failed for good, or its deadline passed
    j  receiver, sweeper  push mode: the answer is stored and counted, which nobody sees; it needs no guard
    f  receiver, sweeper  RunPod lost it or broke on it: it waits for another attempt
    g  receiver, sweeper  whoever published it died, and RunPod no longer has the result
    h  receiver, sweeper  the summary is in S3; the job succeeds in the same write
    i  any                its job has ended without it

A state that nothing leaves absorbs whatever comes later, and no other state lasts: each has a time at
which the sweeper looks. Pure: the time is always passed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.jobs.audit import AuditEvent, InvalidTransitionError


class CallState(StrEnum):
    WAITING = "waiting"  # recorded; wants a RunPod request
    SUBMITTING = "submitting"  # claimed; POST /run is under way, or its answer was lost
    SUBMITTED = "submitted"  # RunPod has it, and we know its id
    PUBLISHING = "publishing"  # the summary that RunPod's result makes is being written to S3
    SUCCEEDED = "succeeded"  # RunPod's result was taken
    FAILED = "failed"  # ended with a reason
    CANCELLED = "cancelled"  # its job ended without it


_GIVEN_UP = frozenset({CallState.FAILED, CallState.CANCELLED})
_LEFT_OFF = _GIVEN_UP | {CallState.WAITING}
_TAKEN = frozenset({CallState.PUBLISHING, CallState.SUCCEEDED})
CALL_TRANSITIONS: Mapping[CallState, frozenset[CallState]] = {
    CallState.WAITING: _GIVEN_UP | _TAKEN | {CallState.SUBMITTING},
    CallState.SUBMITTING: _LEFT_OFF | _TAKEN | {CallState.SUBMITTED},
    CallState.SUBMITTED: _LEFT_OFF | _TAKEN,
    CallState.PUBLISHING: _LEFT_OFF | {CallState.SUCCEEDED},
    CallState.SUCCEEDED: frozenset(),
    CallState.FAILED: frozenset(),
    CallState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One RunPod request."""

    number: int
    begun_at: datetime
    runpod_id: str = ""  # "" until RunPod's answer, or its callback, has brought it
    outcome: str = ""  # "" while open; then succeeded, or the code of what went wrong
    sha256: str = ""  # pull mode: of the result that was taken
    ran_ms: int = 0  # RunPod's executionTime, for which it is paid; 0 while that is not known

    @property
    def is_free(self) -> bool:
        """Is it certain that RunPod took nothing, so that no GPU can have been paid for?"""
        return self.outcome == NOT_TAKEN


SUCCEEDED = "succeeded"
NOT_TAKEN = "not-taken"
OVERFLOW = "context-length"  # the outcome that a smaller prompt may help


@dataclass(frozen=True, kw_only=True)
class Call:
    job_id: str
    id: str  # "whole": pull mode's one call; else "<stage>-<index>"
    stage: int = 0
    ask: str = ""  # what it asks, by its name in the stage's round; "" where the worker asks
    words: int = 0  # asked for; 0 where entries are
    state: CallState
    attempts: tuple[Attempt, ...] = ()
    due_at: datetime | None = None  # when the sweeper shall look; None once the call has ended
    polls: int = 0  # how often the sweeper asked about the latest attempt
    late: bool = False  # a result that came after the end was noted; it is noted once
    hold: str = ""  # why it is held: a secret that can't be used; "" once RunPod has taken it
    expires_at: datetime
    revision: int = 1
    pending_events: tuple[AuditEvent, ...] = ()

    @property
    def is_final(self) -> bool:
        return not CALL_TRANSITIONS[self.state]

    @property
    def attempt(self) -> Attempt:
        """The latest attempt."""
        return self.attempts[-1]

    @property
    def published_attempt(self) -> Attempt | None:
        """The attempt whose result is being published, or was."""
        return next((each for each in self.attempts if each.outcome == SUCCEEDED), None)

    @property
    def was_too_long(self) -> bool:
        """Did the model refuse the prompt as too long? Only this record says so, never a missing text."""
        return bool(self.attempts) and self.attempt.outcome == OVERFLOW

    @property
    def ran_ms(self) -> int:
        """How long RunPod ran for it, over all attempts it has reported."""
        return sum(attempt.ran_ms for attempt in self.attempts)

    @property
    def paid_attempts(self) -> int:
        """How many attempts may have cost GPU time."""
        return sum(not attempt.is_free for attempt in self.attempts)

    def attempt_numbered(self, number: int) -> Attempt | None:
        return next((each for each in self.attempts if each.number == number), None)

    def with_event(self, event: AuditEvent) -> Self:
        """Return the call with a line more in its audit."""
        return replace(self, pending_events=(*self.pending_events, event))

    def with_late_result(self, event: AuditEvent) -> Self:
        """Return the call with the one late result that its audit mentions."""
        return replace(self.with_event(event), late=True)

    def with_claim(self, *, due_at: datetime, event: AuditEvent) -> Self:
        """Begin the next attempt."""
        number = len(self.attempts) + 1
        moved = self._with_state(CallState.SUBMITTING, event, due_at=due_at)
        attempts = (*self.attempts, Attempt(number=number, begun_at=event.at))
        return replace(moved, attempts=attempts, polls=0)

    def with_submission(self, runpod_id: str, event: AuditEvent) -> Self:
        moved = self._with_state(CallState.SUBMITTED, event, due_at=self.due_at)
        return replace(moved, hold="").with_runpod_id(self.attempt.number, runpod_id)

    def with_hold(self, why: str, *, due_at: datetime, event: AuditEvent) -> Self:
        """Wait until a secret is mended. An attempt that was begun without it is none."""
        call = self
        if self.state is CallState.SUBMITTING:
            moved = self._with_state(CallState.WAITING, event)
            call = replace(moved, attempts=self.attempts[:-1])
        elif why != self.hold:  # noted once, however long it lasts
            call = self.with_event(replace(event, note="held"))
        return replace(call, hold=why, due_at=due_at)

    def with_wait(self, outcome: str, *, due_at: datetime, event: AuditEvent) -> Self:
        """End an attempt as `outcome` and wait for another: the latest, or whose result was published."""
        moved = replace(self._with_state(CallState.WAITING, event, due_at=due_at), hold="")
        return moved._attempt_changed(self._current_attempt.number, outcome=outcome)

    def attempt_ended(self, outcome: str) -> Self:
        """Return the call with its latest attempt ended, and still open itself."""
        return self._attempt_changed(self.attempt.number, outcome=outcome)

    def with_publishing(
        self, number: int, *, due_at: datetime, event: AuditEvent, sha256: str = ""
    ) -> Self:
        """Take attempt `number`'s result for the call's."""
        moved = self._with_state(CallState.PUBLISHING, event, due_at=due_at)
        return moved._attempt_changed(number, outcome=SUCCEEDED, sha256=sha256)

    def with_success(self, event: AuditEvent) -> Self:
        return self._with_state(CallState.SUCCEEDED, event)

    def with_answer(self, number: int, event: AuditEvent) -> Self:
        """End the call with attempt `number`'s answer, which is stored and counted."""
        return self.with_success(event)._attempt_changed(number, outcome=SUCCEEDED)

    def with_failure(self, outcome: str, event: AuditEvent) -> Self:
        moved = self._with_state(CallState.FAILED, event)
        if self.state is CallState.PUBLISHING:
            return moved._attempt_changed(self._current_attempt.number, outcome=outcome)
        if not self.attempts or self.attempt.outcome:
            return moved  # what ended the attempt was recorded when it did
        return moved._attempt_changed(self.attempt.number, outcome=outcome)

    def with_cancellation(self, event: AuditEvent) -> Self:
        return self._with_state(CallState.CANCELLED, event)

    def with_runpod_id(self, number: int, runpod_id: str) -> Self:
        """Remember which RunPod request an attempt is."""
        return self._attempt_changed(number, runpod_id=runpod_id)

    def with_run_time(self, number: int, ran_ms: int) -> Self:
        """Remember how long RunPod ran an attempt, however it ended; what was said once stands."""
        attempt = self.attempt_numbered(number)
        if attempt is None or attempt.ran_ms or not ran_ms:
            return self
        return self._attempt_changed(number, ran_ms=ran_ms)

    def with_poll(self, *, due_at: datetime) -> Self:
        """Count one look at RunPod's status and set the next."""
        return replace(self, polls=self.polls + 1, due_at=due_at)

    def with_due_at(self, due_at: datetime) -> Self:
        return replace(self, due_at=due_at)

    def _with_state(
        self, state: CallState, event: AuditEvent, due_at: datetime | None = None
    ) -> Self:
        if state not in CALL_TRANSITIONS[self.state]:
            raise InvalidTransitionError(
                f"call {self.id} of job {self.job_id}: {self.state} -> {state}"
            )
        moved = replace(event, from_state=self.state.value, to_state=state.value)
        return replace(
            self, state=state, due_at=due_at, pending_events=(*self.pending_events, moved)
        )

    @property
    def _current_attempt(self) -> Attempt:
        """The attempt that the call's state is about."""
        is_publishing = self.state is CallState.PUBLISHING
        return (self.published_attempt if is_publishing else None) or self.attempt

    def _attempt_changed(self, number: int, **changes: str | int) -> Self:
        return replace(
            self,
            attempts=tuple(
                replace(each, **changes) if each.number == number else each  # type: ignore[arg-type]
                for each in self.attempts
            ),
        )


def is_result(event: AuditEvent) -> bool:
    """Was RunPod's result taken by this transition of a call? It carries RunPod's figures then."""
    return event.to_state in _TAKEN and event.from_state in {
        CallState.WAITING,
        CallState.SUBMITTING,
        CallState.SUBMITTED,
    }


def retry_delay(attempts: int) -> timedelta:
    """Return how long a call waits for its next attempt: 5, 10, 20 ... 300 seconds."""
    return timedelta(seconds=min(5 * 2 ** max(attempts - 1, 0), 300))

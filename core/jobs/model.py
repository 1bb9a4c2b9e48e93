"""A job, its calls, and the only moves between their states.

A **job** is one transcript at one version. It has one or more **calls**; a call is one piece of work
for the model. A call is tried as one or more **attempts**; an attempt is one RunPod request, with a
token of its own.

    waiting ──a──► submitting ──b──► submitted      waiting, submitting, submitted ──d──► publishing
       ▲               │                 │          publishing ──h──► succeeded
       └───────c───────┴────────f────────┘          every state but the ends ──e──► failed
       └───────────────g── publishing               every state but the ends ──i──► cancelled

    a  submitter          claims the call just before POST /run
    b  submitter          RunPod answered with its id
    c  submitter          RunPod did not take it: it waits for another attempt, or is held for a secret
    d  receiver, sweeper  RunPod's result is here, from whichever attempt; from now on nobody gives up
    e  any                RunPod refused it, it failed for good, or its deadline passed
    f  receiver, sweeper  RunPod lost it or broke on it: it waits for another attempt
    g  sweeper            whoever published it died, and RunPod has the result no more
    h  receiver, sweeper  the summary is in S3; the job succeeds in the same write
    i  receiver, sweeper  its job has ended without it

    job   active ──h──► succeeded
                 ──e──► failed

States that nothing leaves absorb whatever comes later, and no other state lasts: past its deadline and
a bounded patience a job ends, also where it is being published and S3 refuses (core/jobs/refusals.py).

What a job was planned with is part of it: its request and its limits. Pure: the time is always passed in.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.summaries.options import SummaryOptions
from core.summaries.plans import Limits, Task


class JobState(StrEnum):
    ACTIVE = "active"  # recorded; its calls are on their way
    SUCCEEDED = "succeeded"  # its summary is in S3
    FAILED = "failed"  # ended with a reason


class CallState(StrEnum):
    WAITING = "waiting"  # recorded; wants a RunPod request
    SUBMITTING = "submitting"  # claimed; POST /run is under way, or its answer was lost
    SUBMITTED = "submitted"  # RunPod has it, and we know its id
    PUBLISHING = "publishing"  # RunPod's result is being written to S3
    SUCCEEDED = "succeeded"  # RunPod's result was taken
    FAILED = "failed"  # ended with a reason
    CANCELLED = "cancelled"  # its job ended without it


JOB_TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.ACTIVE: frozenset({JobState.SUCCEEDED, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
}

_GIVEN_UP = frozenset({CallState.FAILED, CallState.CANCELLED})
_LEFT_OFF = _GIVEN_UP | {CallState.WAITING}
CALL_TRANSITIONS: Mapping[CallState, frozenset[CallState]] = {
    CallState.WAITING: _GIVEN_UP | {CallState.SUBMITTING, CallState.PUBLISHING},
    CallState.SUBMITTING: _LEFT_OFF | {CallState.SUBMITTED, CallState.PUBLISHING},
    CallState.SUBMITTED: _LEFT_OFF | {CallState.PUBLISHING},
    CallState.PUBLISHING: _LEFT_OFF | {CallState.SUCCEEDED},
    CallState.SUCCEEDED: frozenset(),
    CallState.FAILED: frozenset(),
    CallState.CANCELLED: frozenset(),
}


class InvalidTransitionError(AssertionError):
    """The program tried a move that the table does not hold: a bug, never an input's fault."""


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One line of the audit: never changed, never removed."""

    at: datetime
    by: str  # submitter, webhook_receiver, sweeper
    what: str  # "submitting -> submitted", or what was noted without a move
    why: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)  # units are in the names


def in_order(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Return an audit oldest first; what one instant brought ends with the job's own move."""
    return sorted(events, key=lambda event: (event.at, event.what.startswith(JobState.ACTIVE)))


@dataclass(frozen=True, kw_only=True)
class Source:
    """The uploaded object, at one version."""

    bucket: str
    key: str
    version_id: str = ""  # "" in a bucket without versions
    etag: str = ""
    sequencer: str = ""  # S3's order of the writes to one key, as hexadecimal text
    size_bytes: int = 0
    uploaded_at: datetime

    def is_older_than(self, uploaded_at: datetime, sequencer: str) -> bool:
        """Was this version of the key written before the other one?

        Sequencers of one key compare as text once the shorter is padded on the right (S3's
        documentation of its event message); without them the event's time decides.
        """
        if self.sequencer and sequencer:
            width = max(len(self.sequencer), len(sequencer))
            return self.sequencer.ljust(width, "0") < sequencer.ljust(width, "0")
        return self.uploaded_at < uploaded_at


def job_id_for(source: Source) -> str:
    """Return the id that every announcement of this upload leads to: 32 hexadecimal characters.

    A version id names a version. Without one the ETag and the sequencer do, so that the same
    bytes uploaded again are a new job and a repeated event is not.
    """
    version = source.version_id or f"{source.etag}\0{source.sequencer}"
    name = "\0".join((source.bucket, source.key, version))
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


JOINED = "joined"  # stands for the call where a summary was put together from several calls' texts


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What RunPod produced and where it is: counts and names, never the text."""

    call_id: str
    attempt: int  # 0 where it was joined
    runpod_id: str
    model: str
    words: int
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str  # "length" means that the model was cut off


@dataclass(frozen=True, kw_only=True)
class Job:
    id: str
    state: JobState
    source: Source
    options: SummaryOptions
    limits: Limits  # what one of its requests may hold, whatever a later deployment allows
    summary_key: str
    words_in: int  # 0 in pull mode until the worker has told
    target_words: int  # the words asked for, or in proportion where the transcript is short
    created_at: datetime
    deadline: datetime  # past it the sweeper gives the job up
    expires_at: datetime  # past it DynamoDB may delete the record
    finished_at: datetime | None = None
    reason_code: str = ""  # why it failed; stable, for machines
    reason: str = ""  # the same for a person
    summary: Summary | None = None
    stage: int = 0  # counts the stages of calls, see core/summaries/plans.py
    slots: tuple[
        str, ...
    ] = ()  # the calls whose texts, in this order, are what the stages made so far
    stage_calls: int = 0  # how many calls the current stage has
    done: frozenset[str] = frozenset()  # those of them whose results are there
    repairs: int = 0  # rounds of repair
    is_joining: bool = False  # the texts are being joined and published: nobody gives up any more
    # When the sweeper shall look whether the next stage was lost, or what a failed job left running.
    due_at: datetime | None = None
    revision: int = 1  # counts the writes; a write holds only on the revision it was decided on
    pending_events: tuple[AuditEvent, ...] = ()  # audit lines not yet written

    @property
    def is_final(self) -> bool:
        return not JOB_TRANSITIONS[self.state]

    @property
    def is_stage_done(self) -> bool:
        return self.stage_calls > 0 and len(self.done) >= self.stage_calls

    def with_event(self, event: AuditEvent) -> Self:
        """Return the job with a line more in its audit."""
        return replace(self, pending_events=(*self.pending_events, event))

    def with_counts(self, *, words_in: int, target_words: int, repairs: int) -> Self:
        """Take down what the worker of pull mode has counted."""
        return replace(self, words_in=words_in, target_words=target_words, repairs=repairs)

    def with_stage(
        self,
        slots: Sequence[str],
        *,
        stage: int,
        stage_calls: int,
        repairs: int,
        due_at: datetime | None,
        event: AuditEvent | None,
    ) -> Self:
        """Begin a stage of calls."""
        changed = replace(
            self,
            stage=stage,
            slots=tuple(slots),
            stage_calls=stage_calls,
            done=frozenset(),
            repairs=repairs,
            due_at=due_at,
        )
        return changed.with_event(event) if event else changed

    def with_joining(self, *, due_at: datetime, event: AuditEvent) -> Self:
        return replace(self.with_event(event), is_joining=True, due_at=due_at)

    def with_due_at(self, due_at: datetime | None) -> Self:
        return replace(self, due_at=due_at)

    def prolonged(self, deadline: datetime) -> Self:
        """Move the deadline on: a call is held, for what is not the job's fault."""
        return replace(self, deadline=max(deadline, self.deadline))

    def with_success(self, summary: Summary, event: AuditEvent) -> Self:
        return replace(self._with_state(JobState.SUCCEEDED, event), summary=summary)

    def with_failure(self, code: str, event: AuditEvent) -> Self:
        return replace(self._with_state(JobState.FAILED, event), reason_code=code, reason=event.why)

    def _with_state(self, state: JobState, event: AuditEvent) -> Self:
        if state not in JOB_TRANSITIONS[self.state]:
            raise InvalidTransitionError(f"job {self.id}: {self.state} -> {state}")
        moved = replace(event, what=f"{self.state} -> {state}")
        # Others of a stage's calls may be running: the sweeper cancels them, whoever failed the job.
        leaves_open = state is JobState.FAILED and self.stage_calls > 1 and not self.is_stage_done
        due_at = event.at if leaves_open else None
        return replace(
            self,
            state=state,
            finished_at=event.at,
            due_at=due_at,
            pending_events=(*self.pending_events, moved),
        )


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One RunPod request."""

    number: int
    begun_at: datetime
    runpod_id: str = ""  # "" until RunPod's answer, or its callback, has told
    outcome: str = ""  # "" while open; then succeeded, or the code of what went wrong
    sha256: str = ""  # pull mode: of the result that was taken

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
    id: str  # "whole": the one call of a job whose transcript fits the model; else "<stage>-<index>"
    stage: int = 0
    task: Task
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
    def paid_attempts(self) -> int:
        """How many attempts may have cost GPU time."""
        return sum(not attempt.is_free for attempt in self.attempts)

    def attempt_numbered(self, number: int) -> Attempt | None:
        return next((each for each in self.attempts if each.number == number), None)

    def with_event(self, event: AuditEvent) -> Self:
        """Return the call with a line more in its audit."""
        return replace(self, pending_events=(*self.pending_events, event))

    def with_late_result(self, event: AuditEvent) -> Self:
        """Return the call with the one late result that its audit tells of."""
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
        elif why != self.hold:  # told once, however long it lasts
            call = self.with_event(replace(event, what="held"))
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
        moved = replace(event, what=f"{self.state} -> {state}")
        return replace(
            self, state=state, due_at=due_at, pending_events=(*self.pending_events, moved)
        )

    @property
    def _current_attempt(self) -> Attempt:
        """The attempt that the call's state is about."""
        is_publishing = self.state is CallState.PUBLISHING
        return (self.published_attempt if is_publishing else None) or self.attempt

    def _attempt_changed(self, number: int, **changes: str) -> Self:
        return replace(
            self,
            attempts=tuple(
                replace(each, **changes) if each.number == number else each  # type: ignore[arg-type]
                for each in self.attempts
            ),
        )


def retry_delay(attempts: int) -> timedelta:
    """Return how long a call waits for its next attempt: 5, 10, 20 ... 300 seconds."""
    return timedelta(seconds=min(5 * 2 ** max(attempts - 1, 0), 300))

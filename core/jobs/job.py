"""A job: one transcript at one version, on its way to one summary. core/jobs/call.py has its calls.

    active ──h──► succeeded      (the letters are those of core/jobs/call.py)
           ──e──► failed

Nothing leaves an end, and a job ends: past its deadline and a bounded patience, also where it is being
published and S3 refuses (core/jobs/refusals.py). What it was planned with is part of it: its options and
its limits. Pure: the time is always passed in.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.jobs.audit import AuditEvent, InvalidTransitionError
from core.summaries.goals import WritingLimits
from core.summaries.options import Mode, SummaryOptions


class JobState(StrEnum):
    ACTIVE = "active"  # recorded; its calls are on their way
    SUCCEEDED = "succeeded"  # its summary is in S3
    FAILED = "failed"  # ended with a reason


JOB_TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.ACTIVE: frozenset({JobState.SUCCEEDED, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
}


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


# DynamoDB bills a write by its item's size, and takes 1,000 units a second for one: a set of a thousand
# calls on the job, written a thousand times, is quadratic. So of more calls than this, groups are counted.
COUNTED_TOGETHER = 64

WHOLE = "whole"  # the id of pull mode's one call
ASSEMBLED = (
    "assembled"  # stands for the call of a summary that was assembled from several calls' answers
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What RunPod produced and where it is: counts and names, never the text."""

    call_id: str
    attempt: int  # 0 where it was assembled
    runpod_id: str
    model: str
    words: int
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str  # "length" means that the model was cut off
    rounds: int = 0  # of calls, one after another
    calls: int = 0  # to the model
    discarded_tokens: int = 0  # generated, and not in the summary
    ran_ms: int = 0  # RunPod's executionTime over all attempts
    doubts: int = 0  # what the checks could not settle; the facts say which


@dataclass(frozen=True, kw_only=True)
class Job:
    id: str
    state: JobState
    source: Source
    options: SummaryOptions
    limits: WritingLimits  # what one of its requests may hold, whatever a later deployment allows
    summary_key: str
    has_glossary: bool = False  # names to be put right are stored beside the transcript
    words_in: int  # 0 in pull mode until the worker has brought it
    target_words: int  # the words asked for, or in proportion where the transcript is short
    created_at: datetime
    deadline: datetime  # past it the sweeper gives the job up
    expires_at: datetime  # past it DynamoDB may delete the record
    finished_at: datetime | None = None
    reason_code: str = ""  # why it failed; stable, for machines
    reason: str = ""  # the same for a person
    summary: Summary | None = None
    stage: int = 0  # counts the rounds of calls; 0 is pull mode's one call
    stage_calls: int = 0  # how many calls the current stage has
    group_size: int = 1  # how many of them are counted together before their job is written
    done: frozenset[str] = (
        frozenset()
    )  # the groups whose results are all there; of one: their calls
    is_publishing: bool = False  # the summary is being published: nobody gives up any more
    # When the sweeper shall look whether the next stage was lost, or what a failed job left running.
    due_at: datetime | None = None
    revision: int = 1  # counts the writes; a write holds only on the revision it was decided on
    pending_events: tuple[AuditEvent, ...] = ()  # audit lines not yet written

    @property
    def is_final(self) -> bool:
        return not JOB_TRANSITIONS[self.state]

    @property
    def call_ids(self) -> tuple[str, ...]:
        """The calls of the current stage."""
        if self.options.mode is Mode.PULL:
            return (WHOLE,)
        return tuple(f"{self.stage}-{index}" for index in range(self.stage_calls))

    @property
    def is_stage_done(self) -> bool:
        return self.stage_calls > 0 and len(self.done) >= math.ceil(
            self.stage_calls / self.group_size
        )

    @property
    def calls_done(self) -> int:
        """How many calls of the stage are known to be done: whole groups of them."""
        return min(len(self.done) * self.group_size, self.stage_calls)

    def group_of(self, call_id: str) -> str:
        """Return the name of the group that a call of the stage is counted in."""
        if self.group_size == 1:
            return call_id
        return f"{self.stage}+{_index_of(call_id) // self.group_size}"

    def calls_of_group(self, call_id: str) -> int:
        """Return how many calls are counted in a call's group; the last group may have fewer."""
        first = _index_of(call_id) // self.group_size * self.group_size
        return min(self.group_size, self.stage_calls - first)

    def with_event(self, event: AuditEvent) -> Self:
        """Return the job with a line more in its audit."""
        return replace(self, pending_events=(*self.pending_events, event))

    def with_counts(self, *, words_in: int, target_words: int) -> Self:
        """Take down what the worker of pull mode has counted."""
        return replace(self, words_in=words_in, target_words=target_words)

    def with_stage(self, *, calls: int, due_at: datetime, event: AuditEvent) -> Self:
        """Begin the next stage, of so many calls."""
        return replace(
            self.with_event(event),
            stage=self.stage + 1,
            stage_calls=calls,
            group_size=1 if calls <= COUNTED_TOGETHER else COUNTED_TOGETHER,
            done=frozenset(),
            due_at=due_at,
        )

    def with_publishing(self, *, due_at: datetime, event: AuditEvent) -> Self:
        return replace(self.with_event(event), is_publishing=True, due_at=due_at)

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
        moved = replace(event, from_state=self.state.value, to_state=state.value)
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


def _index_of(call_id: str) -> int:
    return int(call_id.partition("-")[2] or 0)

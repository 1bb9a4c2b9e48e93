"""What a look at a due call or job can come to."""

from dataclasses import dataclass
from enum import StrEnum

from core.jobs.call import Attempt, Call
from core.jobs.job import Job
from core.jobs.settle import Settlement


class SweepOutcome(StrEnum):
    LOST_CALLBACK = "lost callback"  # RunPod had ended the request, and no callback had come
    TAKEN_OVER = "taken over"  # whoever was publishing the result died
    STILL_RUNNING = "still running"
    RESENT = "resent"  # the call gets another attempt
    GIVEN_UP = "given up"
    SETTLED_ALREADY = "settled already"
    LEFT = "left for the next sweep"  # RunPod could not be asked, or others were writing
    BROKEN = "could not be looked at"  # what was raised about it is raised again at the sweep's end


@dataclass(frozen=True)
class SweepResult:
    outcome: SweepOutcome
    settled: Settlement | None = None
    key_error: str = ""  # why RunPod can't be asked about any call until somebody mends it
    # Whom the look was about, which the sweep knows; "" in call_id where it was a job.
    job_id: str = ""
    call_id: str = ""
    error: Exception | None = None  # of what could not be looked at
    # Of a call that was given up, the request that RunPod may still be at.
    left_running: str = ""


@dataclass(frozen=True)
class Poll:
    """A due call about which RunPod has to be asked, or that it has to cancel."""

    job: Job
    call: Call
    attempt: Attempt


@dataclass(frozen=True)
class Polls:
    """What a look leaves to the lane that asks RunPod."""

    polls: tuple[Poll, ...]


@dataclass(frozen=True)
class Cancelled:
    """A request that was left running is cancelled, or RunPod was asked to in vain."""


@dataclass(frozen=True)
class DueItem:
    """A call that is due, or where there is no call id a job; as read, unless that failed."""

    job_id: str
    call_id: str
    job: Job | None = None
    call: Call | None = None


@dataclass(frozen=True)
class Due:
    """Some of what is due, longest overdue first."""

    items: tuple[DueItem, ...]

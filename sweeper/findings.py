"""What a look at a due call can come to, and why the sweeper gives a job up."""

from dataclasses import dataclass
from enum import StrEnum

from core.jobs.lifecycle import Settlement
from core.jobs.model import Attempt, Call, Job
from core.runpod.failures import Failure

UNANSWERED = Failure(
    code="unanswered",
    message="the request went out, RunPod gave no id for it, and no callback came",
    may_help_to_retry=True,
)
DEADLINE = Failure(
    code="deadline",
    message="no result came before the job's deadline; see RunPod's console for what held it up,"
    " or raise JobDeadlineMinutes",
    may_help_to_retry=False,
)
NOT_CONTINUED = Failure(
    code="deadline",
    message="the texts of a stage were all there, and what follows had not begun by the job's deadline;"
    " look at the submitter's log and the dead-letter queue, or raise JobDeadlineMinutes",
    may_help_to_retry=False,
)
POLLS_EXHAUSTED = Failure(
    code="asks-spent",
    message="RunPod was asked MaxPollingAttempts times and was not done; raise it, or look at the"
    " endpoint's workers in RunPod's console",
    may_help_to_retry=False,
)


class SweepOutcome(StrEnum):
    """What a look at a due call came to."""

    LOST_CALLBACK = "lost callback"  # RunPod had ended the request, and nobody had told us
    TAKEN_OVER = "taken over"  # whoever was publishing the result died
    STILL_RUNNING = "still running"
    RESENT = "resent"  # the call gets another attempt
    GIVEN_UP = "given up"
    SETTLED_ALREADY = "settled already"
    LEFT = "left for the next sweep"  # RunPod could not be asked, or others were writing


@dataclass(frozen=True)
class SweepResult:
    found: SweepOutcome
    settled: Settlement | None = None
    key_trouble: str = ""  # why RunPod can't be asked about any call until somebody mends it


@dataclass(frozen=True)
class Ask:
    """A due call about which RunPod has to be asked or told something."""

    job: Job
    call: Call
    attempt: Attempt


@dataclass(frozen=True)
class Asks:
    """What a look leaves to the lane that asks RunPod."""

    wanted: tuple[Ask, ...]


@dataclass(frozen=True)
class Due:
    """Job and call id of all that is due, longest overdue first."""

    found: list[tuple[str, str]]


Done = SweepResult | Asks | Due

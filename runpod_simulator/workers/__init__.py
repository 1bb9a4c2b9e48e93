"""Workers: what computes the result of a job."""

from dataclasses import dataclass
from typing import Any, Protocol

EXTRACTIVE_MODEL = "extractive-summary"  # the `model` in its answers; it is not a language model


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    input: dict[str, Any]  # the job's `input`, as the caller sent it
    job_id: str = ""
    worker_id: str = ""
    length_fraction: float = 1.0  # of the length asked for
    cut: bool = False  # stop in mid-sentence


@dataclass(frozen=True, kw_only=True)
class WorkerResult:
    """An output, or an error that makes the job FAILED, perhaps with an output beside it."""

    output: Any = None
    error: str = ""


class WorkerLost(Exception):
    """The worker died without a report, or went silent."""


class Worker(Protocol):
    async def run(self, item: WorkItem) -> WorkerResult:
        """
        Raises:
            WorkerLost: no worker runs it any more.
        """

    async def close(self) -> None: ...

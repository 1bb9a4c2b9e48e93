"""What computes the answer to a job."""

from dataclasses import dataclass
from typing import Any, Protocol

EXTRACTIVE_MODEL = "extractive-summary"  # as an answer names it; it is no language model


@dataclass(frozen=True, kw_only=True)
class Task:
    input: dict[str, Any]  # the job's `input`, as the caller sent it
    job_id: str = ""
    worker_id: str = ""
    length_fraction: float = 1.0  # of the length asked for
    cut: bool = False  # stop in mid-sentence


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An output, or an error that makes the job FAILED, perhaps with an output beside it."""

    output: Any = None
    error: str = ""


class WorkerLostError(Exception):
    """The worker died without a word, or stopped talking."""


class Worker(Protocol):
    async def run(self, task: Task) -> Answer:
        """
        Raises:
            WorkerLostError: nobody runs it any more.
        """

    async def close(self) -> None: ...

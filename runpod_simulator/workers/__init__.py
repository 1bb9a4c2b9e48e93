"""Workers: what computes the result of a job."""

from dataclasses import dataclass
from typing import Any, Protocol

EXTRACTIVE_MODEL = "extractive-summary"  # the `model` in its answers; neither is a language model
LLM_LIKE_MODEL = "llm-like"
MODELS = {"extractive": EXTRACTIVE_MODEL, "llm-like": LLM_LIKE_MODEL}


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a model departs from writing what it is asked for."""

    length_fraction: float = 1.0  # of the length asked for
    most_words: float = 0.0  # at once, more or less; 0: the model's own
    cut: bool = False  # stops in mid-sentence
    habits: tuple[str, ...] = ()  # by their names in habits.py


AS_ASKED = Manner()


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    input: dict[str, Any]  # the job's `input`, as the caller sent it
    job_id: str = ""
    worker_id: str = ""
    manner: Manner = AS_ASKED


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

"""What computes the answer to a job."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Task:
    input: dict[str, Any]  # the job's `input`, as the caller sent it
    length_fraction: float = 1.0  # of the length asked for
    cut: bool = False  # stop in mid-sentence


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An output, or an error that makes the job FAILED."""

    output: Any = None
    error: str = ""


class Worker(Protocol):
    async def run(self, task: Task) -> Answer: ...

    async def close(self) -> None: ...

"""What RunPod's /health says of an endpoint: how many requests wait, and whether a worker runs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from core.errors import BadBody


@dataclass(frozen=True, kw_only=True)
class EndpointHealth:
    jobs_in_queue: int
    workers_running: int  # that have a request at this moment

    @classmethod
    def parse(cls, body: Mapping[str, object]) -> Self:
        """Read an answer of /health. Raises BadBody."""
        return cls(
            jobs_in_queue=_count_in(body, "jobs", "inQueue"),
            workers_running=_count_in(body, "workers", "running"),
        )

    @property
    def jobs_without_worker(self) -> int:
        """How many requests wait while nobody is at work."""
        return 0 if self.workers_running else self.jobs_in_queue


def _count_in(body: Mapping[str, object], group: str, name: str) -> int:
    counts = body.get(group)
    count = counts.get(name) if isinstance(counts, Mapping) else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise BadBody(f"RunPod's health has no {group}.{name}")
    return count

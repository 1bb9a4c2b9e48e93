"""What each sweep measures besides its work: how old the oldest job is, and how the endpoint is.

One page of an index that holds one job, and one request to RunPod, each sweep. Neither is the sweep's
business: where it can't be had, a line says so and the sweep is as good as without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from core.aws.job_index import JobIndex
from core.errors import RunPodError
from core.jobs.job import JobState
from core.runpod.health import EndpointHealth
from core.telemetry import Metric, logger, measure

_SECONDS_FOR_BOTH = 25.0  # what they may take where nobody answers


class Endpoint(Protocol):
    def health(self) -> EndpointHealth:
        """Return how the endpoint is. Raises RunPodError."""


@dataclass(frozen=True, kw_only=True)
class Gauges:
    index: JobIndex
    endpoint: Endpoint
    clock: Callable[[], datetime]

    def read(self, seconds_left: Callable[[], float]) -> None:
        """Measure what there is time for. Raises nothing, whatever goes wrong."""
        if seconds_left() < _SECONDS_FOR_BOTH:
            return
        for what, read in (
            ("the oldest active job", self._read_oldest_job),
            ("the endpoint's health", self._read_health),
        ):
            try:
                read()
            except (BotoCoreError, ClientError, RunPodError) as exc:
                logger.warning("%s can't be read: %s", what, exc)
            except Exception:  # a record that nobody can read would else end every sweep
                logger.exception("%s can't be read", what)

    def _read_oldest_job(self) -> None:
        jobs = self.index.jobs(JobState.ACTIVE, oldest_first=True, page_size=1)
        oldest = next(jobs, None)
        age = (self.clock() - oldest.created_at).total_seconds() if oldest else 0
        measure(Metric.OLDEST_ACTIVE_JOB_SECONDS, max(age, 0))

    def _read_health(self) -> None:
        health = self.endpoint.health()
        measure(Metric.ENDPOINT_JOBS_IN_QUEUE, health.jobs_in_queue)
        measure(Metric.ENDPOINT_WORKERS_RUNNING, health.workers_running)
        measure(Metric.ENDPOINT_JOBS_WITHOUT_WORKER, health.jobs_without_worker)

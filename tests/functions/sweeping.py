"""A sweeper over the world in memory, with a clock that the test turns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.files import S3Summaries, S3Workshop
from core.jobs import Call
from core.reports import parse_report
from core.settle import Settler
from local.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3
from sweeper.findings import Look
from sweeper.sweep import Sweeper
from tests.builders import JOB_ID, NOON, a_call, a_job, minutes

RUNNING = parse_report({"id": "rp-1", "status": "IN_PROGRESS"})


@dataclass
class World:
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    runpod: MemoryRunPod = field(default_factory=MemoryRunPod)
    now: datetime = NOON + minutes(5)
    max_asks: int = 10
    shortest_wait: timedelta = timedelta(seconds=5)

    def holding_many(self, number: int, **job_changes: Any) -> "World":
        """Record so many jobs, each with a call that is due, and RunPod's request of its own."""
        for each in range(number):
            job_id = f"{each:032x}"
            call = a_call(job_id=job_id).identified(1, f"rp-of-{each}")
            self.store.create(a_job(id=job_id, **job_changes), [call])
        return self

    def holding(self, call: Call, **job_changes: Any) -> "World":
        self.store.create(a_job(**job_changes), [call])
        return self

    def sweep(
        self,
        seconds_left: Callable[[], float] = lambda: 115.0,
        pace: Callable[[], None] = lambda: None,
    ) -> list[Look]:
        sweeper = Sweeper(
            settler=self.settler,
            runpod=self.runpod,
            max_asks=self.max_asks,
            shortest_wait=self.shortest_wait,
            clock=lambda: self.now,
        )
        return list(sweeper.sweep(pace=pace, seconds_left=seconds_left))

    @property
    def settler(self) -> Settler:
        return Settler(
            store=self.store,
            summaries=S3Summaries(self.s3, "out"),  # type: ignore[arg-type]
            workshop=S3Workshop(self.s3, "out"),  # type: ignore[arg-type]
            queue=self.queue,
            max_attempts=3,
            by="sweeper",
        )

    def found(self) -> list[str]:
        return [look.found.value for look in self.sweep()]

    @property
    def call(self) -> Call:
        return self.store.load(JOB_ID, "whole")[1]

    @property
    def states(self) -> tuple[str, str]:
        job, call = self.store.load(JOB_ID, "whole")
        return job.state.value, call.state.value

    @property
    def reason(self) -> str:
        return self.store.load(JOB_ID, "whole")[0].reason_code

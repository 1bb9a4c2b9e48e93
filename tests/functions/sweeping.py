"""A sweeper over fakes in memory, on a clock that the test sets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.jobs.call import Call
from core.jobs.job import WHOLE
from core.jobs.lifecycle import Lifecycle
from core.runpod.reports import parse_report
from sweeper.results import SweepResult
from tests.builders import JOB_ID, NOON, a_call, a_job, a_pull_job, minutes, status_body
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3
from tests.functions.use_cases import UseCases

RUNNING = parse_report(status_body("IN_PROGRESS"))


@dataclass
class SweeperSetup:
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    runpod: MemoryRunPod = field(default_factory=MemoryRunPod)
    now: datetime = NOON + minutes(5)
    max_polls: int = 10
    poll_interval: timedelta = timedelta(seconds=5)
    call_id: str = "1-0"

    def holding_many(self, number: int, **job_changes: Any) -> "SweeperSetup":
        """Record so many jobs, each with a call that is due, and RunPod's request of its own."""
        for each in range(number):
            job_id = f"{each:032x}"
            call = a_call(job_id=job_id).with_runpod_id(1, f"rp-of-{each}")
            self.store.create(a_job(id=job_id, **job_changes), [call])
        return self

    def holding(self, call: Call, **job_changes: Any) -> "SweeperSetup":
        """Record a call with its job: of pull mode if it is that mode's one call."""
        make = a_pull_job if call.id == WHOLE else a_job
        self.store.create(make(**job_changes), [call])
        self.call_id = call.id
        return self

    def sweep(
        self,
        seconds_left: Callable[[], float] = lambda: 115.0,
        pace: Callable[[], None] = lambda: None,
        cancel_pace: Callable[[], None] = lambda: None,
    ) -> list[SweepResult]:
        sweeper = self.use_cases.sweeper(
            runpod=self.runpod, max_polls=self.max_polls, poll_interval=self.poll_interval
        )
        return list(sweeper.sweep(pace=pace, cancel_pace=cancel_pace, seconds_left=seconds_left))

    @property
    def use_cases(self) -> UseCases:
        return UseCases(store=self.store, s3=self.s3, queue=self.queue, clock=lambda: self.now)

    @property
    def lifecycle(self) -> Lifecycle:
        return self.use_cases.lifecycle("sweeper")

    def found(self) -> list[str]:
        return [result.outcome.value for result in self.sweep()]

    @property
    def call(self) -> Call:
        return self.store.load(JOB_ID, self.call_id)[1]

    @property
    def states(self) -> tuple[str, str]:
        job, call = self.store.load(JOB_ID, self.call_id)
        return job.state.value, call.state.value

    @property
    def reason(self) -> str:
        return self.store.load(JOB_ID, self.call_id)[0].reason_code

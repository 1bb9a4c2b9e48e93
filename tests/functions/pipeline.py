"""The whole pipeline in memory: uploads in, summaries out, with a model that is only its habits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.job import Job, Source
from core.jobs.settle import Settlement, Settler
from core.runpod.reports import parse_report
from core.settings import SubmitterSettings
from core.summaries.goals import WritingLimits
from sweeper.results import SweepResult
from tests.builders import (
    NOON,
    SECRET,
    a_request,
    a_source,
    submitter_settings,
)
from tests.fakes import remembered  # noqa: F401 - what each round reads again
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3, MemorySecrets
from tests.fakes.model import FakeModel, a_transcript, ref_of
from tests.functions.use_cases import Submitter, UseCases

LONG = a_transcript(100_000)


@dataclass
class Pipeline:
    model: FakeModel = field(default_factory=FakeModel)
    settings: SubmitterSettings = field(default_factory=submitter_settings)
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    runpod: MemoryRunPod = field(default_factory=MemoryRunPod)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets((SECRET,)))
    now: datetime = NOON
    answered: set[str] = field(default_factory=set)

    @property
    def use_cases(self) -> UseCases:
        return UseCases(
            store=self.store,
            s3=self.s3,
            queue=self.queue,
            clock=lambda: self.now,
            retries=self.settings.retries,
        )

    @property
    def submitter(self) -> Submitter:
        settings = replace(
            self.settings, upload_filter=replace(self.settings.upload_filter, max_bytes=100_000_000)
        )
        return self.use_cases.submitter(runpod=self.runpod, secrets=self.secrets, settings=settings)

    def settler(self, by: str = "webhook_receiver") -> Settler:
        return self.use_cases.settler(by)

    def upload(self, text: str, key: str = "calls/board.txt") -> Job:
        body = text.encode()
        source = a_source(key=key, version_id="", size_bytes=len(body))
        etag = self.s3.put_object(Bucket=source.bucket, Key=key, Body=body)["ETag"]
        return self.accept(replace(source, etag=etag.strip('"')))

    def accept(self, source: Source) -> Job:
        return self.submitter.accept(source)[0]

    def open_requests(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return RunPod's id and the body of every request that was not answered yet."""
        numbered = [(f"rp-{number}", body) for number, body in enumerate(self.runpod.requests, 1)]
        return [(runpod_id, body) for runpod_id, body in numbered if runpod_id not in self.answered]

    def call_back(
        self, runpod_id: str, body: Mapping[str, Any], *, answer: Any = None
    ) -> Settlement:
        """Let RunPod end a request and call back about it."""
        self.answered.add(runpod_id)
        report = parse_report(answer or self.model.answer(body, runpod_id))
        self.runpod.reports[runpod_id] = report
        return self.settler().settle(ref_of(body), report, now=self.now)

    def take_messages(self) -> None:
        """Let the submitter take everything that is in the queue."""
        while self.queue.stages or self.queue.sent:
            stages, self.queue.stages = self.queue.stages, []
            attempts, self.queue.sent = self.queue.sent, []
            for job_id in stages:
                self.submitter.advance(job_id)
            for job_id, call_id, _ in attempts:
                self.submitter.next_attempt(job_id, call_id)

    def run(self) -> None:
        """Go on until nothing is left to do."""
        for _ in range(40):
            for runpod_id, body in self.open_requests():
                self.call_back(runpod_id, body)
            self.take_messages()
            if not self.open_requests():
                return
        raise AssertionError("the job does not end")

    def sweep(self, later: timedelta) -> list[SweepResult]:
        self.now += later
        sweeper = self.use_cases.sweeper(runpod=self.runpod)
        return list(sweeper.sweep(pace=lambda: None, seconds_left=lambda: 115.0))

    def summary(self, job: Job) -> str:
        return self.s3.objects["out", job.summary_key].body.decode()

    def history(self, job: Job) -> tuple[Job, list[Call], list[AuditEvent]]:
        return self.store.history(job.id)


def settings_with(context_tokens: int, max_tokens: int) -> SubmitterSettings:
    """Return the settings of a deployment with such a model."""
    limits = WritingLimits(context_tokens=context_tokens, max_tokens=max_tokens)
    return submitter_settings(limits=limits, options=a_request(max_tokens=max_tokens))

"""The whole pipeline in memory: uploads in, summaries out, with a model that is only its habits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.callback import CallRef
from core.jobs.job import Job, Source
from core.jobs.settle import Settlement, Settler
from core.runpod.reports import parse_report
from core.settings import SubmitterSettings
from sweeper.results import SweepResult
from tests.builders import NOON, SECRET, a_source, completed_body, failed_body, submitter_settings
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3, MemorySecrets
from tests.functions.use_cases import Submitter, UseCases

ASK = re.compile(r"about ([\d,]+) words")
MARKER = re.compile(r"MARK\d+")
BLOCK = re.compile(r'<transcript id="(\w+)">\n(.*)\n</transcript id="\1">', re.S)


@dataclass
class Model:
    """Writes so many words as are asked for, more or less, and names the markers it has read."""

    makes_of_ask: float = 1.0
    tokens_per_word: float = 1.4
    context_tokens: int = 10**9
    polls: list[int] = field(default_factory=list)

    def answer(self, request: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        asked = request["input"]["openai_input"]
        prompt = asked["messages"][1]["content"]
        words = int(ASK.findall(prompt)[-1].replace(",", ""))
        self.polls.append(words)
        read = BLOCK.search(prompt)
        assert read is not None
        if len(prompt.split()) * 1.3 > self.context_tokens:
            said = f"This model's maximum context length is {self.context_tokens} tokens."
            return failed_body(f"vLLM returned HTTP 400: {said}", id=runpod_id)
        markers = list(dict.fromkeys(MARKER.findall(read[2])))
        wanted = max(round(words * self.makes_of_ask), 1)
        fits = int(asked["max_tokens"] / self.tokens_per_word)
        text = " ".join([*markers, *["word"] * max(min(wanted, fits) - len(markers), 0)])
        reason = "length" if wanted > fits else "stop"
        return completed_body(text, finish_reason=reason, id=runpod_id)


@dataclass
class Pipeline:
    model: Model = field(default_factory=Model)
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
        raise AssertionError("the job does not come to an end")

    def sweep(self, later: timedelta) -> list[SweepResult]:
        self.now += later
        sweeper = self.use_cases.sweeper(runpod=self.runpod)
        return list(sweeper.sweep(pace=lambda: None, seconds_left=lambda: 115.0))

    def summary(self, job: Job) -> str:
        return self.s3.objects["out", job.summary_key].body.decode()

    def history(self, job: Job) -> tuple[Job, list[Call], list[AuditEvent]]:
        return self.store.history(job.id)


def ref_of(body: Mapping[str, Any]) -> CallRef:
    *_, job_id, call_id, attempt, _token = body["webhook"].split("/")
    return CallRef(job_id, call_id, int(attempt))


def a_transcript(words: int, *, markers: int = 50) -> str:
    """Return turns of about forty words, with marker facts spread over them."""
    turns = []
    count = max(words // 40, 1)
    every = max(count // markers, 1)
    for turn in range(count):
        mark = f"MARK{turn // every}" if turn % every == 0 else "then"
        turns.append(
            f"{('Mara', 'Ilse', 'Joris')[turn % 3]}: {mark} " + "we spoke of pumps. " * 9 + "Yes."
        )
    return "\n".join(turns)

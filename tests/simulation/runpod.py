"""RunPod: its queue, its workers, its results and its callbacks (the facts: runpod_simulator/README.md)."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from core.errors import RunPodBusy, RunPodRefused, RunPodSilent
from core.jobs.callback import CallRef
from core.runpod.health import EndpointHealth
from core.runpod.reports import RunPodReport, RunPodStatus, gone, parse_report
from core.runpod.work_order import ORDER
from tests.builders import completed_body, failed_body, status_body
from tests.fakes.model import FakeModel, ask_of, ref_of
from tests.simulation.habits import ModelHabits
from tests.simulation.pull_worker import PullWorker
from tests.simulation.scheduler import here, outside
from tests.simulation.simulation import Outage, Simulation
from tests.writing_model import Length, WritingModel, proportional

PRIVATE = "confidential-words"  # in every transcript and every answer: they may be in no log
ODD_LENGTH = "RunPod: an odd length"

_RETENTION_SECONDS = 30 * 60
_NO_CONNECTION_SECONDS, _NO_ANSWER_SECONDS = 15.0, 10.0  # the client's patience
_CALLBACK_GAPS_SECONDS = (5.0, 10.0)

Answer = Callable[[int], None]


@dataclass
class GpuJob:
    """One request that RunPod took."""

    id: str
    ref: CallRef
    request: Mapping[str, Any]
    taken_at_seconds: float
    is_known_from_seconds: float  # before, /status answers 404
    body: dict[str, Any] | None = None  # what it ended as
    ended_at_seconds: float | None = None
    is_gone: bool = False
    delivered: str = ""  # the text that its manifest stands for

    @property
    def kind(self) -> str:
        """What it is asked for: `outline`, `section`, ...; `pull` for a whole order."""
        chat = self.request["input"].get("openai_input")
        return ask_of(chat)[0].kind.value if chat else "pull"

    @property
    def text(self) -> str:
        if not self.body:
            return ""
        return self.delivered or parse_report(self.body).text


@dataclass
class FakeRunPod:
    simulation: Simulation
    post: Callable[[str, str, Answer], None]  # url, body; then the status that we answered
    worker: PullWorker
    jobs: dict[str, GpuJob] = field(default_factory=dict)
    callbacks_to_come: int = 0
    # In a partial one there is no connection; else it hangs.
    outage: Outage = field(default_factory=Outage)
    _lost_for_good: dict[tuple[str, str], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._habits = ModelHabits(self.simulation)

    def run(self, request: Mapping[str, Any]) -> str:
        simulation, random = self.simulation, self.simulation.random
        now = simulation.now_seconds
        job = GpuJob(
            id=f"rp-{len(self.jobs) + 1}",
            ref=ref_of(request),
            request=request,
            taken_at_seconds=now,
            is_known_from_seconds=now + random.choice((0.0, 0.0, 0.0, 300.0)) * random.random(),
        )
        self.jobs[job.id] = job
        is_slow = simulation.happens(simulation.profile.slow_gpus)
        seconds = (3_600 if is_slow else 120) * random.random() ** 2
        if is_slow:
            simulation.tally[f"{job.kind}: late"] += 1
        limit = request["policy"]["executionTimeout"] / 1_000
        if seconds > 2 * limit:
            self._later(2 * limit, lambda: self._end(job, _EXECUTION_TIMEOUT))
        elif simulation.happens(simulation.profile.gpu_losses):
            simulation.tally["RunPod: requests lost"] += 1
            simulation.tally[f"{job.kind}: an attempt lost"] += 1
            self._later(seconds, lambda: self._lose(job))
        else:
            self._later(seconds, lambda: self._end(job, self._outcome(job)))
        self._later(request["policy"]["ttl"] / 1_000, lambda: self._lose(job))
        return job.id

    def status(self, runpod_id: str) -> RunPodReport:
        job = self.jobs.get(runpod_id)
        if job is None or job.is_gone or self.simulation.now_seconds < job.is_known_from_seconds:
            return gone(runpod_id)
        if job.body is None:
            return RunPodReport(runpod_id=runpod_id, status=RunPodStatus.IN_PROGRESS)
        return parse_report(job.body)

    def cancel(self, runpod_id: str) -> None:
        self._end(self.jobs[runpod_id], status_body("CANCELLED"))

    @property
    def is_idle(self) -> bool:
        return not self.callbacks_to_come and all(
            job.is_gone or job.body for job in self.jobs.values()
        )

    def of_call(self, job_id: str, call_id: str) -> list[GpuJob]:
        return [
            job
            for job in self.jobs.values()
            if (job.ref.job_id, job.ref.call_id) == (job_id, call_id)
        ]

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self.simulation.after(seconds, what)

    def _lose(self, job: GpuJob) -> None:
        if not job.is_gone:
            job.is_gone = True
            self.simulation.record("RunPod", f"{job.id} is gone")

    def _outcome(self, job: GpuJob) -> dict[str, Any]:
        simulation, random = self.simulation, self.simulation.random
        if self._is_lost_for_good(job):
            return failed_body(f"{_TROUBLES[0]} {PRIVATE} in the prompt")
        if simulation.happens(simulation.profile.gpu_troubles):
            error = random.choice((*_TROUBLES, ""))
            simulation.tally[f"RunPod: {error or 'no output'}"] += 1
            if not error:
                return status_body("COMPLETED", output=[])
            return failed_body(f"{error} {PRIVATE} in the prompt")
        if ORDER in job.request["input"]:
            age_seconds = simulation.now_seconds - job.taken_at_seconds
            model = WritingModel(length=self._length(), habit=self._habits.write, topics=4)
            made = self.worker.make(job.request, model, f"{job.id} says {PRIVATE}.", age_seconds)
            job.delivered = made.text
            return made.body
        model = FakeModel(length=self._length(), habit=self._habits.write)
        chat = job.request["input"]["openai_input"]
        completion = model.completion(chat)
        if "response_format" not in chat:
            completion["choices"][0]["message"]["content"] += f"\n\n{job.id} says {PRIVATE}."
        return completed_body(output=[completion])

    def _length(self) -> Length:
        is_odd = self.simulation.happens(self.simulation.profile.odd_lengths)
        if not is_odd:
            return proportional(1.0)
        self.simulation.tally[ODD_LENGTH] += 1
        return proportional(self.simulation.random.choice((0.2, 0.5, 1.6, 4.0)))

    def _is_lost_for_good(self, job: GpuJob) -> bool:
        """Is this a call that no attempt brings anything of? The same for each of its attempts."""
        key = job.ref.job_id, job.ref.call_id
        if key not in self._lost_for_good:
            share = self.simulation.profile.lost_calls
            self._lost_for_good[key] = self.simulation.happens(share)
            if self._lost_for_good[key]:
                self.simulation.tally[f"{job.kind}: lost for good"] += 1
        return self._lost_for_good[key]

    def _end(self, job: GpuJob, ends_as: dict[str, Any]) -> None:
        if job.body or job.is_gone:
            return
        echo = {"input": job.request["input"], "webhook": job.request["webhook"]}
        job.body = {"delayTime": 900, "executionTime": 8_000} | echo | ends_as | {"id": job.id}
        job.ended_at_seconds = self.simulation.now_seconds
        self.simulation.record("RunPod", f"{job.id} ends as {job.body['status']}")
        self._later(_RETENTION_SECONDS, lambda: self._lose(job))
        self.callbacks_to_come += 1
        is_empty = self.simulation.happens(self.simulation.profile.callbacks_empty)
        body = "" if is_empty else json.dumps(job.body)
        self._call_back(job, body, _CALLBACK_GAPS_SECONDS)

    def _call_back(self, job: GpuJob, body: str, gaps: tuple[float, ...]) -> None:
        """Try until it is answered 200, at most three times."""
        simulation, profile = self.simulation, self.simulation.profile

        def answered(status: int) -> None:
            if status == 200 and not simulation.happens(profile.callbacks_unheard):
                self.callbacks_to_come -= 1
            elif gaps:
                self._later(gaps[0], lambda: self._call_back(job, body, gaps[1:]))
            else:
                simulation.tally["callbacks given up"] += 1
                self.callbacks_to_come -= 1

        if simulation.happens(profile.callbacks_lost):
            simulation.record("network", f"loses the callback about {job.id}")
            self._later(10, lambda: answered(0))
        elif simulation.happens(profile.callbacks_turned_away):
            simulation.record("gateway", f"turns the callback about {job.id} away")
            answered(429)
        else:
            self.post(job.request["webhook"], body, answered)
        if simulation.happens(profile.callbacks_repeated):
            simulation.tally["callbacks repeated"] += 1
            later = simulation.random.choice((0.0, 1.0, 60.0, 3_600.0)) * simulation.random.random()
            self._later(later, lambda: self.post(job.request["webhook"], body, lambda _: None))


@dataclass(frozen=True)
class Endpoint:
    """The functions' RunPod port, each request scheduled."""

    runpod: FakeRunPod
    taken: Callable[[Mapping[str, Any]], None]  # called with each request that RunPod takes
    refused: Callable[
        [Mapping[str, Any]], None
    ]  # called with each request that it refuses for good

    def check_key(self) -> None:
        """Have a key, always."""

    def run(self, request: Mapping[str, Any]) -> str:
        self._reach()

        def effect() -> str:
            self.taken(request)
            return self.runpod.run(request)

        try:
            return outside("runpod", "run", effect)
        except RunPodRefused:
            self.refused(request)
            raise

    def status(self, runpod_id: str) -> RunPodReport:
        self._reach()
        return outside("runpod", "status", lambda: self.runpod.status(runpod_id))

    def cancel(self, runpod_id: str) -> None:
        self._reach()
        outside("runpod", "cancel", lambda: self.runpod.cancel(runpod_id))

    def keeping_connections(self) -> AbstractContextManager[None]:
        return nullcontext()

    def health(self) -> EndpointHealth:
        self._reach()
        return outside(
            "runpod", "health", lambda: EndpointHealth(jobs_in_queue=0, workers_running=1)
        )

    def _reach(self) -> None:
        """Wait as long as the client does where RunPod is away, and fail as it does."""
        outage, simulation = self.runpod.outage, self.runpod.simulation
        if outage.is_at(simulation.now_seconds):
            simulation.tally["RunPod: away for long"] += 1
            here().hang(_NO_CONNECTION_SECONDS if outage.is_partial else _NO_ANSWER_SECONDS)
            raise RunPodBusy("away") if outage.is_partial else RunPodSilent("away")


_EXECUTION_TIMEOUT = failed_body("executionTimeout exceeded")
_TROUBLES = (
    "the worker broke on",
    "job timed out after 1 retries, of",
    "vLLM returned HTTP 400: This model's maximum context length is 100 tokens, of",
    "vLLM returned HTTP 400: bad request, of",
)

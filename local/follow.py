"""Follows one upload until its job has ended, in the table and on RunPod."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import requests

from cli.deployment import Deployment, History, Upload
from core.jobs.audit import AuditEvent
from core.jobs.call import Call, is_result
from core.jobs.job import Job, JobState
from core.runpod.reports import RunPodStatus
from core.summaries.options import Mode
from core.summaries.rounds import in_words
from local.stack.loopback import http_session
from local.stack.simulator import RunPodEndpoint
from local.steps import Observer, Step
from local.waiting import wait_for

_POLL_SECONDS = 0.25  # each reads the whole job, from the machine that is to get on with it


@dataclass(frozen=True)
class _Round:
    number: int
    text: str  # what it asks for


@dataclass
class Follower:
    """Reports a job's progress to an observer; use as a context manager."""

    deployment: Deployment
    runpod: RunPodEndpoint
    observer: Observer
    _http: requests.Session = field(default_factory=http_session)
    _ended: set[Step] = field(default_factory=set)
    _round: _Round = _Round(0, "")  # the current one

    def __enter__(self) -> Self:
        self._http.headers["Authorization"] = f"Bearer {self.runpod.api_key}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def follow(self, upload: Upload, *, timeout_seconds: float) -> History:
        """Return the job once it has ended. Raises NotInTime."""

        def ended() -> History | None:
            history = self.deployment.history(upload)
            if history is None:
                return None
            self._report(history)
            return history if history.job.is_final else None

        self.observer.begin(Step.RECORD)
        return wait_for(
            ended,
            what=f"the end of the job of {upload.key}",
            timeout_seconds=timeout_seconds,
            every_seconds=_POLL_SECONDS,
        )

    def _report(self, history: History) -> None:
        job = history.job
        self._end(Step.RECORD, f"job {job.id[:8]}, {_material(job)}")
        if not history.calls:
            return
        self.observer.begin(Step.SUBMIT)
        sent = [attempt.runpod_id for call in history.calls for attempt in call.attempts]
        if not any(sent):
            return
        first = next(filter(None, sent))
        self._end(Step.SUBMIT, f"first request {first[:8]}")
        self.observer.begin(Step.RUNPOD)
        if job.options.mode is Mode.PULL:
            self._report_order(history.calls[0])
        else:
            self._report_rounds(history)
        if job.state is JobState.SUCCEEDED and job.summary:
            self._report_end(history)
            self._end(Step.SUMMARY, f"{job.summary.words:,} words")

    def _report_rounds(self, history: History) -> None:
        """Report the rounds of a job whose calls are RunPod requests, and how far the current one is."""
        calls: list[Call] = []
        for stage in range(1, history.job.stage + 1):
            calls = [call for call in history.calls if call.stage == stage]
            self._in_round(stage, in_words(call.ask for call in calls), _how_far(calls))
        if len(calls) == 1 and not calls[0].is_final:
            self.observer.note(Step.RUNPOD, f"{self._round.text}: {self._runpod_status(calls[0])}")

    def _report_order(self, call: Call) -> None:
        """Report what the worker of pull mode says that it is at, round by round."""
        status, progress = self._runpod(call)
        match progress:
            case {"doing": str(doing), "stage": int(stage), "calls": int(calls), "done": int(done)}:
                self._in_round(stage, doing, f"{done} of {calls} done")
            case {"doing": str(doing)}:
                self.observer.note(Step.RUNPOD, doing)
            case _:
                self.observer.note(Step.RUNPOD, status)

    def _in_round(self, number: int, text: str, how_far: str) -> None:
        if number < self._round.number:
            return
        if number > self._round.number:
            self._end_round()
            self._round = _Round(number, text)
        self.observer.note(Step.RUNPOD, f"{text}: {how_far}")

    def _end_round(self) -> None:
        if self._round.number:
            self.observer.part(Step.RUNPOD, f"  round {self._round.number}", self._round.text)

    def _report_end(self, history: History) -> None:
        self._end_round()
        self._round = _Round(0, "")
        arrived = [each for each in history.events if is_result(each)]
        rounds, count = history.job.stage, len(history.calls)
        if rounds:
            requests = "1 request" if count == 1 else f"{count} requests"
            self._end(Step.RUNPOD, f"{requests} in {rounds} round{'s' if rounds > 1 else ''}")
            self._end(Step.CALLBACK, "1 result" if len(arrived) == 1 else f"{len(arrived)} results")
        elif arrived:
            self._end(Step.RUNPOD, _timings(arrived[0]))
            self._end(Step.CALLBACK, f"settled by the {arrived[0].by.replace('_', ' ')}")

    def _end(self, step: Step, text: str) -> None:
        if step not in self._ended:
            self._ended.add(step)
            self.observer.end(step, text)

    def _runpod(self, call: Call) -> tuple[str, object]:
        """Return the status of a call's latest request, and what its worker reported."""
        attempt = call.attempt if call.attempts else None
        nth = f"attempt {attempt.number}: " if attempt and attempt.number > 1 else ""
        if attempt is None or not (attempt.outcome or attempt.runpod_id):
            return f"{nth}being sent", None
        if call.is_final:
            return f"{nth}{attempt.outcome}", None
        if attempt.outcome:
            return f"{nth}{attempt.outcome}; waiting for another attempt", None
        try:
            answer = self._http.get(f"{self.runpod.url}/status/{attempt.runpod_id}", timeout=5)
            body = answer.json()
            status = RunPodStatus(body["status"])
        except (requests.RequestException, ValueError, KeyError):
            return f"{nth}status unknown", None
        if status.is_final:
            return f"{nth}{status}; waiting for its callback", None
        return f"{nth}{status}", body.get("output")

    def _runpod_status(self, call: Call) -> str:
        return self._runpod(call)[0]


def _material(job: Job) -> str:
    if job.options.mode is Mode.PULL:
        return f"{job.source.size_bytes:,} bytes for the worker to fetch"
    return f"{job.words_in:,} words to the model"


def _how_far(calls: Sequence[Call]) -> str:
    return f"{sum(call.is_final for call in calls)} of {len(calls)} done"


def _timings(arrived: AuditEvent) -> str:
    queued, ran = (int(arrived.detail.get(name, 0)) / 1000 for name in ("queued_ms", "ran_ms"))
    return (
        f"{arrived.detail.get('runpod_status')}: {queued:.1f} s in its queue, {ran:.1f} s at work"
    )

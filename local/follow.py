"""Follows one upload until its job has ended, in the table and on RunPod."""

from dataclasses import dataclass, field
from typing import Self

import requests

from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from core.runpod.reports import RunPodStatus
from core.summaries.options import Mode
from local import report
from local.deployment import Deployment, History, Upload
from local.stack.loopback import http_session
from local.stack.simulator import RunPodEndpoint
from local.steps import Observer, Step
from local.waiting import wait_for

_POLL_SECONDS = 0.15


@dataclass
class Follower:
    """Reports a job's progress to an observer; use as a context manager."""

    deployment: Deployment
    runpod: RunPodEndpoint
    observer: Observer
    _http: requests.Session = field(default_factory=http_session)
    _ended: set[Step] = field(default_factory=set)

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
        self._end(
            Step.SUBMIT, f"request {first[:8]}" if len(sent) == 1 else f"{len(sent)} requests"
        )
        self.observer.begin(Step.RUNPOD)
        arrived = [each for each in history.events if _is_arrival(each)]
        if len(history.calls) > 1 or job.stage:
            self._report_stages(history)
            if not job.is_final:
                return
        elif arrived and job.is_final:  # before, it may still turn out to need a repair
            self._end(Step.RUNPOD, _timings(arrived[0]))
            self._end(Step.CALLBACK, f"settled by the {arrived[0].by.replace('_', ' ')}")
        else:
            self.observer.note(Step.RUNPOD, self._runpod_status(history.calls[0]))
            return
        self.observer.begin(Step.SUMMARY)
        if job.state is JobState.SUCCEEDED and job.summary:
            bad = report.shortcomings(job)
            self._end(Step.SUMMARY, f"{job.summary.words:,} words" + (f"; {bad[0]}" if bad else ""))

    def _report_stages(self, history: History) -> None:
        """Report a job of several calls: how far its stage is, and its end."""
        job = history.job
        stage = [call for call in history.calls if call.stage == job.stage]
        ended = sum(call.is_final for call in stage)
        kind = stage[0].task.kind if stage else "calls"
        self.observer.note(Step.RUNPOD, f"stage {job.stage}, {kind}: {ended} of {len(stage)} done")
        if job.state is JobState.SUCCEEDED:
            stages = len({call.stage for call in history.calls})
            self._end(Step.RUNPOD, f"{len(history.calls)} requests in {stages} stages")
            self._end(Step.CALLBACK, f"{sum(map(_is_arrival, history.events))} results, settled")

    def _end(self, step: Step, text: str) -> None:
        if step not in self._ended:
            self._ended.add(step)
            self.observer.end(step, text)

    def _runpod_status(self, call: Call) -> str:
        attempt = call.attempt
        nth = f"attempt {attempt.number}: " if attempt.number > 1 else ""
        if call.is_final:
            return f"{nth}{attempt.outcome}"
        if attempt.outcome:
            return f"{nth}{attempt.outcome}; waiting for another attempt"
        if not attempt.runpod_id:
            return f"{nth}being sent"
        try:
            answer = self._http.get(f"{self.runpod.url}/status/{attempt.runpod_id}", timeout=5)
            body = answer.json()
            status = RunPodStatus(body["status"])
        except (requests.RequestException, ValueError, KeyError):
            return f"{nth}status unknown"
        if status.is_final:
            return f"{nth}{status}; waiting for its callback"
        return f"{nth}{status}{_under_way(body.get('output'))}"


def _material(job: Job) -> str:
    if job.options.mode is Mode.PULL:
        return f"{job.source.size_bytes:,} bytes for the worker to fetch"
    return f"{job.words_in:,} words to the model"


def _under_way(progress: object) -> str:
    """Return a pull-mode worker's progress, from its last update to RunPod."""
    match progress:
        case {"doing": str(doing), "calls": int(calls), "done": int(done)}:
            return f", {doing}: {done} of {calls} done"
        case {"doing": str(doing)}:
            return f", {doing}"
    return ""


def _is_arrival(event: AuditEvent) -> bool:
    return event.to_state == CallState.PUBLISHING


def _timings(arrived: AuditEvent) -> str:
    queued, ran = (int(arrived.detail.get(name, 0)) / 1000 for name in ("queued_ms", "ran_ms"))
    return (
        f"{arrived.detail.get('runpod_status')}: {queued:.1f} s in its queue, {ran:.1f} s at work"
    )

"""What the use cases ask of the world. The adapters stand beside; tests and simulation bring their own."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.jobs import Call, Event, Job, Source, Summary
from core.reports import Report


class JobStore(Protocol):
    """Jobs and calls. Every write holds only on the revision that it was decided on."""

    def create(self, job: Job, calls: Sequence[Call]) -> None:
        """Record a new job and its calls, all or nothing. Raises JobExists."""

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        """Return a job and one of its calls as they are now. Raises UnknownCall."""

    def save_call(self, call: Call) -> Call:
        """Write a changed call with its news; return it as it now stands. Raises Conflict."""

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        """Write a changed job and its changed call, both or neither. Raises Conflict."""

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield job and call id of every call that is due, longest overdue first.

        Costs what is due, not what is stored. May name a call that has just been settled.
        """

    def history(self, job_id: str) -> tuple[Job, list[Call], list[Event]]:
        """Return a job, its calls, and everything that happened to them, oldest first.

        Raises UnknownCall.
        """


class Transcripts(Protocol):
    def read(self, source: Source, *, max_bytes: int) -> bytes:
        """Return the object at exactly this version.

        Raises BadTranscript where it is gone, replaced or larger than `max_bytes`.
        """


class Summaries(Protocol):
    def publish(self, job: Job, summary: Summary, text: str, *, now: datetime) -> Summary:
        """Make the summary of a job visible, once: the first one stands, and is returned.

        Raises Superseded where a newer upload of the same file has its summary there already.
        """

    def standing(self, job: Job) -> Summary | None:
        """Return the job's summary if it is visible."""


class WorkQueue(Protocol):
    def wants_attempt(self, job_id: str, call_id: str, *, after: timedelta) -> None:
        """Ask the submitter to give a waiting call its next attempt."""


class RunPod(Protocol):
    def run(self, request: Mapping[str, Any]) -> str:
        """Submit one request and return RunPod's id of it.

        Raises RunPodRefused, RunPodBusy, RunPodFailed or RunPodSilent.
        """

    def status(self, runpod_id: str) -> Report:
        """Return what RunPod says of a request; status GONE where it says 404.

        Raises RunPodRefused, RunPodBusy, RunPodFailed or RunPodSilent.
        """

    def cancel(self, runpod_id: str) -> None:
        """Stop a request so that it costs no more. Raises as `status` does."""


class CallbackSecrets(Protocol):
    def current(self) -> bytes:
        """Return the secret that new tokens are made with."""

    def live(self) -> tuple[bytes, ...]:
        """Return every secret whose tokens count now."""

    def refetched(self) -> tuple[bytes, ...]:
        """Return the live secrets afresh, unless they were fetched a moment ago."""

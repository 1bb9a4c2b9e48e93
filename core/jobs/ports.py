"""What the use cases ask of the world. The adapters stand beside; tests and simulation bring their own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.job import Job, Source, Summary
from core.runpod.reports import RunPodReport


class JobStore(Protocol):
    """Jobs and calls. Every write holds only on the revision that it was decided on."""

    def create(self, job: Job, calls: Sequence[Call]) -> bool:
        """Record a new job and its calls; return whether all of the calls are new.

        A hundred are recorded all or nothing. Of more, an earlier try may have recorded some, which stay.
        Raises JobExists, and Conflict where others are in the way: then it may or may not be recorded.
        """

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        """Return a job and one of its calls as they are now. Raises UnknownCall."""

    def load_job(self, job_id: str) -> Job:
        """Return a job as it is now. Raises UnknownCall."""

    def load_many(
        self, keys: Sequence[tuple[str, str]]
    ) -> tuple[Mapping[str, Job], Mapping[tuple[str, str], Call]]:
        """Return jobs by their ids, and their calls by job and call id, as they are now.

        Each job that a key names, and its call unless that is "". What is not recorded is left out.
        Costs a request for each hundred of them.
        """

    def save_call(self, call: Call) -> Call:
        """Write a changed call with its pending events; return it as it now stands. Raises Conflict."""

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        """Write a changed job and its changed call, both or neither. Raises Conflict."""

    def save_job(self, job: Job) -> Job:
        """Write a changed job with its pending events; return it as it now stands. Raises Conflict."""

    def count_done(self, job: Job, call: Call, *, due_at: datetime) -> Job:
        """Count a call of a job's stage as done, once however often; return the job as it now stands.

        Takes any number of writers at once: it does not look at the revision. Where calls are counted in
        groups, the job is written with the last of a group, and returned as it was before. Written, it gets
        the time at which the sweeper shall look at it. Raises Conflict if it has ended or is in another
        stage, where that is seen.
        """

    def record_calls(self, calls: Sequence[Call]) -> bool:
        """Record the calls of a stage that is about to begin; return whether all of them are new.

        Those that an earlier try recorded stay as they are.
        """

    def begin_stage(self, job: Job) -> Job:
        """Write a job in its next stage, of which nothing is counted yet. Raises Conflict."""

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield job and call id of every call that is due, longest overdue first.

        A job that is due itself has no call id: "". Costs what is due, not what is stored. May name
        a call that has just been settled.
        """

    def history(self, job_id: str) -> tuple[Job, list[Call], list[AuditEvent]]:
        """Return a job, its calls, and everything that happened to them, oldest first.

        Raises UnknownCall.
        """


@dataclass(frozen=True)
class Upload:
    """An object at exactly one version, whose bytes stay where they are until they are read."""

    metadata: Mapping[str, str]  # the object's own, x-amz-meta- left out, names in lower case
    size_bytes: int
    read: Callable[[int], bytes]  # at most so many; raises BadTranscript where there are more


class Transcripts(Protocol):
    def open(self, source: Source) -> AbstractContextManager[Upload]:
        """Open the object at exactly this version. Raises BadTranscript where it is gone or replaced."""

    def beside(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        """Return what lies under another name of the bucket, if anything does; its latest version.

        Of a larger object than `max_bytes` no more than `max_bytes` + 1 are read. Raises Forbidden.
        """


@dataclass(frozen=True)
class PresignedUrl:
    """A presigned URL, which is a secret."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # signed: to be sent too


class PresignedUrls(Protocol):
    """Lets a holder without AWS keys read one version of one object, or write one key."""

    def to_read(self, source: Source, *, lifetime: timedelta) -> PresignedUrl:
        """Return a URL of exactly this version."""

    def to_deliver(
        self, job_id: str, call_id: str, attempt: int, *, lifetime: timedelta
    ) -> PresignedUrl:
        """Return a URL to put an attempt's result by, where `IntermediateStore.delivered` finds it."""


class Summaries(Protocol):
    """Each method raises OutputRefused where S3 can't be asked, or does not take what it is given.

    And Superseded where a newer upload of the same file has its summary there already.
    """

    def publish(
        self, job: Job, summary: Summary, text: str, facts: Mapping[str, Any], *, now: datetime
    ) -> Summary:
        """Make the summary of a job visible, once: the first one stands, and is returned.

        `facts` are what the engine knows of it; they go into the file beside it.
        """

    def existing(self, job: Job, *, now: datetime) -> Summary | None:
        """Return the job's summary if it is visible, and see to it that its facts are too."""

    def visible(self, job: Job) -> Summary | None:
        """Return the job's summary if it is visible; write nothing."""


class IntermediateStore(Protocol):
    """What is between a transcript and its summary. Each is written once: the first one stands.

    Each method raises OutputRefused where S3 can't be asked, or does not take what it is given.
    """

    def save(self, job_id: str, name: str, text: "IntermediateText") -> None:
        """Store a text by its name within a job, unless there is one."""

    def load(self, job_id: str, name: str) -> "IntermediateText | None":
        """Return a text, if it is there."""

    def record(self, job_id: str, name: str, document: str) -> str:
        """Store a JSON document by its name within a job, unless there is one; return what stands."""

    def recorded(self, job_id: str, name: str) -> str | None:
        """Return a JSON document, if it is there."""

    def delivered(self, job_id: str, call_id: str, attempt: int, *, max_bytes: int) -> bytes | None:
        """Return what the worker of pull mode has put for an attempt, if it is there.

        Of a larger object than `max_bytes` no more than `max_bytes` + 1 are read.
        """


class WorkFiles(Protocol):
    """Old intermediate texts, in a bucket that has no rule for it."""

    def expire(self, part: int, *, now: datetime) -> int:
        """Delete the old ones of one part of all; return how many."""


@dataclass(frozen=True)
class IntermediateText:
    text: str
    was_cut: bool  # the model stopped at its token limit
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempt: int = 0  # that it is the answer of; 0 where nobody said


class WorkQueue(Protocol):
    def request_next_stage(self, job_id: str) -> None:
        """Ask the submitter to go on with a job whose stage is done."""

    def request_attempt(self, job_id: str, call_id: str, *, after: timedelta) -> None:
        """Ask the submitter to give a waiting call its next attempt."""


class RunPod(Protocol):
    """Each of these, but the first, also raises RunPodKeyUnusable where RunPod refuses the API key."""

    def check_key(self) -> None:
        """Read the API key, so that nothing is begun without one; RunPod is not asked.

        Raises RunPodKeyUnusable.
        """

    def run(self, request: Mapping[str, Any]) -> str:
        """Submit one request and return RunPod's id of it.

        Raises RunPodRefused, RunPodBusy, RunPodFailed or RunPodSilent.
        """

    def status(self, runpod_id: str) -> RunPodReport:
        """Return what RunPod says of a request; status GONE where it says 404.

        Raises RunPodRefused, RunPodBusy, RunPodFailed or RunPodSilent.
        """

    def cancel(self, runpod_id: str) -> None:
        """Stop a request so that it costs no more. Raises as `status` does."""

    def keeping_connections(self) -> AbstractContextManager[None]:
        """Ask much within a short time: connections are kept until the end of it."""


class CallbackSecrets(Protocol):
    def current(self) -> bytes:
        """Return the secret that new tokens are made with. Raises SecretUnusable."""

    def live(self) -> tuple[bytes, ...]:
        """Return every secret whose tokens count now. Raises SecretUnusable."""

    def refetched(self) -> tuple[bytes, ...]:
        """Return the live secrets afresh, unless they were fetched a moment ago."""

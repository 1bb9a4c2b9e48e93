"""The receiver over fakes in memory: jobs in every state, secrets in rotation, everything counted."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest import mock

from core import wiring
from core.aws.secrets import ManagedCallbackSecrets, SecretReader
from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.callback import CallRef, token_for
from core.jobs.job import Job
from core.telemetry import logger
from tests.builders import NOON
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3, StoredObject
from tests.functions.use_cases import RETRIES, UseCases
from webhook_receiver import app
from webhook_receiver.receive import Receiver

MAX_ATTEMPTS = 3
OUTPUT_BUCKET = "out"
CURRENT = b"the-current-secret-of-forty-characters-0"
PREVIOUS = b"the-previous-secret-of-forty-characters0"
REMOVED = b"a-secret-that-was-rotated-away-long-ago0"
REFETCH_PAUSE_SECONDS = 30  # as core/aws/secrets.py promises
# Stands in every text that a request carries, so that one look finds any of it where it must not be.
CANARY = "qzjxcanary"


class CountingStore(MemoryJobStore):
    """A store that counts its reads and shows what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        self.reads += 1
        return super().load(job_id, call_id)

    def load_job(self, job_id: str) -> Job:
        self.reads += 1
        return super().load_job(job_id)

    @property
    def contents(
        self,
    ) -> tuple[dict[str, Job], dict[tuple[str, str], Call], dict[str, list[AuditEvent]]]:
        events = {job_id: list(events) for job_id, events in self._events.items()}
        return dict(self._jobs), dict(self._calls), events


@dataclass
class SecretsManager:
    """The one operation that the secrets' reader uses, counted."""

    value: str
    fetches: int = 0

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        self.fetches += 1
        return {"SecretString": self.value}


@dataclass(frozen=True)
class Picture:
    """Everything that a request could have changed."""

    jobs: dict[str, Job]
    calls: dict[tuple[str, str], Call]
    events: dict[str, list[AuditEvent]]
    objects: dict[tuple[str, str], StoredObject]
    attempts_wanted: list[tuple[str, str, timedelta]]
    stages_wanted: list[str]


@dataclass
class Answer:
    """What one request brought about, as far as somebody outside could see it."""

    response: Any = None
    error: BaseException | None = None
    log: str = ""
    reads: int = 0
    fetches: int = 0
    before: Picture | None = None
    after: Picture | None = None


@dataclass
class ReceiverHarness:
    store: CountingStore = field(default_factory=CountingStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    runpod: MemoryRunPod | None = None  # set: callbacks are verified
    secrets_manager: SecretsManager = field(default_factory=lambda: SecretsManager(""))
    refs: list[CallRef] = field(default_factory=list)  # every attempt that was ever begun
    delivered: list[str] = field(default_factory=list)  # what pull mode's workers have put
    minted: dict[tuple[str, str, str, str], CallRef] = field(default_factory=dict)
    seconds: int = 0
    fetched_at: float = float("-inf")

    def __post_init__(self) -> None:
        reader = SecretReader(
            self.secrets_manager,  # type: ignore[arg-type]
            "callback",
            monotonic=lambda: self.seconds,
        )
        self._secrets = ManagedCallbackSecrets(reader)

    def path_to(self, ref: CallRef, secret: bytes = CURRENT) -> dict[str, str]:
        """Return the path of a true callback URL, and remember it as such."""
        path = {
            "job_id": ref.job_id,
            "call_id": ref.call_id,
            "attempt": str(ref.attempt),
            "token": token_for(ref, secret),
        }
        self.minted[path["job_id"], path["call_id"], path["attempt"], path["token"]] = ref
        return path

    def call(self, ref: CallRef) -> Call:
        return self.store.contents[1][ref.job_id, ref.call_id]

    def picture(self) -> Picture:
        jobs, calls, events = self.store.contents
        return Picture(
            jobs=jobs,
            calls=calls,
            events=events,
            objects=dict(self.s3.objects),
            attempts_wanted=list(self.queue.sent),
            stages_wanted=list(self.queue.stages),
        )

    def send(self, event: dict[str, Any]) -> Answer:
        """Let the handler answer one event and return all there is to see of it."""
        self.seconds += 1
        answer = Answer(before=self.picture())
        reads, fetches = self.store.reads, self.secrets_manager.fetches
        with _installed(self) as written:
            try:
                answer.response = app.handler(event, None)
            except Exception as exc:  # whatever it is, it is a finding
                answer.error = exc
        answer.log = written.getvalue()
        answer.reads = self.store.reads - reads
        answer.fetches = self.secrets_manager.fetches - fetches
        answer.after = self.picture()
        return answer

    def wiring(self) -> tuple[Receiver, ManagedCallbackSecrets]:
        use_cases = UseCases(
            store=self.store,
            s3=self.s3,
            queue=self.queue,
            clock=lambda: NOON,
            retries=replace(RETRIES, max_attempts=MAX_ATTEMPTS),
            output_bucket=OUTPUT_BUCKET,
        )
        settler = use_cases.settler("webhook_receiver")
        receiver = Receiver(settler=settler, store=self.store, verify_with=self.runpod)
        return receiver, self._secrets

    def prime(self, fetched: dict[str, str], stored: dict[str, str]) -> None:
        """Let the receiver have fetched one value of the secret before another was stored."""
        self.secrets_manager.value = json.dumps(fetched)
        self._secrets.live()
        self.secrets_manager.value = json.dumps(stored)
        self.secrets_manager.fetches = 0


@contextmanager
def _installed(harness: ReceiverHarness) -> Iterator[io.StringIO]:
    """Give the handler this harness and take what it prints: log lines and metrics."""
    written = io.StringIO()
    now = NOON + timedelta(minutes=2, seconds=harness.seconds)
    handlers = [each for each in logger.handlers if isinstance(each, logging.StreamHandler)]
    streams = [each.stream for each in handlers]
    for handler in handlers:
        handler.stream = written
    try:
        with (
            mock.patch.object(app, "_wiring", harness.wiring),
            mock.patch.object(wiring, "now", return_value=now),
            redirect_stdout(written),
        ):
            yield written
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            handler.stream = stream

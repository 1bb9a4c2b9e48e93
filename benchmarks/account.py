"""The deployed functions over moto's S3 and a quick table, on virtual time, with every request counted.

The handlers are the real ones, wired as in Lambda; each request of theirs takes as long as
benchmarks/virtual_time.py supposes. While a transaction is under way, DynamoDB turns other writes of its
items away, which no emulator does and this does. SQS brings a message when it is due, to as many submitters
at once as the template allows. RunPod takes requests until its limit.
"""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from greenlet import getcurrent

from benchmarks.quick_table import QuickTable, Refused
from benchmarks.units import TABLE_KEY, Meter, writes_of
from benchmarks.virtual_time import (
    NEW_CONNECTION_SECONDS,
    RUNPOD_SECONDS,
    SECONDS_OF,
    SECONDS_OF_SERVICE,
    VirtualTime,
    spend,
    threads_in_virtual_time,
)
from core import wiring
from core.errors import RunPodBusy
from core.telemetry import logger, metrics
from runpod_simulator.config import Config
from runpod_simulator.rate_limits import RateLimiter
from tests.fakes.cloud import APPS, Cloud, Context, running_cloud
from tests.fakes.lambda_events import UPLOAD_BUCKET, callback_event, s3_notification, sqs_batch
from tests.fakes.memory import MemoryRunPod
from tests.simulation.scheduler import SimulatedThread

TIMEOUTS_SECONDS = {"submitter": 60.0, "webhook_receiver": 15.0}  # as in template.yaml
_SQS_DELIVERS_SECONDS = 0.05


@dataclass
class LimitedRunPod(MemoryRunPod):
    """Takes as many requests as RunPod does, and as long."""

    time: VirtualTime = field(default_factory=VirtualTime)
    refused: int = 0
    on_run: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._limiter = RateLimiter(Config().run_limit)

    def run(self, request: Mapping[str, Any]) -> str:
        self.on_run()
        is_taken = self._limiter.acquire(self.time.now_seconds)
        spend(RUNPOD_SECONDS + NEW_CONNECTION_SECONDS)
        if not is_taken:
            self.refused += 1
            raise RunPodBusy("RunPod is taking no more requests for now (429)")
        self._limiter.release()
        return super().run(request)


@dataclass
class Account:
    cloud: Cloud
    time: VirtualTime
    runpod: LimitedRunPod
    submitters_at_once: int = 5  # SubmitterMaxConcurrency
    table: QuickTable = field(default_factory=QuickTable)
    invoked: Counter[str] = field(default_factory=Counter)
    longest_seconds: Counter[str] = field(default_factory=Counter)  # invocation, by function
    trace: list[str] = field(default_factory=list)  # the requests in order, and "run"
    failed: list[BaseException] = field(default_factory=list)
    _queue: list[str] = field(default_factory=list)
    _submitters: int = 0
    _answered: int = 0
    _delivers: bool = True
    _in_transaction: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.meter = Meter(self.table.look_up)

    def upload(self, key: str, text: str) -> None:
        self.cloud.upload(key, text)
        etag = boto3.client("s3").head_object(Bucket=UPLOAD_BUCKET, Key=key)["ETag"].strip('"')
        self._queue.append(json.dumps(s3_notification(key, etag)))
        self.run()

    def open_requests(self) -> int:
        """Return how many requests RunPod has taken that nobody has answered."""
        return len(self.runpod.requests) - self._answered

    def take_requests(self) -> dict[str, Mapping[str, Any]]:
        """Return the open requests by RunPod's ids; they are to be answered now."""
        taken = self.runpod.requests[self._answered :]
        first, self._answered = self._answered + 1, len(self.runpod.requests)
        return {f"rp-{number}": request for number, request in enumerate(taken, first)}

    def call_back(self, answers: Mapping[str, Mapping[str, Any]], *, delivers: bool = True) -> None:
        """Let RunPod call back about requests, by their callback URLs, at the same instant.

        What is sent meanwhile stays in the queue until the next `run`, unless it is to be delivered.
        """
        self._delivers = delivers
        for webhook, body in answers.items():
            self._invoke("webhook_receiver", callback_event(webhook, body), lambda: None)
        self.time.run()
        self._delivers = True

    def run(self) -> None:
        """Go on until nothing is left to do."""
        self._deliver()
        self.time.run()

    def measured(self, work: Callable[[], None]) -> tuple[float, Meter]:
        """Return how long something takes, with a meter of its own."""
        self.meter, begun = Meter(self.table.look_up), self.time.now_seconds
        work()
        return self.time.now_seconds - begun, self.meter

    def _deliver(self) -> None:
        while self._delivers and self._queue and self._submitters < self.submitters_at_once:
            self._submitters += 1
            self._invoke("submitter", sqs_batch(self._queue.pop(0)), self._is_free)

    def _is_free(self) -> None:
        self._submitters -= 1
        self._deliver()

    def _invoke(self, function: str, event: dict[str, Any], then: Callable[[], None]) -> None:
        begun = self.time.now_seconds

        def ended(result: Any, error: BaseException | None) -> None:
            if error or (result or {}).get("batchItemFailures"):
                self.failed.append(error or RuntimeError(f"{result}"))
            seconds = self.time.now_seconds - begun
            self.longest_seconds[function] = max(self.longest_seconds[function], seconds)
            then()

        self.invoked[function] += 1
        self.time.invoke(
            lambda: APPS[function].handler(event, Context()),
            timeout_seconds=TIMEOUTS_SECONDS[function],
            on_end=ended,
        )

    def request(
        self, client: Any, operation: str, params: dict[str, Any], make: Callable[[], Any]
    ) -> Any:
        """Make a function's request in virtual time."""
        service = client.meta.service_model.service_name
        if service == "dynamodb":
            make = lambda: asked_of(self.table, client, operation, params)  # noqa: E731
        if not isinstance(getcurrent(), SimulatedThread):
            return make()
        self.trace.append(f"{service}.{operation}")
        seconds = SECONDS_OF.get(operation, SECONDS_OF_SERVICE[service])
        if service == "sqs":
            make = lambda: self._send(operation, params)  # noqa: E731
        spend(seconds / 2)
        keys = [
            tuple(next(iter(key[name].values())) for name in TABLE_KEY)
            for _, key in writes_of(operation, params)
        ]
        if any(self._in_transaction[key] for key in keys):  # type: ignore[index]
            make = lambda: _turn_away(operation)  # noqa: E731
        elif operation == "TransactWriteItems":
            self._in_transaction.update(keys)  # type: ignore[arg-type]
            spend(seconds / 2)
            self._in_transaction.subtract(keys)  # type: ignore[arg-type]
        answer = self.meter.counted(service, operation, params, make)
        spend(seconds / 2)
        return answer

    def _send(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        many = operation == "SendMessageBatch"
        messages = params["Entries"] if many else [params]
        for message in messages:
            delay = message.get("DelaySeconds", 0) + _SQS_DELIVERS_SECONDS
            self.time.after(delay, lambda body=message["MessageBody"]: self._arrive(body))
        if many:
            return {"Successful": [{"Id": each["Id"], "MessageId": "m"} for each in messages]}
        return {"MessageId": "m"}

    def _arrive(self, body: str) -> None:
        self._queue.append(body)
        self._deliver()


def asked_of(table: QuickTable, client: Any, operation: str, params: Mapping[str, Any]) -> Any:
    """Ask a table as a client's method does. Raises the client's own exceptions."""
    try:
        return table.answer(operation, params)
    except Refused as exc:
        error: Any = {"Error": {"Code": exc.code, "Message": exc.code}}
        if exc.reasons:
            error["CancellationReasons"] = [{"Code": reason} for reason in exc.reasons]
        raise client.exceptions.from_code(exc.code)(error, operation) from None


def _turn_away(operation: str) -> None:
    """Do what DynamoDB does with a write of an item that a transaction is at."""
    if operation == "TransactWriteItems":
        reasons = {"CancellationReasons": [{"Code": "TransactionConflict"}]}
        error: Any = {"Error": {"Code": "TransactionCanceledException"}, **reasons}
    else:
        error = {"Error": {"Code": "TransactionConflictException"}}
    raise ClientError(error, operation)


@contextmanager
def an_account(**environment: str) -> Iterator[Account]:
    time = VirtualTime()
    runpod = LimitedRunPod(time=time)
    real = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001
    with ExitStack() as stack:
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        cloud = stack.enter_context(running_cloud(monkeypatch, **environment))
        account = Account(cloud, time, runpod)
        runpod.on_run = lambda: account.trace.append("run")

        def request(client: Any, operation: str, params: dict[str, Any]) -> Any:
            return account.request(
                client, operation, params, lambda: real(client, operation, params)
            )

        monkeypatch.setattr(BaseClient, "_make_api_call", request)
        monkeypatch.setattr(wiring, "now", time.now)
        monkeypatch.setattr(metrics, "namespace", "Benchmarks")  # Lambda's comes from the template
        monkeypatch.setattr(wiring, "runpod", lambda _: runpod)
        stack.enter_context(threads_in_virtual_time())
        output = io.StringIO()
        for handler in logger._logger.handlers:  # noqa: SLF001
            stack.callback(handler.setStream, handler.setStream(output))
        stack.enter_context(redirect_stdout(output))
        yield account

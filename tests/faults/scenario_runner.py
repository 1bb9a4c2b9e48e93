"""Runs one scenario over moto from the upload to the end, and returns what there is afterwards.

moto's AWS is started once and emptied for each run: starting it costs more than most runs do.
"""

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, TypeVar

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import base as parameters
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from requests.adapters import HTTPAdapter

from core import wiring
from core.aws.items import JOB_ITEM, to_call, to_event, to_job
from core.aws.secrets import SecretReader
from core.aws.values import unpacked
from core.jobs.audit import AuditEvent
from core.jobs.call import Call
from core.jobs.job import Job, JobState
from core.telemetry import logger
from tests.builders import NOON
from tests.fakes.aws import AN_ENVIRONMENT
from tests.fakes.cloud import APPS, Cloud, running_cloud
from tests.fakes.lambda_events import s3_notification
from tests.fakes.runpod_endpoint import Habits, Run
from tests.faults.event_loop import EventLoop
from tests.faults.sites import Site
from tests.faults.wire import Plan
from tests.replay import Kept

T = TypeVar("T")

_SERVICES = ("dynamodb", "s3", "sqs", "secretsmanager")
_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Scenario:
    """An upload, and what RunPod and AWS do with it."""

    name: str
    transcript: str
    key: str = "calls/board.txt"
    habits: Habits = field(default_factory=Habits)
    environment: Mapping[str, str] = field(default_factory=dict)
    slow_messages: str = ""  # which of our own messages others overtake
    repeats: bool = False  # also the sites that an earlier scenario has
    in_each_stage: bool = False  # each site's first call of every stage fails, not the first of all
    ends: JobState = JobState.SUCCEEDED


@dataclass(frozen=True)
class Ended:
    """What there is when a run has ended."""

    seen: Counter[Site]
    first_in_stage: dict[tuple[Site, int], int]  # which of a site's calls was a stage's first
    has_failed: bool  # the planned call was made, and failed
    job: Job
    calls: list[Call]
    audits: dict[str, list[AuditEvent]]  # of each item
    lines_changed: int  # lines of the audit that were changed or removed on the way
    objects: dict[str, str]  # the output bucket
    metadata: dict[str, dict[str, str]]  # of each of them
    runs: list[Run]
    still_due: list[str]
    is_at_rest: bool  # a sweep an hour later changed nothing
    dead_letters: list[str]
    log: str  # what Lambda would have logged

    @property
    def kept(self) -> Kept:
        return {key: (text, self.metadata[key]) for key, text in self.objects.items()}


class ScenarioRunner:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._environment = {name: os.environ[name] for name in AN_ENVIRONMENT}
        self._dynamodb, self._s3 = boto3.client("dynamodb"), boto3.client("s3")
        self._clients = {service: self._watched(service) for service in _SERVICES}

    def run(
        self,
        scenario: Scenario,
        plan: Plan | None = None,
        *,
        begin: Callable[[EventLoop], None] | None = None,
        fork: Callable[[Site, int], Plan | None] | None = None,
    ) -> Ended:
        """Play a scenario to its end, from its upload, or from what `begin` puts in its place.

        `fork` is asked at each call for a plan to go on with (tests/faults/forks.py).
        """
        self.empty()
        audits: list[dict[str, list[Any]]] = []
        loop = EventLoop(
            self._cloud,
            scenario.habits,
            plan,
            is_over=self._all_has_ended,
            stage=self._stage,
            after_invocation=lambda: audits.append(self._audits()),
            put=lambda key, body: self._s3.put_object(Bucket="out", Key=key, Body=body),
            slow_messages=scenario.slow_messages,
        )
        if fork:
            loop.wire.fork = fork
        with self._wired(loop, scenario), _told_to(loop):
            if begin:
                begin(loop)
            else:
                self.upload(loop, scenario)
            loop.play()
            items = self._items()
            loop.now += _AN_HOUR
            loop.sweep()
        (job,) = [to_job(item) for item in items if item["item"] == JOB_ITEM]
        return Ended(
            seen=loop.wire.seen,
            first_in_stage=loop.wire.first_in_stage,
            has_failed=loop.wire.has_failed,
            job=job,
            calls=[to_call(item) for item in items if item["item"] != JOB_ITEM],
            audits={item["item"]: [to_event(line) for line in item["events"]] for item in items},
            lines_changed=_lines_changed(audits),
            objects=self.objects(),
            metadata=self.metadata(),
            runs=loop.runpod.runs,
            still_due=[item["item"] for item in items if "due_group" in item],
            is_at_rest=items == self._items(),
            dead_letters=loop.dead_letters,
            log=loop.log.getvalue(),
        )

    # ---- before ------------------------------------------------------------------------------

    def _watched(self, service: str) -> Any:
        client = boto3.Session().client(service, config=wiring._CONFIG)  # its own: it is watched
        events = client.meta.events
        events.register("before-call", self._before_call)
        events.register("after-call", self._after_call)
        events.register_first("before-send", partial(self._before_send, events.emit))
        return client

    def _before_call(self, **event: Any) -> Any:
        return self._loop.wire.before_call(**event)

    def _after_call(self, **event: Any) -> None:
        self._loop.wire.after_call(**event)

    def _before_send(self, emit: Callable[..., Any], **event: Any) -> None:
        self._loop.wire.before_send(emit, **event)

    def empty(self) -> None:
        _backend(dynamodb_backends, "us-east-1").tables["jobs"].items.clear()
        for key in list(self._bucket()):
            self._s3.delete_object(Bucket="out", Key=key)

    @contextmanager
    def _wired(self, loop: EventLoop, scenario: Scenario) -> Iterator[None]:
        self._loop = loop
        loop.runpod.serve(self._cloud.runpod)
        send = HTTPAdapter.send
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self._environment, **scenario.environment}.items():
                patch.setenv(name, value)
            patch.setattr(wiring, "now", lambda: loop.now)
            patch.setattr(wiring, "SecretReader", partial(SecretReader, monotonic=loop.monotonic))
            patch.setattr(wiring, "client", self._clients.__getitem__)
            patch.setattr(HTTPAdapter, "send", lambda *a, **o: loop.wire.send(send, *a, **o))
            # No threads, so that every run makes its calls in one order; and moto's conditional writes are
            # not atomic, so that of two at once both would hold.
            patch.setattr(ThreadPoolExecutor, "submit", _done_at_once)
            patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
            # A secret is kept for minutes of the computer's clock, and forks can hold a run up for longer.
            patch.setattr(parameters, "datetime", SimpleNamespace(now=lambda: NOON))
            _forget_wiring()
            yield
        _forget_wiring()

    def upload(self, loop: EventLoop, scenario: Scenario) -> None:
        body = scenario.transcript.encode()
        put = self._s3.put_object(Bucket="transcripts", Key=scenario.key, Body=body)
        announced = s3_notification(scenario.key, put["ETag"].strip('"'), size=len(body))
        loop.send(json.dumps(announced))

    # ---- after -------------------------------------------------------------------------------

    # moto's own memory is read here: through its API this would take half of the time.

    def stored_items(self) -> list[dict[str, Any]]:
        """Return every item of the table as DynamoDB writes it."""
        table = _backend(dynamodb_backends, "us-east-1").tables["jobs"]
        return [item.to_json()["Attributes"] for item in table.all_items()]

    def _items(self) -> list[dict[str, Any]]:
        return [unpacked(item) for item in self.stored_items()]

    def _audits(self) -> dict[str, list[Any]]:
        return {item["item"]: item["events"] for item in self._items()}

    def _all_has_ended(self) -> bool:
        """Has the job ended, and is nothing due? Whoever dies between two writes can leave a call open."""
        items = self._items()
        job = [item for item in items if item["item"] == JOB_ITEM]
        is_due = any("due_group" in item for item in items)
        return not is_due and any(item["state"] != JobState.ACTIVE for item in job)

    def _stage(self) -> int:
        return max((int(item.get("stage", 0)) for item in self._items()), default=0)

    def objects(self) -> dict[str, str]:
        return {key: s3_object.value.decode() for key, s3_object in self._bucket().items()}

    def metadata(self) -> dict[str, dict[str, str]]:
        return {
            key: {
                name.removeprefix("x-amz-meta-"): value
                for name, value in s3_object.metadata.items()
            }
            for key, s3_object in self._bucket().items()
        }

    def _bucket(self) -> Any:
        return _backend(s3_backends, "aws").buckets["out"].keys


def _done_at_once(
    _pool: ThreadPoolExecutor, work: Callable[..., T], /, *args: Any, **options: Any
) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work(*args, **options))
    except BaseException as exc:
        future.set_exception(exc)
    return future


def _backend(backends: Any, place: str) -> Any:
    (account,) = backends.values()
    return account[place]


@contextmanager
def scenario_runner() -> Iterator[ScenarioRunner]:
    """Start moto's AWS for any number of runs, one after the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with running_cloud(patch) as cloud:
            yield ScenarioRunner(cloud)


@contextmanager
def _told_to(loop: EventLoop) -> Iterator[None]:
    """Collect what Lambda would log: the functions' lines, and what libraries log at INFO."""
    root, lambdas = logging.getLogger(), logging.StreamHandler(loop.log)
    before = root.level
    root.addHandler(lambdas)
    root.setLevel(logging.INFO)
    stream = logger.registered_handler.setStream(loop.log)
    with redirect_stdout(loop.log):
        yield
    logger.registered_handler.setStream(stream)
    root.setLevel(before)
    root.removeHandler(lambdas)


def _forget_wiring() -> None:
    for app in APPS.values():
        app._wiring.cache_clear()


def _lines_changed(audits: list[dict[str, list[Any]]]) -> int:
    changed = 0
    for before, after in pairwise(audits):
        for item, lines in before.items():
            kept = after.get(item, [])[: len(lines)]
            changed += sum(one != other for one, other in zip(lines, kept, strict=False))
            changed += len(lines) - len(kept)
    return changed

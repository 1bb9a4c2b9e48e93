"""What a job takes of AWS, counted over moto while the real handlers make a summary of it."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from benchmarks.units import TABLE_KEY, Item, Meter, size_of
from benchmarks.virtual_time import RUNPOD_SECONDS, SECONDS_OF, SECONDS_OF_SERVICE
from core.telemetry import logger
from tests.fakes.cloud import Cloud, captured_log, running_cloud
from tests.fakes.driving import drive
from tests.fakes.model import a_transcript

_REGION = "us-east-1"


@dataclass(frozen=True)
class Own:
    """Assumed seconds of a function's own code, warm, at its memory."""

    an_invocation: float
    a_thousand_words: float = 0.0  # to read and plan
    at_once: int = 1  # requests of an invocation that are under way together, on average


OWN_SECONDS = {
    "submitter": Own(0.030, 0.010, at_once=4),
    "webhook_receiver": Own(0.015),
    "notifier": Own(0.015),
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Of one job."""

    words: int
    calls: int
    rounds: int
    requests: Mapping[str, int]  # "s3.PutObject": 2
    requests_of: Mapping[str, Mapping[str, int]]  # the same by function, with "runpod.run"
    invocations: Mapping[str, int]  # by function
    write_units: Mapping[str, int]  # "table", and each index by its name
    read_units: float
    stored_bytes: Mapping[str, int]  # "transcripts", "summaries", "work", "table"
    sent_bytes: int  # to RunPod
    log_bytes: int
    largest_item_bytes: int

    @property
    def seconds(self) -> dict[str, float]:
        """Return the seconds that each function runs for the job, warm, by latencies that are assumed.

        What an invocation asks one after the other adds up; a stage's requests go out several at a time.
        """
        return {
            function: self.invocations[function] * ours.an_invocation
            + self.words / 1_000 * ours.a_thousand_words
            + sum(number * latency(name) for name, number in self.requests_of[function].items())
            / ours.at_once
            for function, ours in OWN_SECONDS.items()
        }

    @property
    def aws_requests(self) -> int:
        return sum(self.requests.values())


def latency(name: str) -> float:
    """Return the seconds that a request is assumed to take: "s3.PutObject"."""
    service, _, operation = name.partition(".")
    if service == "runpod":
        return RUNPOD_SECONDS
    return SECONDS_OF.get(operation, SECONDS_OF_SERVICE[service])


@cache
def usage_of(words: int) -> Usage:
    """Return what a job of so many words takes, with a model that obeys."""
    with ExitStack() as held:
        monkeypatch = held.enter_context(pytest.MonkeyPatch.context())
        monkeypatch.setenv("AWS_DEFAULT_REGION", _REGION)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        cloud = held.enter_context(running_cloud(monkeypatch, MAX_TRANSCRIPT_BYTES="25000000"))
        log = held.enter_context(_logged())
        meter = Meter(_stored_by_moto)
        held.enter_context(meter.watching())
        invocations, requests_of = _summarise(cloud, words)
        job, calls, _ = cloud.only_job()
        assert job.summary is not None
        return Usage(
            words=words,
            calls=len(calls),
            rounds=max(call.stage for call in calls),
            requests=_without_secrets(cloud.requests),
            requests_of=requests_of,
            invocations=invocations,
            write_units={"table": sum(meter.write_units.values()), **meter.index_units},
            read_units=meter.read_units,
            stored_bytes=_stored_bytes(),
            sent_bytes=sum(len(call.request.body or b"") for call in cloud.runpod.calls),
            log_bytes=len(log.getvalue().encode()),
            largest_item_bytes=max(meter.largest_bytes.values()),
        )


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """Yield what the functions print, which is what goes to CloudWatch: log lines and metrics."""
    handlers, logger.handlers[:] = logger.handlers[:], []
    try:
        with captured_log() as printed, redirect_stdout(printed):
            yield printed
    finally:
        logger.handlers[:] = handlers


def _without_secrets(requests: Mapping[str, int]) -> dict[str, int]:
    """Leave out secrets: they are read once in five minutes, whatever comes in them."""
    return {
        name: number
        for name, number in sorted(requests.items())
        if number and not name.startswith("secretsmanager.")
    }


def _summarise(cloud: Cloud, words: int) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Drive a job to its end; return what was invoked, and what each function asked for."""
    invocations: Counter[str] = Counter()
    requests_of: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def invoke(function: str, event: dict[str, Any]) -> None:
        invocations[function] += 1
        before, runs = Counter(cloud.requests), len(cloud.runpod.calls)
        cloud.invoke(function, event)
        requests_of[function] += Counter(_without_secrets(cloud.requests - before))
        requests_of[function]["runpod.run"] += len(cloud.runpod.calls) - runs

    drive(cloud, a_transcript(words), invoke=invoke)
    invocations["notifier"] += 1  # by the table's stream, which moto does not play
    requests_of["notifier"]["events.PutEvents"] += 1
    return invocations, dict(requests_of)


def _stored_by_moto(table: str, key: Item) -> Item | None:
    """Return an item as it is stored, without a request."""
    held = dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION].tables[table]
    found = held.get_item(*(DynamoType(key[name]) for name in TABLE_KEY))
    return None if found is None else dict(found.to_json()["Attributes"])


def _stored_bytes() -> dict[str, int]:
    sizes: Counter[str] = Counter()
    s3 = boto3.client("s3")
    for bucket in ("transcripts", "out"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for each in page.get("Contents", ()):
                where = "transcripts" if bucket == "transcripts" else each["Key"].split("/")[0]
                sizes[where] += each["Size"]
    for item in boto3.client("dynamodb").get_paginator("scan").paginate(TableName="jobs"):
        sizes["table"] += sum(map(size_of, item["Items"]))
    return dict(sizes)

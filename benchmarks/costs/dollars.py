"""Dollars for 1,000 summaries, line by line: how many of what, at which price."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from benchmarks.costs.usage import Usage
from core.telemetry import Metric

_FILE = Path(__file__).with_name("prices.toml")
_TEMPLATE = Path(__file__).parents[2] / "template.yaml"
SUMMARIES = 1_000
_GB = 1e9
_FUNCTIONS = {
    "submitter": "SubmitterFunction",
    "webhook_receiver": "WebhookReceiverFunction",
    "notifier": "NotifierFunction",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    service: str
    what: str
    number: float  # for 1,000 summaries
    price: float  # of one

    @property
    def dollars(self) -> float:
        return self.number * self.price


@cache
def prices() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def template() -> Mapping[str, Any]:
    held: Mapping[str, Any] = yaml_parse(_TEMPLATE.read_text(encoding="utf-8"))
    return held


def lines(usage: Usage) -> list[Line]:
    """Return what AWS charges for 1,000 summaries of such a job. A month's storage is in it."""
    return [
        Line(service=service, what=what, number=number * SUMMARIES, price=price)
        for service, what, number, price in (*_compute(usage), *_store(usage), *_rest(usage))
    ]


def gb_seconds(usage: Usage) -> float:
    """Return the billed GB-seconds of a job's functions, warm."""
    return sum(seconds * memory_gb(name) for name, seconds in usage.seconds.items())


def memory_gb(function: str) -> float:
    own = template()["Resources"][_FUNCTIONS[function]]["Properties"]
    shared = template()["Globals"]["Function"]
    return float(own.get("MemorySize", shared["MemorySize"])) / 1024


_Counted = tuple[str, str, float, float]


def _compute(usage: Usage) -> Iterator[_Counted]:
    held = prices()
    invocations = sum(usage.invocations.values())
    yield "Lambda", "GB-seconds", gb_seconds(usage), held["lambda"]["gb_second"]
    yield "Lambda", "invocations", invocations, held["lambda"]["request"]
    yield "API Gateway", "callbacks", usage.calls, held["api_gateway"]["request"]


def _store(usage: Usage) -> Iterator[_Counted]:
    dynamodb, s3 = prices()["dynamodb"], prices()["s3"]
    written = sum(usage.write_units.values())
    yield "DynamoDB", "write units, indexes included", written, dynamodb["write_unit"]
    yield "DynamoDB", "read units", usage.read_units, dynamodb["read_unit"]
    table = usage.stored_bytes.get("table", 0) / _GB
    yield (
        "DynamoDB",
        "GB-months, with backup",
        table,
        dynamodb["gb_month"] + dynamodb["backup_gb_month"],
    )
    requests = usage.requests
    writes = sum(requests.get(f"s3.{each}", 0) for each in ("PutObject", "ListObjectsV2"))
    reads = sum(requests.get(f"s3.{each}", 0) for each in ("GetObject", "HeadObject"))
    yield "S3", "writes, the upload's too", writes + 1, s3["write"]
    yield "S3", "reads", reads, s3["read"]
    kept = sum(usage.stored_bytes.get(each, 0) for each in ("transcripts", "summaries"))
    work = usage.stored_bytes.get("work", 0) * 7 / 30  # WorkFileRetentionDays as shipped
    yield "S3", "GB-months", (kept + work) / _GB, s3["gb_month"]


def _rest(usage: Usage) -> Iterator[_Counted]:
    held = prices()
    messages = 1 + usage.requests.get("sqs.SendMessage", 0)  # S3's, and ours
    yield "SQS", "requests: sent, received, deleted", 3 * messages, held["sqs"]["request"]
    yield "EventBridge", "events: the upload, the notice", 2, held["eventbridge"]["event"]
    yield "CloudWatch", "GB of log", usage.log_bytes / _GB, held["cloudwatch"]["log_gb"]
    yield "Transfer", "GB to RunPod", usage.sent_bytes / _GB, held["transfer"]["out_gb"]


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What a stack costs in a month without a single transcript."""

    what: str
    number: float
    price: float

    @property
    def dollars(self) -> float:
        return self.number * self.price


def fixed() -> list[Fixed]:
    held, resources = prices(), template()["Resources"]
    kinds = [each["Type"] for each in resources.values()]
    cloudwatch, month_seconds = held["cloudwatch"], 30 * 86_400
    sweeps, polls = month_seconds / 120, 5 * month_seconds / 20  # five pollers, 20 s each
    sweep_gb_seconds = sweeps * 0.1 * 0.5
    counted = (
        ("alarms", kinds.count("AWS::CloudWatch::Alarm"), cloudwatch["alarm_month"]),
        ("metrics, each that has a value", len(Metric), cloudwatch["metric_month"]),
        ("dashboard", kinds.count("AWS::CloudWatch::Dashboard"), cloudwatch["dashboard_month"]),
        ("secrets: RunPod's key, the callbacks'", 2, held["secrets_manager"]["secret_month"]),
        ("sweeps: GB-seconds", sweep_gb_seconds, held["lambda"]["gb_second"]),
        ("the queue's empty polls", polls, held["sqs"]["request"]),
    )
    return [Fixed(what=what, number=number, price=price) for what, number, price in counted]

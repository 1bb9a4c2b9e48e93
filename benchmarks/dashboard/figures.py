"""What a run has left to draw: samples of each metric, and the lines of failed jobs.

The emulator keeps what the functions print and makes no metrics of it. So the embedded ones are read from
the log, Lambda's own from its report lines, and the API's from the receiver's lines.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cli.deployment import Deployment

_REPORT = re.compile(r"^REPORT .*\bDuration: ([\d.]+) ms")


@dataclass(frozen=True)
class Sample:
    at: float  # seconds since the epoch
    name: str  # with its namespace and the value of its dimension
    value: float


def name_of(namespace: str, metric: str, dimension: str) -> str:
    return f"{namespace} {metric} {dimension}"


@dataclass(frozen=True)
class Figures:
    """One run."""

    began_at: float
    ended_at: float
    body: Mapping[str, Any]  # of the dashboard, as it was deployed
    alarms: Sequence[Mapping[str, Any]]  # as they were deployed
    samples: Sequence[Sample]
    failed_jobs: Sequence[Mapping[str, Any]]  # their log lines

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def load(cls, path: Path) -> "Figures":
        fields = json.loads(path.read_text())
        return cls(**fields | {"samples": [Sample(**each) for each in fields["samples"]]})


def collected(
    deployment: Deployment, *, began_at: float, observed: Sequence[Sample] = ()
) -> Figures:
    """Return what a run has left, with what was observed of it while it lasted."""
    samples, failed = _logged(deployment)
    cloudwatch = deployment.client("cloudwatch")
    dashboard = cloudwatch.get_dashboard(DashboardName=deployment.outputs["DashboardName"])
    return Figures(
        began_at=began_at,
        ended_at=time.time(),
        body=json.loads(dashboard["DashboardBody"]),
        alarms=[
            alarm
            for page in cloudwatch.get_paginator("describe_alarms").paginate()
            for alarm in page["MetricAlarms"]
        ],
        samples=[*observed, *samples],
        failed_jobs=failed,
    )


def _logged(deployment: Deployment) -> tuple[list[Sample], list[dict[str, Any]]]:
    """Return the samples in the functions' logs, and the lines of failed jobs."""
    samples: list[Sample] = []
    failed: list[dict[str, Any]] = []
    api = deployment.outputs["WebhookUrl"].split("//")[1].split(".")[0]
    functions = [name for key, name in deployment.outputs.items() if key.endswith("Function")]
    for name in functions:
        for at, message in _lines(deployment, name):
            samples += _of_lambda(at, message, name)
            fields = _fields(message)
            samples += _embedded(fields)
            if fields.get("message") == "job failed":
                failed.append(fields | {"at": at})
            if str(fields.get("message", "")).startswith("callback refused"):
                samples.append(Sample(at, name_of("AWS/ApiGateway", "4xx", api), 1))
    return samples, failed


def _lines(deployment: Deployment, function: str) -> Iterator[tuple[float, str]]:
    pages = deployment.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=f"/aws/lambda/{function}"):
        for event in page["events"]:
            for line in event["message"].splitlines():
                yield event["timestamp"] / 1000, line


def _fields(message: str) -> dict[str, Any]:
    try:
        fields = json.loads(message)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _of_lambda(at: float, message: str, function: str) -> Iterator[Sample]:
    report = _REPORT.match(message)
    if report:
        yield Sample(at, name_of("AWS/Lambda", "Duration", function), float(report[1]))
        for metric in ("Errors", "Throttles"):
            yield Sample(at, name_of("AWS/Lambda", metric, function), 0)
        yield Sample(at, name_of("AWS/Lambda", "Invocations", function), 1)
    elif "Task timed out" in message or '"errorType"' in message:
        yield Sample(at, name_of("AWS/Lambda", "Errors", function), 1)


def _embedded(fields: Mapping[str, Any]) -> Iterator[Sample]:
    told = fields.get("_aws", {})
    for directive in told.get("CloudWatchMetrics", []):
        ((dimension,),) = directive["Dimensions"]
        for metric in directive["Metrics"]:
            for value in fields[metric["Name"]]:
                name = name_of(directive["Namespace"], metric["Name"], fields[dimension])
                yield Sample(told["Timestamp"] / 1000, name, value)

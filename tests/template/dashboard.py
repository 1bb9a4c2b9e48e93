"""The deployed template's alarms and dashboard, and what they watch."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.template.cloudformation import deployed, of_type


@dataclass(frozen=True)
class Watched:
    """A metric with its dimensions, as CloudWatch tells it from others."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def alarms(**given: object) -> dict[str, Any]:
    return of_type(deployed(**given), "AWS::CloudWatch::Alarm")


def watched_by(alarm: dict[str, Any]) -> Watched:
    dimensions = tuple((each["Name"], each["Value"]) for each in alarm["Dimensions"])
    return Watched(alarm["Namespace"], alarm["MetricName"], dimensions)


def dashboard(**given: object) -> dict[str, Any]:
    (properties,) = of_type(deployed(**given), "AWS::CloudWatch::Dashboard").values()
    return dict(json.loads(properties["DashboardBody"]))


def widgets(kind: str, **given: object) -> list[dict[str, Any]]:
    return [
        widget["properties"] for widget in dashboard(**given)["widgets"] if widget["type"] == kind
    ]


def shown_in(widget: dict[str, Any]) -> Iterator[Watched]:
    """Yield the metrics of a widget; not its expressions."""
    for *names, _ in widget["metrics"]:
        if names:
            namespace, name, *dimensions = names
            pairs = tuple(zip(dimensions[::2], dimensions[1::2], strict=True))
            yield Watched(namespace, name, pairs)

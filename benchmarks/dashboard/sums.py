"""CloudWatch's statistics and the little of its metric math that the dashboard uses. Pure.

A run of minutes has no five minutes to sum up, so periods are shortened: the buckets are given.
"""

import ast
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = np.ndarray[Any, np.dtype[np.float64]]
_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Buckets:
    """Periods of one length that follow each other."""

    began_at: float
    seconds: float
    number: int

    def of(self, at: float) -> int | None:
        index = int((at - self.began_at) // self.seconds)
        return index if 0 <= index < self.number else None

    @property
    def minutes(self) -> Values:
        """Return when each ends, in minutes since the first began."""
        return (np.arange(self.number) + 1) * self.seconds / 60


def statistic(samples: Sequence[tuple[float, float]], stat: str, buckets: Buckets) -> Values:
    """Return a statistic for each bucket; where there is no sample, NaN."""
    held: list[list[float]] = [[] for _ in range(buckets.number)]
    for at, value in samples:
        index = buckets.of(at)
        if index is not None:
            held[index].append(value)
    return np.array([_of(values, stat) if values else np.nan for values in held])


def _of(values: Sequence[float], stat: str) -> float:
    match stat:
        case "Sum":
            return float(np.sum(values))
        case "SampleCount":
            return float(len(values))
        case "Average":
            return float(np.mean(values))
        case "Maximum":
            return float(np.max(values))
        case "Minimum":
            return float(np.min(values))
        case _ if stat.startswith("p"):
            return float(np.percentile(values, float(stat[1:])))
    raise ValueError(f"no statistic of CloudWatch's is called {stat}")


def expression(text: str, named: Mapping[str, Values]) -> Values:
    """Evaluate an expression over metrics by their ids: the four operations, and FILL(metric, number)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_evaluated(ast.parse(text, mode="eval").body, named), dtype=float)


def _evaluated(node: ast.expr, named: Mapping[str, Values]) -> Any:
    match node:
        case ast.Constant(value=(int() | float()) as value):
            return value
        case ast.Name(id=name):
            return named[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_evaluated(left, named), _evaluated(right, named))
        case ast.Call(func=ast.Name(id="FILL"), args=[metric, ast.Constant(value=filler)]):
            values = _evaluated(metric, named)
            return np.where(np.isnan(values), filler, values)
    raise ValueError(f"this is not drawn: {ast.unparse(node)}")


def has_rung(alarm: Mapping[str, Any], values: Values) -> tuple[bool, bool]:
    """Say whether an alarm has rung over a statistic's values, and whether it does at their end."""
    if alarm["TreatMissingData"] == "breaching":
        values = np.where(np.isnan(values), 0, values)
    threshold = alarm["Threshold"]
    breaching = {
        "GreaterThanThreshold": values > threshold,
        "GreaterThanOrEqualToThreshold": values >= threshold,
        "LessThanThreshold": values < threshold,
    }[alarm["ComparisonOperator"]]
    periods = alarm["EvaluationPeriods"]
    wanted = alarm.get("DatapointsToAlarm", periods)
    rings = [
        sum(breaching[max(0, end - periods) : end]) >= wanted for end in range(1, len(values) + 1)
    ]
    return any(rings), bool(rings and rings[-1])

"""What functions print as embedded metrics, read as CloudWatch reads it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    name: str
    unit: str
    value: float


def samples_in(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        if '"_aws"' not in line:
            continue
        fields = json.loads(line)
        for directive in fields["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple((name, fields[name]) for name in names)
                for metric in directive["Metrics"]:
                    held = fields[metric["Name"]]
                    for value in held if isinstance(held, list) else [held]:
                        yield Sample(
                            directive["Namespace"],
                            dimensions,
                            metric["Name"],
                            metric["Unit"],
                            value,
                        )


def values_in(text: str) -> dict[str, list[float]]:
    """Return the samples of each metric."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    for sample in samples_in(text):
        values[sample.name].append(sample.value)
    return dict(values)

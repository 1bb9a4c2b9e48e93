"""At how many transcripts a day each limit is reached, by what one transcript takes of it.

A limit is a rate, or a number at once, which by Little's law is a rate too: seconds that each takes, times
how many come in a second.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.costs.dollars import template
from benchmarks.costs.gpu import taken
from benchmarks.costs.measured import as_shipped, card
from benchmarks.costs.usage import Usage
from benchmarks.costs.work import rounds_of, sample
from benchmarks.virtual_time import RUNPOD_SECONDS
from cli.endpoint.catalogue import catalogue

_FILE = Path(__file__).with_name("limits.toml")
PEAK = 3  # all of a day's transcripts come within eight hours
_SECONDS_OF_A_DAY = 86_400
_SECRETS = 2
_SECRET_SECONDS = 300  # for so long a function keeps what it read
_PRECISION, _JOBS_AT_ONCE = "fp8", 8


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A limit, with the transcripts a day at which it is reached."""

    name: str
    most: float
    per_job: float  # what one transcript takes of it
    whose: str
    turn: str

    @property
    def a_day(self) -> float:
        """Where they come evenly."""
        return self.most / self.per_job * _SECONDS_OF_A_DAY

    @property
    def a_day_in_busy_hours(self) -> float:
        return self.a_day / PEAK


def limits() -> list[dict[str, Any]]:
    """Return the limits as limits.toml has them; those that are our parameters as they are shipped."""
    held: list[dict[str, Any]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))["limit"]
    shipped = template()["Parameters"]
    return [
        {**each, "most": shipped[each["parameter"]]["Default"]} if "parameter" in each else each
        for each in held
    ]


def reached(per_job: Mapping[str, float]) -> list[Reached]:
    """Return the limits, the one that is reached first at the top."""
    found = [
        Reached(
            name=each["name"],
            most=each["most"],
            per_job=per_job[each["per_job"]],
            whose=each["whose"],
            turn=each["turn"],
        )
        for each in limits()
    ]
    return sorted(found, key=lambda each: each.a_day)


def per_job(usage: Usage) -> dict[str, float]:
    """Return what a transcript takes of each thing that is limited."""
    gpu_seconds = taken(rounds_of(sample()), as_shipped(_PRECISION), jobs=_JOBS_AT_ONCE).gpu_seconds
    dollars_per_second = catalogue().pools[card(_PRECISION).pace.pool].dollars_per_second
    seconds = usage.seconds
    return {
        "gpu_seconds": gpu_seconds,
        "gpu_dollars_per_hour": gpu_seconds * dollars_per_second * 3_600,
        "runs": usage.calls,
        "run_seconds": usage.calls * RUNPOD_SECONDS,
        "submitter_seconds": seconds["submitter"],
        "lambda_seconds": sum(seconds.values()),
        "callbacks": usage.calls,
        "due_units": usage.write_units["due"],
        "write_units": usage.write_units["table"],
        "s3_writes": usage.requests["s3.PutObject"],
        "events": 2,  # S3's about the upload, the notice about the end
        # An environment is used for a second of Lambda's time in each second.
        "secret_reads": sum(seconds.values()) * _SECRETS / _SECRET_SECONDS,
    }

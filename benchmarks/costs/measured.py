"""What was measured on a card, and how far the model of it is off."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.costs.gpu import Card, taken
from benchmarks.costs.work import Rounds, in_sections
from cli.endpoint.catalogue import Pace, catalogue

PROFILE = "mistral-small-3.1-24b"
PRECISIONS = {"bf16": "bf16", "fp8": "FP8", "fp8-kv8": "FP8, FP8 KV"}
LOADS = (1, 2, 4, 8, 16, 32)
UNLIMITED = 10**6
_FILE = Path(__file__).with_name("measured.toml")


@cache
def held() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def pace(precision: str) -> Pace:
    if precision in held()["pace"]:
        return Pace(**held()["pace"][precision])
    found = catalogue().variants[PROFILE][precision].pace
    assert found is not None
    return found


def card(precision: str, most_requests: int = UNLIMITED) -> Card:
    return Card(pace=pace(precision), most_requests=most_requests)


def as_shipped(precision: str) -> Card:
    """Return a card that takes as many requests at once as models.toml lets a worker take."""
    variant = catalogue().variants[PROFILE][precision.removesuffix("-kv8")]
    return card(precision, variant.max_concurrency)


def scaled() -> Iterator[tuple[str, str, Card, str]]:
    """Yield pool, precision, card, and how that is known: measured first, then what is scaled from it."""
    for precision in ("bf16", "fp8"):
        yield pace(precision).pool, precision, as_shipped(precision), "measured"
    for each in held()["scaled"]:
        on = as_shipped(each["precision"])
        there = replace(
            on.pace,
            pool=each["pool"],
            kv_cache_tokens=each["kv_cache_tokens"],
            read_tokens_per_second=on.pace.read_tokens_per_second * each["compute"],
            step_ms=on.pace.step_ms / each["bandwidth"],
            step_ms_per_request=on.pace.step_ms_per_request / each["bandwidth"],
            step_ms_per_1000_cached=on.pace.step_ms_per_1000_cached / each["bandwidth"],
        )
        yield each["pool"], each["precision"], replace(on, pace=there), "scaled"


@dataclass(frozen=True, kw_only=True)
class Compared:
    way: str
    precision: str
    jobs: int
    measured: float  # GPU seconds for one summary
    modelled: float

    @property
    def off(self) -> float:
        return self.modelled / self.measured - 1


def compared() -> Iterator[Compared]:
    """Yield each measured figure beside what the model makes of the same work."""
    for way, rounds in _ways().items():
        for precision, by_load in held()["gpu_seconds"][way].items():
            for jobs, seconds in by_load.items():
                modelled = taken(rounds, card(precision), jobs=int(jobs)).gpu_seconds
                yield Compared(
                    way=way,
                    precision=precision,
                    jobs=int(jobs),
                    measured=seconds,
                    modelled=modelled,
                )


def one_answer() -> Rounds:
    return in_sections(1, outline_tokens=0, **_job())


def _ways() -> dict[str, Rounds]:
    job = _job()
    outline = held()["job"]["outline_tokens"]
    return {
        "one_answer": one_answer(),
        "in_sections": in_sections(8, outline_tokens=outline, **job),
        "in_16_sections": in_sections(16, outline_tokens=outline, **job),
        "without_outline": in_sections(8, outline_tokens=0, is_whole_shared=False, **job),
    }


def _job() -> dict[str, int]:
    return {name: held()["job"][name] for name in ("transcript_tokens", "written_tokens")}

"""What is known about models, GPUs and prices: `models.toml`, read and typed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("models.toml")


@dataclass(frozen=True, kw_only=True)
class Pool:
    gpus: str
    memory_gb: int
    dollars_per_second: float  # of one GPU


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a model reads and writes on one GPU of a pool, as it was measured."""

    pool: str
    read_tokens_per_second: float
    step_ms: float  # a token of each request that is being written
    step_ms_per_request: float  # more for each of them
    step_ms_per_1000_cached: float  # more for the KV cache they read; what they share counts once
    kv_cache_tokens: int  # that fit beside the weights


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to serve a model: its weights, and the GPUs that they fit on."""

    pools: tuple[str, ...]
    gpus_per_worker: int
    disk_gb: int
    most_context_tokens: int
    max_concurrency: int
    measured: str
    estimated: str
    is_gated: bool = False
    pace: Pace | None = None  # None: not measured
    environment: Mapping[str, str] = field(default_factory=dict)  # empty: the profile's own


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    image: str
    min_cuda_version: str
    pools: Mapping[str, Pool]
    variants: Mapping[str, Mapping[str, Variant]]  # by profile and name

    def cheapest_first(self, pools: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(pools, key=lambda pool: self.pools[pool].dollars_per_second))


@cache
def catalogue() -> Catalogue:
    held = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Catalogue(
        image=held["worker"]["image"],
        min_cuda_version=held["worker"]["min_cuda_version"],
        pools={name: Pool(**pool) for name, pool in held["pools"].items()},
        variants={
            profile: {name: _variant(**fields) for name, fields in variants.items()}
            for profile, variants in held["profiles"].items()
        },
    )


def _variant(
    *, pools: list[str], pace: Mapping[str, Any] | None = None, **fields: object
) -> Variant:
    measured = Pace(**pace) if pace else None
    return Variant(pools=tuple(pools), pace=measured, **fields)  # type: ignore[arg-type]

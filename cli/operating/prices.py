"""What GPU seconds cost, by cli/endpoint/models.toml: a range, for any of a variant's GPUs may have run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cli import answers as kept
from cli.answers import Answers
from cli.endpoint.catalogue import Variant, catalogue
from cli.parameters import ROOT
from core.summaries.models import PROFILES


@dataclass(frozen=True, kw_only=True)
class Dollars:
    """From the cheapest to the dearest GPU that may have run."""

    low: float
    high: float

    @property
    def text(self) -> str:
        low, high = (
            f"${value:,.4f}" if value < 1 else f"${value:,.2f}" for value in (self.low, self.high)
        )
        return low if low == high else f"{low} to {high}"

    def as_fields(self) -> dict[str, float]:
        return {"low": round(self.low, 6), "high": round(self.high, 6)}


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of one second of a worker."""

    low: float
    high: float
    pools: tuple[str, ...]

    def of(self, seconds: float, at_most_seconds: float | None = None) -> Dollars:
        most = seconds if at_most_seconds is None else at_most_seconds
        return Dollars(low=self.low * seconds, high=self.high * most)


def price_of(model: str, answers: Answers | None = None) -> Price | None:
    """Return the price of a model's workers; None where models.toml does not know the model.

    Where deploy.toml names the pools of the endpoint, only those count.
    """
    answers = answers or kept.read(ROOT / "deploy.toml")
    served = list(_variants_serving(model))
    if not served:
        return None
    chosen = set(_chosen_pools(answers))
    rates = {
        pool: catalogue().pools[pool].dollars_per_second * variant.gpus_per_worker
        for variant in served
        for pool in variant.pools
        if not chosen or pool in chosen
    }
    if not rates:
        return None
    return Price(low=min(rates.values()), high=max(rates.values()), pools=tuple(rates))


def _chosen_pools(answers: Answers) -> Iterable[str]:
    chosen: Any = answers.endpoint.get("pool", ())
    return (chosen,) if isinstance(chosen, str) else tuple(chosen)


def _variants_serving(model: str) -> Iterator[Variant]:
    for profile, variants in catalogue().variants.items():
        own_name = PROFILES[profile].served_name
        for variant in variants.values():
            if model == variant.environment.get("MODEL_NAME", own_name):
                yield variant

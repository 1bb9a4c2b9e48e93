"""models.toml: what it says is whole, and the page that tells of it agrees."""

from pathlib import Path

import pytest

from cli.endpoint.catalogue import Variant, catalogue
from core.summaries.models import PROFILES

ROOT = Path(__file__).parents[3]
VARIANTS = [
    (profile, name, variant)
    for profile, held in catalogue().variants.items()
    for name, variant in held.items()
]


def rows() -> dict[tuple[str, str], list[str]]:
    """Return the table of variants in docs/deploying.md, by profile and variant."""
    lines = (ROOT / "docs/deploying.md").read_text(encoding="utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if "| `--variant` |" in line) + 2
    found, profile = {}, ""
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        profile = cells[0].strip("`") or profile
        found[profile, cells[1].split("`")[1]] = cells
    return found


def test_every_profile_has_variants_and_every_variant_a_profile() -> None:
    assert catalogue().variants.keys() == PROFILES.keys()


def test_the_page_lists_every_variant() -> None:
    assert rows().keys() == {(profile, name) for profile, name, _ in VARIANTS}


@pytest.mark.parametrize(
    ("profile", "name", "variant"), VARIANTS, ids=[f"{one[0]}-{one[1]}" for one in VARIANTS]
)
class TestEveryVariant:
    def test_names_pools_that_have_a_price(self, profile: str, name: str, variant: Variant) -> None:
        assert set(variant.pools) <= catalogue().pools.keys()

    def test_says_what_was_measured_and_what_was_only_estimated(
        self, profile: str, name: str, variant: Variant
    ) -> None:
        assert variant.measured
        assert variant.estimated

    def test_has_its_prices_on_the_page(self, profile: str, name: str, variant: Variant) -> None:
        pools = catalogue().cheapest_first(variant.pools)
        prices = [
            round(catalogue().pools[pool].dollars_per_second * variant.gpus_per_worker, 5)
            for pool in pools
        ]

        assert [float(price) for price in rows()[profile, name][3].split(",")] == prices

    def test_is_called_measured_on_the_page_only_if_it_was(
        self, profile: str, name: str, variant: Variant
    ) -> None:
        is_measured = variant.measured != "nothing"

        assert (rows()[profile, name][4] != "nothing") == is_measured

    def test_says_on_the_page_whether_it_needs_a_token(
        self, profile: str, name: str, variant: Variant
    ) -> None:
        assert ("token" in rows()[profile, name][1]) == variant.is_gated

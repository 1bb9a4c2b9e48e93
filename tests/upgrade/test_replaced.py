"""An upgrade keeps what holds data and what others know by its address, and CloudFormation can do it."""

import pytest

from tests.upgrade.kept import kept_by_template, read
from tests.upgrade.previous import PREVIOUS

BEFORE, NOW = read(PREVIOUS), kept_by_template()


@pytest.mark.parametrize("name", BEFORE["resources"])
def test_what_the_release_before_made_is_not_replaced(name: str) -> None:
    assert NOW["resources"].get(name) == BEFORE["resources"][name]


def test_no_more_than_one_index_comes_or_goes() -> None:
    """DynamoDB makes or deletes one at a time, and CloudFormation refuses an update with two."""
    assert len({*NOW["indexes"]} ^ {*BEFORE["indexes"]}) <= 1

"""The functions in simulated surroundings, for a module's tests."""

import io
from collections.abc import Iterator

import pytest

from tests.simulation.functions import simulated


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    with simulated() as written:
        yield written

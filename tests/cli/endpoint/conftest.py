"""A desk with nothing done yet, and one with the endpoint made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_simulator import Config, running_simulator
from tests.cli.endpoint.desk import KEY, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running_simulator(Config(api_key=KEY, management_per_minute=1_000)) as simulator:
        yield Desk(simulator, tmp_path / "deploy.toml")


@pytest.fixture
def applied(desk: Desk) -> Desk:
    desk.done("apply", "--yes")
    return desk

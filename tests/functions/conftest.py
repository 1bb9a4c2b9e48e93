import io
from collections.abc import Iterator

import pytest

from tests.fakes.cloud import Cloud, captured_log, running_cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with running_cloud(monkeypatch) as cloud:
        yield cloud


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with captured_log() as stream:
        yield stream


@pytest.fixture
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take each transcript for too long to check its summary while RunPod waits: the submitter does it."""
    monkeypatch.setattr("core.jobs.publishing._MOST_WORDS_AT_ONCE", 0)

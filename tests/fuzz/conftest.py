import io
from collections.abc import Iterator

import pytest

from tests.fakes.cloud import Cloud, captured_log, running_cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with running_cloud(
        monkeypatch, MAX_TRANSCRIPT_BYTES="2000000", INPUT_SUFFIXES=".txt,.md,.vtt,.srt,.json"
    ) as cloud:
        yield cloud


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with captured_log() as stream:
        yield stream

import io
import logging
from collections.abc import Iterator

import pytest

from core.telemetry import logger
from tests.fakes.cloud import Cloud, running_cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with running_cloud(
        monkeypatch, MAX_TRANSCRIPT_BYTES="2000000", INPUT_SUFFIXES=".txt,.md,.vtt,.srt,.json"
    ) as cloud:
        yield cloud


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return what the functions log, as Lambda would print it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)

"""The page's world, and a browser for each module: while it runs, no other event loop can in its thread."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.page.browser import MISSING, REQUIRED_BY, browser_program, running_browser
from tests.page.world import World, page_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with page_world(monkeypatch) as world:
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not browser_program():
        if os.environ.get(REQUIRED_BY):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    with running_browser() as browser:
        yield browser

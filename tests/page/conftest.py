"""The page's world, and a browser for each module: while it runs, no other event loop can in its thread."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage
from playwright.sync_api import Page as Tab

from tests.page.browser import MISSING, REQUIRED_BY, browser_program, context_in, running_browser
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


@pytest.fixture(scope="module")
def lasting_world() -> Iterator[World]:
    """A world for all tests of a module, which only look at it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with page_world(monkeypatch) as world:
            yield world


class Tabs:
    """Tabs of one test, and what went wrong in them."""

    def __init__(self, browser: Browser, open_contexts: ExitStack) -> None:
        self._browser = browser
        self._open = open_contexts
        self.errors: list[str] = []

    def open(self, address: str, **options: Any) -> Tab:
        tab = self._open.enter_context(context_in(self._browser, **options)).new_page()
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("console", self._note)
        tab.goto(address)
        return tab

    def _note(self, message: ConsoleMessage) -> None:
        # A refusal that a test wants, or a server that ended before its tab; not what a policy forbids.
        is_answer = message.text.startswith("Failed to load resource:")
        if message.type in {"error", "warning"} and not is_answer:
            self.errors.append(message.text)


@pytest.fixture
def tabs(browser: Browser) -> Iterator[Tabs]:
    with ExitStack() as open_contexts:
        tabs = Tabs(browser, open_contexts)
        yield tabs
    assert tabs.errors == []

"""A real browser without a window, for tests and screenshots: Debian's Chromium, or one that is named."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

NAMED_BY = "SUMMARIES_BROWSER"  # a path, for one that is not on the PATH
REQUIRED_BY = "SUMMARIES_BROWSER_REQUIRED"  # set where a missing browser is an error, as in CI
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-lcd-text",
    "--disable-quic",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--no-first-run",
]
MISSING = (
    "no browser was found: `apt-get install chromium` brings one, or name another Chromium's program in"
    f" {NAMED_BY}"
)


def browser_program() -> str:
    """Return the path of a browser; "" without one."""
    named = os.environ.get(NAMED_BY, "")
    found = (shutil.which(name) for name in ([named] if named else _NAMES))
    return next((path for path in found if path), "")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a browser with a new, empty profile, which goes when it ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def context_in(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a context of its own, which keeps nothing and reaches nothing but this machine."""
    wanted = {
        "locale": "en-GB",
        "timezone_id": "UTC",
        "viewport": {"width": 1280, "height": 800},
        "reduced_motion": "reduce",
        **options,
    }
    context = browser.new_context(**wanted)
    context.route(lambda url: not url.startswith(("http://127.0.0.1:", "blob:")), _refuse)
    try:
        yield context
    finally:
        context.close()


def _refuse(route: Any) -> None:
    route.abort()

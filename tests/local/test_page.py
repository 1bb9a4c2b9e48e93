"""The page on the local stack, in a real browser: dropping a file, reading, cancelling, starting anew."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from cli.page.server import serving
from local.stack.needs import ROOT
from tests.local.conftest import Local, new_marker, short_transcript
from tests.page.browser import MISSING, REQUIRED_BY, browser_program, context_in, running_browser
from tests.page.test_upload_in_browser import drop

_LONGEST_MS = 90_000


@pytest.fixture
def tab(local: Local) -> Iterator[Tab]:
    if not browser_program():
        if os.environ.get(REQUIRED_BY):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    expect.set_options(timeout=_LONGEST_MS)
    with serving(local.stack) as page, running_browser() as browser, context_in(browser) as context:
        tab = context.new_page()
        tab.goto(page.address)
        yield tab
    expect.set_options(timeout=5_000)


def uploaded(tab: Tab, name: str, text: str) -> None:
    drop(tab, name, text)
    dialog = tab.get_by_role("dialog")
    dialog.get_by_label("Folder").fill("page")
    dialog.get_by_label("Mode").select_option("push")
    dialog.get_by_role("button", name="Upload").click()


def test_a_dropped_file_moves_becomes_a_summary_and_its_sources_are_followed(tab: Tab) -> None:
    name = f"{new_marker()}.txt"
    transcript = (ROOT / "samples/weekly-standup.txt").read_text(encoding="utf-8")

    uploaded(tab, name, transcript)

    expect(tab.get_by_role("heading", name=f"page/{name}")).to_be_visible()
    expect(tab.get_by_role("region", name="Summary")).to_be_visible()
    source = tab.locator("a.source").first
    turn = tab.locator(f"#t{source.get_attribute('data-first')}")
    source.click()
    expect(turn).to_be_focused()
    expect(turn).to_be_in_viewport()
    tab.get_by_role("link", name="Timeline").click()
    expect(tab.locator(".legend").last).to_contain_text("waiting for a worker")
    tab.get_by_role("link", name="All jobs").first.click()
    row = tab.get_by_role("row").filter(has_text=f"page/{name}")
    expect(row).to_contain_text("succeeded")


def test_a_job_is_cancelled_and_started_anew(local: Local, tab: Tab) -> None:
    marker = new_marker()
    local.simulator.use("no-workers", next_jobs=1, containing=marker)

    uploaded(tab, f"{marker}.txt", short_transcript(marker))
    expect(tab.locator(".call-state.submitted")).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel the job").click()
    expect(dialog).to_contain_text("Cancelled")
    dialog.get_by_role("button", name="Close").click()
    expect(tab.locator(".callout")).to_contain_text("cancelled-by-operator")
    assert [str(job.status) for job in local.runpod_jobs(marker)] == ["CANCELLED"]

    tab.get_by_role("button", name="Start anew").click()
    dialog.get_by_role("button", name="Start anew").click()
    dialog.get_by_role("button", name="Go to the new job").click()
    expect(tab.locator(".chip.succeeded")).to_be_visible()
    expect(tab.get_by_role("region", name="Summary")).to_be_visible()

"""One job in a real browser: what became of it, and what can be done about it."""

from datetime import timedelta

import boto3
from playwright.sync_api import expect

from core.jobs.job import JobState
from tests.page.conftest import Tabs
from tests.page.world import World


def test_a_failed_job_says_why_and_is_started_anew(world: World, tabs: Tabs) -> None:
    world.runpod_cancels()
    job = world.uploaded("calls/board.txt", turns=12)
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_role("link", name="calls/board.txt").click()

        tab.get_by_role("button", name="Cancel").click()
        dialog = tab.get_by_role("dialog")
        expect(dialog).to_contain_text("1 of its requests are at RunPod")
        dialog.get_by_role("button", name="Cancel the job").click()
        expect(dialog).to_contain_text("1 requests cancelled at RunPod")
        dialog.get_by_role("button", name="Close").click()
        expect(tab.locator(".callout")).to_contain_text("cancelled-by-operator")

        tab.get_by_role("button", name="Start anew").click()
        dialog.get_by_role("button", name="Start anew").click()
        dialog.get_by_role("button", name="Go to the new job").click()
        expect(tab.get_by_role("heading", name="Not on record yet")).to_be_visible()
        world.operator.noticed(job.source.key)
        expect(tab.get_by_role("heading", name="calls/board.txt")).to_be_visible()
        expect(tab.locator(".chip.active")).to_be_visible()


def test_a_question_that_is_left_changes_nothing(world: World, tabs: Tabs) -> None:
    job = world.uploaded("calls/board.txt", turns=12)
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_role("link", name="calls/board.txt").click()
        tab.get_by_role("button", name="Cancel").click()
        expect(tab.get_by_role("dialog")).to_be_visible()
        tab.keyboard.press("Escape")
        expect(tab.get_by_role("dialog")).to_be_hidden()
        expect(tab.get_by_role("button", name="Cancel")).to_be_focused()

    assert world.operator.cloud.store().load_job(job.id).state is JobState.ACTIVE


def test_a_conflict_explains_itself(world: World, tabs: Tabs) -> None:
    job = world.operator.recorded(1, ago=timedelta(hours=2), state=JobState.FAILED)
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_role("link", name=job.source.key).click()

        tab.get_by_role("button", name="Start anew").click()

        dialog = tab.get_by_role("dialog", name="It is not started anew")
        expect(dialog).to_contain_text("its file", ignore_case=True)
        expect(dialog.get_by_role("button")).to_have_text(["Close"])


def test_a_job_that_is_not_there_is_said(world: World, tabs: Tabs) -> None:
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.goto(f"http://127.0.0.1:{page.port}/jobs/0123456789")

        expect(tab.get_by_role("heading", name="No such job")).to_be_visible()


def test_the_summary_appears_by_itself_when_it_is_there(world: World, tabs: Tabs) -> None:
    job = world.uploaded("calls/board.txt", turns=12)
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_role("link", name="calls/board.txt").click()
        expect(tab.get_by_role("heading", name="Rounds")).to_be_visible()

        world.operator.brought_to_an_end(job)

        expect(tab.get_by_role("region", name="Summary")).to_be_visible()
        expect(tab.get_by_role("status")).to_have_text("calls/board.txt: the summary is ready")


def test_a_summary_that_was_deleted_since_is_said(world: World, tabs: Tabs) -> None:
    job = world.summarised("calls/board.txt", turns=12)
    boto3.client("s3").delete_object(Bucket="out", Key=job.summary_key)
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_role("link", name="calls/board.txt").click()

        expect(tab.get_by_role("heading", name="No summary to read")).to_be_visible()
        expect(tab.locator(".empty")).to_contain_text("was replaced or deleted since")
        tab.get_by_role("link", name="Timeline").click()
        expect(tab.get_by_role("heading", name="Rounds")).to_be_visible()

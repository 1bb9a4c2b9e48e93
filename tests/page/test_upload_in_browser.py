"""Uploads in a real browser: by dropping files or choosing them, with what was chosen for them."""

from pathlib import Path

import boto3
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.page.conftest import Tabs
from tests.page.world import World, a_meeting

_DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const event = kind => new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event("dragenter"));
  document.body.dispatchEvent(event("drop"));
}"""


def drop(tab: Tab, name: str, text: str) -> None:
    tab.evaluate(_DROP, [name, text])


def test_a_dropped_file_is_uploaded_with_what_was_chosen_and_its_job_appears(
    world: World, tabs: Tabs
) -> None:
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.get_by_role("heading", name="No job yet")).to_be_visible()

        drop(tab, "board.txt", a_meeting(12))
        dialog = tab.get_by_role("dialog")
        expect(dialog).to_contain_text("12 turns with times")
        expect(dialog).to_contain_text("Mara 33 %")
        dialog.get_by_label("Words").fill("700")
        dialog.get_by_label("Language").fill("German")
        dialog.get_by_label("Folder").fill("calls")
        dialog.get_by_role("button", name="Upload").click()
        expect(tab.get_by_role("heading", name="Not on record yet")).to_be_visible()
        job = world.operator.noticed("calls/board.txt")

        expect(tab.get_by_role("heading", name="calls/board.txt")).to_be_visible()

    assert (job.options.words, job.options.language) == (700, "German")


def test_several_files_are_chosen_and_go_to_the_list(
    world: World, tabs: Tabs, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("one.txt", "two.md")]
    for file in files:
        file.write_text("Ann: one.")
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.keyboard.press("u")
        tab.get_by_label("Transcripts (or drop").set_input_files(files)
        tab.get_by_role("dialog").get_by_role("button", name="Upload").click()
        expect(tab.get_by_role("status")).to_have_text("uploaded: one.txt, two.md")

    listed = boto3.client("s3").list_objects_v2(Bucket="transcripts")["Contents"]
    assert [each["Key"] for each in listed] == ["one.txt", "two.md"]


def test_what_can_not_be_taken_is_said_at_once_and_again_by_the_server(
    world: World, tabs: Tabs
) -> None:
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.locator(".stack")).to_have_text("stack a-stack")
        drop(tab, "board.exe", "x")
        dialog = tab.get_by_role("dialog")
        expect(dialog.locator(".files .bad")).to_contain_text("does not end as a transcript's name")

        dialog.get_by_role("button", name="Upload").click()

        expect(tab.get_by_role("dialog", name="It was not taken")).to_contain_text("InputSuffixes")


def test_a_file_of_the_same_name_is_replaced_only_if_that_is_meant(
    world: World, tabs: Tabs
) -> None:
    world.operator.cloud.upload("board.txt", "Ann: one.")
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.locator(".stack")).to_have_text("stack a-stack")
        drop(tab, "board.txt", "Ann: two.")
        tab.get_by_role("dialog").get_by_role("button", name="Upload").click()
        asked = tab.get_by_role("dialog", name="There is one already")
        expect(asked).to_contain_text("a newer version gets a job of its own")
        asked.get_by_role("button", name="Upload a newer version").click()
        expect(tab.get_by_role("heading", name="Not on record yet")).to_be_visible()

    stored = boto3.client("s3").get_object(Bucket="transcripts", Key="board.txt")
    assert stored["Body"].read() == b"Ann: two."


def test_without_a_file_nothing_is_uploaded(world: World, tabs: Tabs) -> None:
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_role("button", name="Upload", exact=True).click()
        tab.get_by_role("dialog").get_by_role("button", name="Upload").click()

        expect(tab.get_by_role("dialog", name="Nothing was uploaded")).to_be_visible()


def test_a_file_that_would_fail_is_told_before_it_is_uploaded(world: World, tabs: Tabs) -> None:
    with world.page() as page:
        tab = tabs.open(page.address)
        drop(tab, "board.md", '{"a": 1}')

        expect(tab.locator(".files .bad")).to_contain_text("would fail as unknown-format")

"""The page for everybody: axe-core finds nothing, keys do everything, it fits a phone and large type."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from cli.page.server import Page
from core.jobs.job import JobState
from tests.page.conftest import Tabs
from tests.page.world import World

PHONE = {"width": 375, "height": 740}
DESK = {"width": 1280, "height": 800}
DESK_AT_200_PERCENT = {"width": 640, "height": 400}
KEY = "calls/2026-11/harbour-board-with-a-rather-long-name-that-does-not-fit-a-phone.txt"


@pytest.fixture(scope="module")
def page(lasting_world: World) -> Iterator[Page]:
    lasting_world.summarised(KEY, turns=90)
    lasting_world.uploaded("calls/active.txt", turns=12)
    lasting_world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.FAILED)
    lasting_world.operator.recorded(2, ago=timedelta(hours=2), state=JobState.SUCCEEDED, doubts=1)
    with lasting_world.page() as page:
        yield page


def at_the_list(tab: Tab) -> None:
    expect(tab.locator("a.job")).to_have_count(4)
    expect(tab.locator(".figures")).to_be_visible()


def at_a_summary(tab: Tab) -> None:
    tab.get_by_role("link", name=KEY).click()
    expect(tab.get_by_role("region", name="Summary")).to_be_visible()
    tab.locator(".verdict summary").click()


def at_a_timeline(tab: Tab) -> None:
    tab.get_by_role("link", name=KEY).click()
    tab.get_by_role("link", name="Timeline").click()
    expect(tab.get_by_role("heading", name="Rounds")).to_be_visible()


def at_a_failed_job(tab: Tab) -> None:
    tab.get_by_role("link", name="calls/1.txt").click()
    expect(tab.locator(".callout")).to_be_visible()


def at_a_question(tab: Tab) -> None:
    at_a_failed_job(tab)
    tab.get_by_role("button", name="Start anew").click()
    expect(tab.get_by_role("dialog")).to_be_visible()


def at_an_upload(tab: Tab) -> None:
    expect(tab.locator(".stack")).not_to_be_empty()
    tab.get_by_role("button", name="Upload", exact=True).click()
    expect(tab.get_by_role("dialog")).to_be_visible()


def at_the_keys(tab: Tab) -> None:
    tab.get_by_role("button", name="Keys").click()
    expect(tab.get_by_role("dialog")).to_be_visible()


PLACES = [
    at_the_list,
    at_a_summary,
    at_a_timeline,
    at_a_failed_job,
    at_a_question,
    at_an_upload,
    at_the_keys,
]


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["light desk", "dark phone"]
)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_axe_finds_nothing(
    page: Page, tabs: Tabs, place: Callable[[Tab], None], size: Any, scheme: str
) -> None:
    tab = tabs.open(page.address, viewport=size, color_scheme=scheme, bypass_csp=True)
    place(tab)

    found = Axe().run(tab)

    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", [at_the_list, at_a_summary, at_a_failed_job, at_a_question])
def test_what_the_pointer_is_over_can_be_read(
    page: Page, tabs: Tabs, place: Callable[[Tab], None], scheme: str
) -> None:
    tab = tabs.open(page.address, viewport=PHONE, color_scheme=scheme, bypass_csp=True)
    place(tab)
    buttons = tab.locator("dialog[open] button" if place is at_a_question else "button")

    for button in buttons.all():
        if button.is_visible() and button.is_enabled():
            button.hover()
            found = Axe().run(tab, options={"runOnly": ["color-contrast"]})
            assert found.violations_count == 0, found.generate_report()


def test_axe_would_find_something(page: Page, tabs: Tabs) -> None:
    tab = tabs.open(page.address, bypass_csp=True)
    at_the_list(tab)
    tab.evaluate("document.querySelector('main').append(document.createElement('button'))")

    assert Axe().run(tab).violations_count == 1


@pytest.mark.parametrize("size", [PHONE, DESK_AT_200_PERCENT], ids=["phone", "desk at 200 %"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_nothing_is_wider_than_the_screen(
    page: Page, tabs: Tabs, place: Callable[[Tab], None], size: Any
) -> None:
    tab = tabs.open(page.address, viewport=size)
    place(tab)

    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_on_a_phone_a_source_turns_to_the_transcript_and_back(page: Page, tabs: Tabs) -> None:
    tab = tabs.open(page.address, viewport=PHONE)
    at_a_summary(tab)
    expect(tab.get_by_role("region", name="Transcript")).to_be_hidden()

    tab.locator("a.source").first.click()
    expect(tab.get_by_role("region", name="Transcript")).to_be_visible()
    expect(tab.locator(".transcript :focus")).to_be_in_viewport()

    tab.locator(".transcript :focus a.back").first.click()
    expect(tab.get_by_role("region", name="Summary")).to_be_visible()


def test_all_is_reached_by_keys(page: Page, tabs: Tabs) -> None:
    tab = tabs.open(page.address)
    at_the_list(tab)
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab.keyboard.press("Enter")

    tab.keyboard.press("/")
    expect(tab.get_by_label("File or job")).to_be_focused()
    tab.keyboard.type("harbour")
    expect(tab.locator("a.job")).to_have_count(1)
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    expect(tab.locator("a.job")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text(KEY)
    expect(tab.get_by_role("region", name="Summary")).to_be_visible()
    tab.keyboard.press("t")
    expect(tab.get_by_role("heading", name="Rounds")).to_be_visible()
    tab.keyboard.press("g")
    at_the_list(tab)
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog", name="Keys")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog")).to_be_hidden()


def test_the_focus_is_always_to_be_seen(page: Page, tabs: Tabs) -> None:
    tab = tabs.open(page.address)
    at_the_list(tab)
    for _ in range(12):
        tab.keyboard.press("Tab")
        outlined = tab.evaluate(
            """() => {
              const focused = document.activeElement;
              const shown = focused.matches(".states input") ? focused.nextElementSibling : focused;
              return getComputedStyle(shown).outlineStyle;
            }"""
        )
        assert outlined == "solid"


def test_nothing_moves_for_who_wants_that(page: Page, tabs: Tabs) -> None:
    moving = "getComputedStyle(document.querySelector('.chip.active .dot')).animationName"
    still = tabs.open(page.address, reduced_motion="reduce")
    at_the_list(still)
    lively = tabs.open(page.address, reduced_motion="no-preference")
    at_the_list(lively)

    assert still.evaluate(moving) == "none"
    assert lively.evaluate(moving) == "breathe"


def test_each_view_has_one_heading_of_the_first_level_and_a_title(page: Page, tabs: Tabs) -> None:
    tab = tabs.open(page.address)
    at_the_list(tab)
    assert tab.title() == "Transcript summaries, a-stack"
    expect(tab.get_by_role("heading", level=1)).to_have_count(1)

    at_a_failed_job(tab)
    assert tab.title() == "calls/1.txt: failed"
    expect(tab.get_by_role("heading", level=1)).to_have_count(1)

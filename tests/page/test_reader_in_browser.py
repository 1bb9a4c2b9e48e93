"""A summary beside its transcript in a real browser, and its timeline: linked, marked, saved, safe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from cli.page.server import Page
from tests.page.conftest import Tabs
from tests.page.world import World, a_meeting

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def read_only(lasting_world: World) -> Iterator[tuple[Page, str, str]]:
    """A page with a long summary, and one of hostile words; with the addresses of both."""
    job = lasting_world.summarised("calls/board.txt", turns=90)
    hostile = lasting_world.operator.summarised(
        f"calls/{HOSTILE}.txt", a_meeting(12).replace("the pump", f"the {HOSTILE} pump")
    )
    with lasting_world.page() as page:
        yield page, f"/jobs/{job.id}", f"/jobs/{hostile.id}"


@pytest.fixture
def reading(read_only: tuple[Page, str, str], tabs: Tabs) -> Tab:
    page, path, _ = read_only
    tab = tabs.open(page.address)
    tab.goto(f"http://127.0.0.1:{page.port}{path}")
    expect(tab.get_by_role("region", name="Transcript")).to_be_visible()
    return tab


def test_a_source_leads_to_its_turn_and_the_turn_back(reading: Tab) -> None:
    part = reading.locator("[data-part]").filter(has=reading.locator("a.source")).nth(3)
    number = part.get_attribute("data-part")
    source = part.locator("a.source").first
    turn = reading.locator(f"#t{source.get_attribute('data-first')}")

    source.click()
    expect(turn).to_be_focused()
    expect(turn).to_be_in_viewport()
    expect(part).to_have_class("marked")

    turn.locator(f"a.back[data-to='{number}']").click()
    expect(reading.locator(f"#p{number}")).to_be_focused()
    expect(reading.locator(f"#p{number}")).to_be_in_viewport()


def test_what_belongs_together_is_marked_on_both_sides(reading: Tab) -> None:
    part = reading.locator("[data-part]").filter(has=reading.locator("a.source")).nth(2)

    part.hover()

    turn = part.locator("a.source").first.get_attribute("data-first")
    expect(part).to_have_class("marked")
    expect(reading.locator(f"#t{turn}")).to_have_class("marked")


def test_keys_go_from_part_to_part_to_a_source_and_back(reading: Tab) -> None:
    parts = reading.locator("[data-part]")
    for _ in range(4):
        reading.keyboard.press("j")
    expect(parts.nth(3)).to_be_focused()
    reading.keyboard.press("k")
    expect(parts.nth(2)).to_be_focused()

    reading.keyboard.press("Enter")
    expect(reading.locator(".transcript :focus")).to_have_count(1)

    reading.keyboard.press("Escape")
    expect(parts.nth(2)).to_be_focused()


def test_figures_that_nobody_said_are_marked_where_they_stand(reading: Tab) -> None:
    chips = reading.locator("[data-part] .chip.noted")

    expect(chips.first).to_contain_text("not in its turns:")
    reading.locator(".verdict summary").click()
    expect(reading.locator(".verdict")).to_contain_text("figures not said in their turns")


def test_what_became_of_quotes_stands_before_them(reading: Tab) -> None:
    aside = reading.locator(".summary .aside")

    expect(aside).to_contain_text("verified")
    following = aside.evaluate("each => each.nextElementSibling.tagName")
    assert following == "BLOCKQUOTE"


def test_the_timeline_has_every_call_on_one_scale(reading: Tab) -> None:
    reading.get_by_role("link", name="Timeline").click()

    expect(reading.get_by_role("heading", name="Where the time went")).to_be_visible()
    rounds = reading.get_by_role("table")
    expect(rounds).to_have_count(3)
    expect(rounds.nth(1).get_by_role("row")).to_have_count(
        len(rounds.nth(1).locator("tbody tr").all()) + 1
    )
    width = reading.locator(".lane .bar").first.evaluate("each => each.offsetWidth")
    assert width > 0
    for legend in reading.locator(".legend").all():  # of the whole, and of the calls
        expect(legend).to_contain_text("on the GPU")


@pytest.mark.parametrize(
    ("label", "name"),
    [("Web page", "board-summary.html"), ("Markdown", "board-summary.md"), ("Word", "board-summary.docx")],
)  # fmt: skip
def test_a_summary_is_saved_as_a_file(reading: Tab, label: str, name: str) -> None:
    reading.locator(".menu summary").click()

    with reading.expect_download() as downloading:
        reading.get_by_role("button", name=label).click()

    assert downloading.value.suggested_filename == name


def test_markup_of_speakers_models_and_file_names_is_shown_as_text(
    read_only: tuple[Page, str, str], tabs: Tabs
) -> None:
    page, _, path = read_only
    tab = tabs.open(page.address)
    tab.goto(f"http://127.0.0.1:{page.port}{path}")

    expect(tab.get_by_role("heading", level=1)).to_have_text(f"calls/{HOSTILE}.txt")
    expect(tab.get_by_role("region", name="Transcript")).to_contain_text(HOSTILE)
    expect(tab.locator("main img")).to_have_count(0)


def test_every_attempt_is_there_with_the_id_that_runpod_knows(reading: Tab) -> None:
    reading.get_by_role("link", name="Timeline").click()
    folded = reading.locator(".attempts")

    folded.locator("summary").click()

    expect(folded.locator("tbody tr").first).to_contain_text("rp-1")
    expect(folded.locator("tbody tr").first).to_contain_text("webhook receiver")


def test_the_menu_closes_by_itself_and_by_escape(reading: Tab) -> None:
    menu = reading.locator(".menu")
    menu.locator("summary").click()
    expect(menu.get_by_role("button", name="PDF")).to_be_visible()
    reading.keyboard.press("Escape")
    expect(menu.get_by_role("button", name="PDF")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()

    menu.locator("summary").click()
    reading.get_by_role("heading", level=1).click()
    expect(menu.get_by_role("button", name="PDF")).to_be_hidden()

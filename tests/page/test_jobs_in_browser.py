"""The list of jobs in a real browser: it moves by itself, is filtered and paged, and says what is amiss."""

import re
from datetime import timedelta

from playwright.sync_api import expect

from cli.page import jobs
from core.jobs.job import JobState
from tests.page.conftest import Tabs
from tests.page.world import World


def test_the_token_leaves_the_address_and_a_second_tab_works_without_it(
    world: World, tabs: Tabs
) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.FAILED)
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.get_by_role("link", name="calls/1.txt")).to_be_visible()

        assert page.token not in tab.url
        other = tab.context.new_page()
        other.goto(f"http://127.0.0.1:{page.port}/")
        expect(other.get_by_role("link", name="calls/1.txt")).to_be_visible()


def test_without_the_token_the_page_says_what_to_do(world: World, tabs: Tabs) -> None:
    with world.page() as page:
        tab = tabs.open(f"http://127.0.0.1:{page.port}/")

        expect(tab.get_by_role("alert")).to_contain_text(
            "open the address that the command printed"
        )


def test_an_empty_stack_says_how_to_begin(world: World, tabs: Tabs) -> None:
    with world.page() as page:
        tab = tabs.open(page.address)

        expect(tab.get_by_role("heading", name="No job yet")).to_be_visible()
        tab.get_by_role("button", name="Upload a transcript").click()
        expect(tab.get_by_role("dialog", name="Upload transcripts")).to_be_visible()


def test_a_job_moves_while_somebody_looks_and_a_screen_reader_hears_of_its_end(
    world: World, tabs: Tabs
) -> None:
    job = world.uploaded("calls/board.txt", turns=12)
    with world.page() as page:
        tab = tabs.open(page.address)
        row = tab.get_by_role("row").filter(has_text="calls/board.txt")
        expect(row).to_contain_text("round 1, 0 of 1")
        row.get_by_role("link").focus()

        world.operator.brought_to_an_end(job)

        expect(row).to_contain_text("succeeded")
        expect(row.get_by_role("link")).to_be_focused()  # what changed was changed in place
        expect(tab.get_by_role("status")).to_have_text("calls/board.txt: its summary is ready")


def test_filters_narrow_the_list_and_stand_in_the_address(world: World, tabs: Tabs) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.SUCCEEDED, doubts=1)
    world.operator.recorded(2, ago=timedelta(hours=2), state=JobState.FAILED)
    world.operator.recorded(3, ago=timedelta(hours=3))
    with world.page() as page:
        tab = tabs.open(page.address)
        links = tab.locator("a.job")
        expect(links).to_have_text(["calls/1.txt", "calls/2.txt", "calls/3.txt"])

        tab.get_by_label("Failed", exact=True).check()
        expect(links).to_have_text(["calls/2.txt"])
        expect(tab).to_have_url(re.compile(r"\?state=failed$"))
        tab.reload()
        expect(links).to_have_text(["calls/2.txt"])
        expect(tab.get_by_label("Failed", exact=True)).to_be_checked()

        tab.get_by_label("All", exact=True).check()
        tab.get_by_label("in doubt").check()
        expect(links).to_have_text(["calls/1.txt"])
        tab.get_by_label("File or job").fill("nowhere")
        expect(tab.get_by_role("heading", name="No job is like that")).to_be_visible()
        tab.get_by_role("button", name="Show all jobs").click()
        expect(links).to_have_text(["calls/1.txt", "calls/2.txt", "calls/3.txt"])


def test_a_reason_is_chosen_only_where_jobs_may_have_failed(world: World, tabs: Tabs) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.FAILED)
    with world.page() as page:
        tab = tabs.open(page.address)
        tab.get_by_label("Reason").select_option("context-length")
        expect(tab.get_by_role("heading", name="No job is like that")).to_be_visible()
        tab.get_by_label("Reason").select_option("deadline")
        expect(tab.locator("a.job")).to_have_text(["calls/1.txt"])

        tab.get_by_label("Active", exact=True).check()

        expect(tab.get_by_label("Reason")).to_be_hidden()


def test_many_jobs_are_paged_there_and_back(world: World, tabs: Tabs) -> None:
    for number in range(1, 31):
        world.operator.recorded(number, ago=timedelta(minutes=number), state=JobState.FAILED)
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.locator("a.job")).to_have_count(25)

        tab.get_by_role("button", name="Older").click()
        expect(tab.locator("a.job")).to_have_text([f"calls/{n}.txt" for n in range(26, 31)])
        expect(tab.get_by_role("button", name="Older")).to_be_disabled()

        tab.get_by_role("button", name="Newer").click()
        expect(tab.locator("a.job")).to_have_count(25)


def test_what_wants_a_person_stands_above_the_jobs(world: World, tabs: Tabs) -> None:
    import boto3

    boto3.client("sqs").send_message(QueueUrl=world.operator.stack.dead_letters, MessageBody="lost")
    with world.page() as page:
        tab = tabs.open(page.address)

        expect(tab.locator(".problems")).to_contain_text("Dead letters: 1")


def test_a_server_that_has_ended_is_said_and_found_again_by_itself(
    world: World, tabs: Tabs
) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.ACTIVE)
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.locator("a.job")).to_have_count(1)

        tab.route("**/api/jobs**", lambda route: route.abort())
        expect(tab.get_by_role("alert")).to_contain_text("does not answer")
        expect(tab.locator("a.job")).to_have_count(1)  # what is known stays

        tab.unroute("**/api/jobs**")
        expect(tab.get_by_role("alert")).to_be_hidden()
        tabs.errors.clear()  # the requests that this test let fail


def test_nobody_is_asked_often_while_the_page_is_hidden(world: World, tabs: Tabs) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.ACTIVE)
    with world.page() as page:
        tab = tabs.open(page.address)
        expect(tab.locator("a.job")).to_have_count(1)
        delays = tab.evaluate(
            """async () => {
              const { poll } = await import("/static/poll.js");
              const delays = [], real = window.setTimeout;
              Object.defineProperty(document, "hidden", { value: true, configurable: true });
              window.setTimeout = (act, delay) => { delays.push(delay); return 0; };
              await new Promise(done => poll(async () => { real(done); return 2; }, () => {}));
              await new Promise(done => real(done, 50));
              window.setTimeout = real;
              return delays;
            }"""
        )

    assert delays
    assert min(delays) >= 60_000
    assert jobs.again_seconds(1, is_moving=True) == 2

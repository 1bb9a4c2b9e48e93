"""`make screenshots`: the pictures of the page in docs/, from a local run of the project's own samples.

The stack is the real template on the emulator, RunPod is the simulator; what is in the pictures happened.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from cli.deployment import Upload
from cli.page.server import serving
from local.stack.needs import ROOT
from local.stack.setup import Setup
from local.stack.simulator import CALLBACK_ANSWER_SECONDS, RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from local.waiting import wait_for
from runpod_simulator import Config, Simulator, running_simulator
from tests.page.browser import MISSING, browser_program, context_in, running_browser

MEETING = ROOT / "samples/product-planning-meeting.txt"
STAND_UP = ROOT / "samples/weekly-standup.txt"
MEETING_KEY = "planning/product-planning-meeting.txt"
MOST_BYTES = 150_000
_SHOWN_MS = 60_000
_COLOURS = 192
_SIMULATOR = Config(
    worker="llm-like",
    max_workers=6,
    execution_seconds=7.0,  # about what a section takes; what this machine adds is small beside it
    webhook_timeout_seconds=CALLBACK_ANSWER_SECONDS,
    seed=4,
    api_key="local-key-for-screenshots",
)
_LISTS = 4
_PARAMETERS = {"MaxAttempts": "2", "SweepScheduleMinutes": "5"}


@dataclass(frozen=True)
class Picture:
    name: str
    options: dict[str, Any]  # of the browser's context
    at: Callable[[Tab], None]


def at_the_jobs(tab: Tab) -> None:
    expect(tab.locator("a.job")).to_have_count(5)
    expect(tab.locator(".figures")).to_be_visible()


def at_the_summary(tab: Tab) -> None:
    tab.get_by_role("link", name=MEETING_KEY).first.click()
    expect(tab.get_by_role("region", name="Transcript")).to_be_visible()
    part = tab.locator("[data-part]").filter(has=tab.locator("a.source")).first
    part.locator("a.source").last.click()


def at_the_timeline(tab: Tab) -> None:
    tab.get_by_role("link", name=MEETING_KEY).first.click()
    tab.get_by_role("link", name="Timeline").click()
    expect(tab.get_by_role("heading", name="Rounds")).to_be_visible()


def at_the_summary_on_a_phone(tab: Tab) -> None:
    tab.get_by_role("link", name=MEETING_KEY).first.click()
    expect(tab.get_by_role("region", name="Summary")).to_be_visible()


PICTURES = (
    Picture("page-jobs.png", {"viewport": {"width": 1280, "height": 650}}, at_the_jobs),
    Picture("page-summary.png", {"viewport": {"width": 1280, "height": 860}}, at_the_summary),
    Picture(
        "page-timeline-dark.png",
        {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "dark"},
        at_the_timeline,
    ),
    Picture(
        "page-phone.png", {"viewport": {"width": 375, "height": 740}}, at_the_summary_on_a_phone
    ),
)


def main() -> None:
    if not browser_program():
        raise SystemExit(MISSING)
    expect.set_options(timeout=_SHOWN_MS)
    with running_simulator(_SIMULATOR) as simulator:
        setup = Setup(
            runpod=RunPodEndpoint(simulator.url, simulator.api_key), parameters=_PARAMETERS
        )
        with local_stack(setup) as stack:
            play(stack, simulator)
            with serving(stack) as page, running_browser() as browser:
                for picture in PICTURES:
                    take(browser, page.address, picture)


def play(stack: LocalStack, simulator: Simulator) -> None:
    """Let happen what the pictures show: summaries, a failure, a cancelled job, and one that moves."""
    # One after the other, so that the functions have started when the long one calls back.
    stack.wait_for_job(stack.upload("{}", "archive/minutes-2019.json"))
    stack.wait_for_job(stack.upload(STAND_UP, "teams/weekly-standup.txt"))
    stack.wait_for_job(stack.upload(MEETING, MEETING_KEY))
    simulator.use("handler-error", next_jobs=2)
    stack.wait_for_job(stack.upload(STAND_UP, "teams/routes-retrospective.txt"))
    simulator.use("slow=600", containing="Write the section")
    wait_for_lists(stack, stack.upload(MEETING, "planning/half-year-review.txt"))


def wait_for_lists(stack: LocalStack, upload: Upload) -> None:
    """Wait until a job is in the midst of its sections: its lists are there."""

    def is_in_the_midst() -> bool | None:
        history = stack.history(upload)
        return (history is not None and history.job.calls_done >= _LISTS) or None

    wait_for(is_in_the_midst, what="the lists", timeout_seconds=120)


def take(browser: Browser, address: str, picture: Picture) -> None:
    with context_in(browser, **picture.options) as context:
        tab = opened(context, address)
        picture.at(tab)
        path = ROOT / "docs" / picture.name
        body = small(tab.screenshot(animations="disabled"))
        if len(body) > MOST_BYTES:
            raise SystemExit(f"{path.name} has {len(body):,} bytes, and {MOST_BYTES:,} are wanted")
        path.write_bytes(body)
        print(f"docs/{path.name}: {len(body):,} bytes")


def small(picture: bytes) -> bytes:
    """Return a picture with a palette, which flat colours and letters fit."""
    body = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        flat = image.convert("RGB").quantize(
            _COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        flat.save(body, "PNG", optimize=True)
    return body.getvalue()


def opened(context: BrowserContext, address: str) -> Tab:
    tab = context.new_page()
    tab.goto(address)
    expect(tab.locator("a.job").first).to_be_visible()
    return tab


if __name__ == "__main__":
    main()

"""The page's own files: no script or style in line, nothing of elsewhere, no markup made of text."""

import re
from pathlib import Path

import pytest

from cli.page import app
from tests.page.world import World

STATIC = Path(app.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
FORBIDDEN = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "DOMParser",
)
FILES = sorted(STATIC.iterdir())


@pytest.mark.parametrize("path", ["/", "/jobs/4828b0cc", "/jobs/4828b0cc/timeline"])
def test_every_address_of_the_page_is_the_page(world: World, path: str) -> None:
    answer = world.client.get(path, headers={"Host": "127.0.0.1"})

    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert b"<main" in answer.data


def test_modules_are_told_as_such(world: World) -> None:
    for script in SCRIPTS:
        answer = world.client.get(f"/static/{script.name}", headers={"Host": "127.0.0.1"})
        assert answer.content_type == "text/javascript; charset=utf-8"


def test_a_file_is_sent_once(world: World) -> None:
    first = world.ask("GET", "/static/main.js")

    again = world.ask("GET", "/static/main.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")


def test_the_page_has_no_script_or_style_of_its_own_in_line() -> None:
    text = (STATIC / "index.html").read_text(encoding="utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)", text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_comes_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://|//[a-z]+\.[a-z]", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_module_makes_markup_of_text(script: Path) -> None:
    text = script.read_text(encoding="utf-8")

    for forbidden in FORBIDDEN:
        assert forbidden not in text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_is_too_long_to_read(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300

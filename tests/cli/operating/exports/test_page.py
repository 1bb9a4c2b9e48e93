"""The page is one file that loads nothing, and what anybody has said or written in it stays text."""

import re
from dataclasses import replace

import pytest

from cli.operating.exports.about import about
from cli.operating.exports.page import page
from cli.operating.exports.transcript import Turns
from core.summaries.passages import Passage, Passages
from tests.builders import a_job, a_source, a_summary

HOSTILE = '"><script>alert(1)</script><img src=http://a.invalid/x>'


def a_page(
    text: str,
    turn: str = "The pump holds.",
    *,
    turns: int = 3,
    cited: int = 1,
    language: str | None = None,
) -> str:
    passages = tuple(Passage(number, f"Ann {turn}", turn, 3, 9) for number in range(1, turns + 1))
    numbers = list(range(1, 2 * cited, 2))  # each by itself, so that no range joins them
    sources = [{"kind": "paragraph", "section": "1", "turns": numbers, "starts_at": None}]
    checks = [{"code": "length", "outcome": "doubt", "count": 1, "detail": "9 words"}]
    job = replace(a_job(), source=a_source(key=f"{turn}.txt"), summary=a_summary())
    job = replace(job, options=replace(job.options, language=language or job.options.language))
    told = about(job, text, {"writing": {"sources": sources, "checks": checks}})
    return page(told, Turns(passages=Passages(passages), remark=turn))


def test_nothing_is_loaded() -> None:
    shown = a_page("# The board\n\nThe pump holds.")

    assert not re.search(r'(?:src|href)="(?!#)', shown)
    assert "default-src 'none'" in shown


def test_markup_of_a_speaker_or_a_model_is_text() -> None:
    shown = a_page(f"# {HOSTILE}\n\n{HOSTILE}", HOSTILE)

    assert shown.count("<script>") == 1  # the page's own
    assert "<img" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_what_is_in_doubt_stands_before_the_summary() -> None:
    shown = a_page("# The board\n\nThe pump holds.")

    assert shown.index("length: 9 words") < shown.index("<h1")


def test_an_overview_that_rests_on_hundreds_of_turns_shows_the_first_of_them() -> None:
    shown = a_page("# The board\n\nThe pump holds.", turns=400, cited=200)

    assert len(re.findall(r'href="#t\d', shown)) == 8
    assert "and more turns" in shown
    assert len(re.findall(r'href="#p3"', shown)) == 0
    assert len(re.findall(r'href="#p2"', shown)) == 200  # every turn leads back


def test_a_turn_that_is_not_there_is_not_linked() -> None:
    shown = a_page("# The board\n\nThe pump holds.", turns=1, cited=3)

    assert set(re.findall(r'href="#(t\d+)"', shown)) == {"t1"}


def test_landmarks_skip_links_and_names_are_there_for_a_screen_reader() -> None:
    shown = a_page("# The board\n\nThe pump holds.")

    for held in ('<main id="summary"', '<aside id="transcript"', 'class="skip"', "aria-label"):
        assert held in shown
    assert "prefers-color-scheme: dark" in shown


@pytest.mark.parametrize(
    ("asked", "tag"),
    [("de", "de"), ("pt-BR", "pt-BR"), ("German", ""), ("Brazilian Portuguese", "")],
)
def test_a_browser_is_told_the_language_where_its_code_is_known(asked: str, tag: str) -> None:
    assert f'<html lang="{tag}">' in a_page("# A\n\nWords.", language=asked)

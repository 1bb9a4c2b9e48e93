"""A summary's text is read as parts, each with its turns; what does not fit is not linked at all."""

from typing import Any

import pytest

from cli.operating.exports.parts import summary_of
from cli.operating.exports.references import reference

TEXT = """# The board

## Overview

It was *about* the **pump**.

## Decisions

- **Mara**: ~~Keep it~~
- Buy one.

## Quotes

> “The pump holds.” — Mara
>
> “We buy.” — Ilse
"""


def facts(*sources: tuple[str, list[int]]) -> dict[str, Any]:
    held = [
        {"kind": kind, "section": "", "turns": turns, "starts_at": 4.0} for kind, turns in sources
    ]
    return {"writing": {"sources": held}}


ALL = (
    ("paragraph", [1, 2]),
    ("decision", [3]),
    ("decision", [4, 5]),
    ("quote", [6]),
    ("quote", [7]),
)


def test_each_part_has_its_own_turns() -> None:
    summary = summary_of(TEXT, facts(*ALL))

    assert summary.title == "The board"
    told = [(part.kind, part.turns) for part in summary.parts if part.kind != "heading"]
    assert told == [
        ("paragraph", (1, 2)),
        ("item", (3,)),
        ("item", (4, 5)),
        ("quote", (6,)),
        ("quote", (7,)),
    ]


def test_styles_are_kept() -> None:
    paragraph, item = (part for part in summary_of(TEXT, {}).parts[2:5] if part.kind != "heading")

    assert [run.text for run in paragraph.runs if run.is_italic] == ["about"]
    assert [run.text for run in paragraph.runs if run.is_bold] == ["pump"]
    assert [run.text for run in item.runs if run.is_struck] == ["Keep it"]


@pytest.mark.parametrize(
    "sources", [ALL[:-1], (*ALL, ("quote", [8])), (ALL[0], *ALL[3:], *ALL[1:3])], ids=str
)
def test_sources_that_do_not_fit_the_text_link_nothing(sources: tuple[Any, ...]) -> None:
    summary = summary_of(TEXT, facts(*sources))

    assert not summary.is_linked
    assert not any(part.turns for part in summary.parts)


def test_a_list_in_a_summary_of_one_answer_rests_on_its_one_source() -> None:
    summary = summary_of("# A\n\n- one\n- two", facts(("paragraph", [3])))

    assert [part.turns for part in summary.parts] == [(), (3,), (3,)]


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://a.invalid/x.png)",
        "[x](javascript:alert)",
        "<script>x</script>",
        "<http://a.invalid>",
    ],
)
def test_what_would_load_or_lead_somewhere_stays_text(text: str) -> None:
    (part,) = summary_of(text, {}).parts

    assert part.text == text


def test_a_reference_names_ranges_and_the_time() -> None:
    part = summary_of("# A\n\ntext", facts(("paragraph", [3, 4, 5, 9]))).parts[1]

    assert reference(part) == "turns 3-5, 9 (00:00:04)"

"""Summaries of parts, put together."""

import pytest
from core.summaries.join import joined

FIRST = "# The harbour\n\nMara leads.\n\n## Decisions\n\nThe pump stays.\n\n## Risks\n\nThe valve leaks."
SECOND = "# The pumps\n\nIlse asks.\n\n## Decisions\n\nA second is bought.\n\n## Costs\n\nMuch."


def test_one_text_stays_as_it_is() -> None:
    assert joined([FIRST]) == FIRST


def test_sections_of_one_heading_become_one_with_nothing_lost() -> None:
    assert joined([FIRST, SECOND]) == (
        "# The harbour\n\nMara leads.\n\nIlse asks.\n\n"
        "## Decisions\n\nThe pump stays.\n\nA second is bought.\n\n"
        "## Risks\n\nThe valve leaks.\n\n"
        "## Costs\n\nMuch."
    )


@pytest.mark.parametrize("heading", ["## DECISIONS", "##  Decisions ##"])
def test_a_heading_may_be_written_differently(heading: str) -> None:
    assert joined([FIRST, f"{heading}\n\nMore."]).count("##") == 2


def test_texts_without_headings_follow_one_another() -> None:
    assert joined(["One.", "Two.", "Three."]) == "One.\n\nTwo.\n\nThree."


def test_a_sign_that_belongs_to_a_heading_stays() -> None:
    assert joined(["## C#\n\nOne.", "## C# ##\n\nTwo."]) == "## C#\n\nOne.\n\nTwo."


@pytest.mark.parametrize("line", ["#", "## ##", "#hashtag", "### Topic", "#\u00a0"])
def test_what_is_no_heading_of_ours_stays_in_its_section(line: str) -> None:
    assert line.strip() in joined([f"## Topics\n\nOne.\n{line}\nTwo.", "## Topics\n\nThree."])

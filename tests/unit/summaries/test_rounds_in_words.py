"""What a round asks for, as an operator is told while it runs."""

import pytest

from core.summaries.rounds import in_words


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        (["outline"], "outline"),
        (["single"], "the whole summary"),
        (["notes-1-1"], "notes of 1 part"),
        (["notes-1-1", "notes-1-2"], "notes of 2 parts"),
        (["section-1.1", "section-1.2", "ledger-1-quotes"], "2 sections and 1 list"),
        (["section-1.1-try2", "section-3.1-try3"], "2 sections again"),
        (["overview", "section-1.1-try2"], "overview and 1 section again"),
        (["section-9.1a", "section-9.1b", "ledger-1", "section-1.1-try2"],
         "2 sections, 1 list and 1 section again"),
    ],
)  # fmt: skip
def test_a_round_is_named_by_what_it_asks_for(asks: list[str], told: str) -> None:
    assert in_words(asks) == told

"""The simulator counts words by itself, and as the summaries are measured."""

import pytest

from core.words import count_words as count_words_of_summaries
from runpod_simulator.workers.words import count_words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We replace 209 Limpets – all of them, by Friday.",
        "港の壁は来年の春に直します。",
        "The wall (港の壁) is repaired, 来年の春.",
        "กำแพงท่าเรือจะได้รับการซ่อมแซม",
    ],
    ids=["empty", "English", "Japanese", "mixed", "Thai"],
)
def test_a_text_has_as_many_words_for_the_simulator_as_for_the_summaries(text: str) -> None:
    assert count_words(text) == count_words_of_summaries(text)

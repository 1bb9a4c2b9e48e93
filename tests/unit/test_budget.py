import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.budget import estimate_tokens

# tokens a word, measured with Mistral's tekken on podcast transcripts of 5.57 characters a word
WORST_TOKENS_PER_WORD = 1.48


def test_an_english_transcript_is_estimated_on_the_safe_side_and_not_far_off() -> None:
    words = 1000
    text = "So, Mara, the pump holds water well. " * (words // 7)

    per_word = estimate_tokens(text) / len(text.split())

    assert WORST_TOKENS_PER_WORD < per_word < 2.1


@pytest.mark.parametrize(
    ("text", "at_least"),
    [("12345", 5), ("лодка " * 10, 30), ("港湾局" * 10, 30), ("🚤" * 10, 30)],
    ids=["digits", "Cyrillic", "CJK", "emoji"],
)
def test_what_costs_more_is_counted_for_more(text: str, at_least: int) -> None:
    assert estimate_tokens(text) >= at_least


@given(st.text(), st.text())
def test_more_text_never_costs_less(text: str, more: str) -> None:
    assert estimate_tokens(text + more) >= estimate_tokens(text)


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_estimated(text: str) -> None:
    assert estimate_tokens(text) >= 0

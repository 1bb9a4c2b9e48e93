import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words import count_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("Mara: the pump holds.", 4),
        ("Zoë: fünf Euro – mehr nicht.", 6),
        ("보드는 펌프를 샀다", 3),
        ("玛拉：水泵没问题。", 7),
        ("今日は港の会議です。", 9),
        ("玛拉 says 水泵 OK", 6),
        ("ที่ประชุมตกลงซื้อปั๊ม", 6),
        ("насос держит воду", 3),
    ],
    ids=["empty", "English", "German", "Korean", "Chinese", "Japanese", "mixed", "Thai", "Russian"],
)
def test_words_are_counted_in_every_script(text: str, words: int) -> None:
    assert count_words(text) == words


@given(st.text(), st.text())
def test_two_texts_have_no_more_words_than_each_alone(text: str, more: str) -> None:
    assert count_words(f"{text}\n{more}") <= count_words(text) + count_words(more)


@given(st.text(st.characters(codec="ascii")))
def test_spaces_part_words_in_ascii(text: str) -> None:
    assert count_words(text) == len(text.split())


@given(st.text(alphabet="ab \n\t\x1c,。中文かกข’é", max_size=60))
def test_a_long_text_is_counted_the_same_in_parts_as_whole(text: str) -> None:
    whole = count_words(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("core.words._WINDOW", 3)
        assert count_words(text) == whole


def test_counting_takes_little_memory() -> None:
    text = "we spoke of pumps " * 500_000
    tracemalloc.start()
    try:
        assert count_words(text) == 2_000_000
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 2 * len(text)

import pytest

from core.summaries.sections import (
    interleaved,
    parse_section,
    sentences_of,
    whole_sentences,
)
from core.summaries.sources import likely_sources
from core.summaries.trimming import trimmed
from tests.unit.summaries.builders import transcript

ALLOWED = frozenset(range(10, 30))


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        ("Ann agreed. [12]", (12,)),
        ("Ann agreed [12, 15].", (12, 15)),
        ("Ann agreed. [12-14]", (12, 13, 14)),
        ("Ann agreed. [12][20]", (12, 20)),
        ("Ann agreed. [Turn 12]", (12,)),
        ("Ann agreed. [turns 12 and 15]", (12, 15)),
        ("Ann agreed. [12–13; 20]", (12, 13, 20)),
        ("Ann agreed. [12, 13, and 15]", (12, 13, 15)),
        ("Ann agreed. 【12】", (12,)),
        ("Ann agreed. [T12, T15]", (12, 15)),
        ("Ann agreed (turns 12 to 14).", (12, 13, 14)),
        ("Ann agreed.", ()),
    ],
)
def test_a_paragraph_knows_its_turns_and_does_not_show_them(
    text: str, passages: tuple[int, ...]
) -> None:
    (paragraph,) = parse_section(text, ALLOWED).paragraphs

    assert (paragraph.text, paragraph.passages) == ("Ann agreed.", passages)


@pytest.mark.parametrize("words", ["(12 boats)", "[sic]", "[12 boats]", "(2024)", "(see below)"])
def test_other_brackets_are_words_of_the_text(words: str) -> None:
    assert parse_section(f"Ann agreed {words}.", ALLOWED).text == f"Ann agreed {words}."


def test_turns_that_a_section_is_not_about_are_left_out_and_counted() -> None:
    section = parse_section("Ann agreed. [3, 12]", ALLOWED)

    assert (section.paragraphs[0].passages, section.wrong_numbers) == ((12,), 1)


def test_numbers_on_a_line_of_their_own_belong_to_what_they_follow() -> None:
    section = parse_section("Ann agreed.\n\n[12]\n\nBo left. [13]", ALLOWED)

    assert [each.passages for each in section.paragraphs] == [(12,), (13,)]


@pytest.mark.parametrize(
    "heading", ["## Pumps", "**Pumps**", "**Pumps:**", "__Pumps__", "### 1. Pumps ###"]
)
def test_headings_are_no_part_of_a_section(heading: str) -> None:
    assert parse_section(f"{heading}\nAnn agreed.", ALLOWED).text == "Ann agreed."


def test_a_year_in_brackets_is_no_range_of_turns() -> None:
    assert parse_section("In [1200-2024] it rained.", ALLOWED).wrong_numbers == 1


def test_a_cut_off_text_ends_with_its_last_whole_sentence_and_its_citation() -> None:
    assert (
        whole_sentences("Ann agreed. Bo left. [13] And then it was") == "Ann agreed. Bo left. [13]"
    )


def test_a_text_without_an_end_has_no_whole_sentence() -> None:
    assert whole_sentences("and then it was") == ""


def test_what_was_written_later_takes_its_place_among_what_stands() -> None:
    first = parse_section("A. [10]\n\nC. [20]", ALLOWED)

    both = interleaved(first, parse_section("B. [15]", ALLOWED))

    assert [each.text for each in both.paragraphs] == ["A.", "B.", "C."]


def test_sentences_keep_all_their_words() -> None:
    text = "Ann agreed. “Why not?” Bo asked 3.5 times! 好的。So it was"

    assert "".join(sentences_of(text)).replace(" ", "") == text.replace(" ", "")


def test_sections_too_long_together_lose_last_sentences_and_no_paragraph() -> None:
    long = " ".join(f"Sentence {n} is about the ferry and the harbour." for n in range(20))
    sections = [parse_section(f"{long}\n\n{long}", ALLOWED), parse_section(long, ALLOWED)]
    words = sum(section.words for section in sections)

    shorter = trimmed(sections, [200, 100], words=words * 3 // 4)

    assert words * 0.7 <= sum(section.words for section in shorter) <= words * 0.8
    assert [len(section.paragraphs) for section in shorter] == [2, 1]
    assert all(p.text.startswith("Sentence 0") for s in shorter for p in s.paragraphs)


def test_sections_of_the_right_length_stay_as_they_are() -> None:
    sections = [parse_section("Ann agreed. Bo left.", ALLOWED)]

    assert trimmed(sections, [4], words=4) == sections


def test_a_paragraph_without_numbers_rests_on_the_turns_that_share_most_words_with_it() -> None:
    passages = transcript(100).all
    told = f"It was said: {passages[41].text}"

    assert 42 in likely_sources(told, passages)


def test_a_paragraph_that_shares_nothing_rests_on_nothing() -> None:
    assert likely_sources("Zebras quarrel quietly.", transcript(20).all) == ()

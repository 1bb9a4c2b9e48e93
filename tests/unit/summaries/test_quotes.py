import pytest

from core.summaries.passages import Passages, numbered
from core.summaries.quotes import QuoteFinder
from core.transcripts.turns import Turn


def said(*texts: str, speakers: str = "") -> Passages:
    names = speakers.split() or [f"Speaker {at}" for at in range(len(texts))]
    return numbered([Turn(name, text) for name, text in zip(names, texts, strict=True)])


FERRY = "Um, so we don't, we don't lose nine thousand five hundred crossings {vocalsound} a year , do we ?"
PASSAGES = said(
    "Good morning, everybody, and welcome to the harbour board.",
    FERRY,
    "The gangway is too steep at low tide and it was never meant for wheelchairs at all.",
    speakers="Ann Bo Çelik",
)


@pytest.mark.parametrize(
    "quote",
    [
        "We do not lose 9,500 crossings a year, do we?",
        "so we don’t lose nine thousand five hundred crossings",
        "SO WE DON'T LOSE 9500 CROSSINGS A YEAR",
        "we don't lose … crossings a year",
    ],
)
def test_a_quote_is_found_however_it_was_tidied(quote: str) -> None:
    located = QuoteFinder(PASSAGES).find(quote)

    assert located is not None
    assert located.is_verbatim
    assert located.passage.speaker == "Bo"


def test_what_is_published_is_how_it_was_said() -> None:
    located = QuoteFinder(PASSAGES).find("We do not lose 9,500 crossings a year, do we?")

    assert located is not None
    assert (
        located.words
        == "we don't, we don't lose nine thousand five hundred crossings a year, do we ?".replace(
            " ?", "?"
        )
    )


def test_a_little_word_left_out_is_put_back() -> None:
    located = QuoteFinder(PASSAGES).find(
        "The gangway is too steep at low tide and was never meant for wheelchairs"
    )

    assert located is not None
    assert not located.is_verbatim
    assert located.words.endswith("and it was never meant for wheelchairs")


@pytest.mark.parametrize(
    "quote",
    [
        "The gangway is too steep at high tide and it was never meant for wheelchairs",
        "The gangway is too steep at low tide and it was meant for wheelchairs",
        "We do not lose 9,600 crossings a year, do we?",
        "We lose nine thousand five hundred crossings a year",
        "Nobody in a wheelchair gets down that gangway when the tide is out",
    ],
    ids=["another word", "a negation dropped", "another figure", "the opposite", "a paraphrase"],
)
def test_an_altered_quote_is_not_found(quote: str) -> None:
    assert QuoteFinder(PASSAGES).find(quote) is None


def test_a_quote_of_the_wrong_turn_is_given_to_the_one_who_said_it() -> None:
    located = QuoteFinder(PASSAGES).find("welcome to the harbour board", near=3)

    assert located is not None
    assert located.passage.speaker == "Ann"


def test_of_two_who_said_it_the_named_one_is_quoted() -> None:
    both = said(*["I think we should vote on that today."] * 9)

    located = QuoteFinder(both).find("we should vote on that today", near=8)

    assert located is not None
    assert located.passage.number == 8


def test_a_quote_that_reaches_into_the_next_part_of_a_turn_is_found() -> None:
    parts = numbered(
        [
            Turn(
                "Ann",
                "word. " * 144 + "We lose crossings now. And nobody tells the harbour board. ",
            )
        ]
    )
    assert [each.words for each in parts.all] == [148, 6]

    located = QuoteFinder(parts).find("We lose crossings now. And nobody tells the harbour board.")

    assert located is not None
    assert located.passage.number == 1


def test_three_words_are_no_quote() -> None:
    assert QuoteFinder(PASSAGES).find("the harbour board") is None


def test_a_quote_is_found_in_a_script_without_spaces() -> None:
    passages = said("我们今天讨论港口的新渡轮时间表。", "好的。")

    assert QuoteFinder(passages).find("讨论港口的新渡轮") is not None
    assert QuoteFinder(passages).find("讨论港口的旧渡轮") is None

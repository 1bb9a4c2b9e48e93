import pytest

from core.summaries.passages import numbered
from core.summaries.quoted import QuotationCheck, QuoteCount
from core.summaries.quotes import QuoteFinder
from core.transcripts.turns import Turn

PASSAGES = numbered(
    [
        Turn("Ann Lund", "We lose two crossings a week, um, and nobody tells the harbour."),
        Turn("Bo Ek", "The gangway is too steep for a wheelchair at low tide."),
    ]
)


def checked(block: str) -> tuple[str, QuoteCount]:
    check = QuotationCheck(QuoteFinder(PASSAGES))
    return check.in_block(block), check.count


@pytest.mark.parametrize("marks", ["“%s”", '"%s"', "«%s»", "„%s“"])
def test_what_was_said_stays_quoted_in_the_words_it_was_said_in(marks: str) -> None:
    text, count = checked(
        f"Ann said {marks % 'we lose 2 crossings a week and nobody tells the harbour'}."
    )

    assert marks % "We lose two crossings a week, um, and nobody tells the harbour." in text
    assert count.verified == 1


def test_what_nobody_said_loses_its_marks() -> None:
    text, count = checked("Ann said “we lose nine crossings a week” to Bo.")

    assert text == "Ann said we lose nine crossings a week to Bo."
    assert count == QuoteCount(dropped=1)


def test_a_sentence_that_gives_words_to_somebody_else_is_left_out() -> None:
    text, count = checked("It was late. Bo said “nobody tells the harbour” at last. They left.")

    assert text == "It was late. They left."
    assert count.misattributed == 1


def test_a_sentence_that_names_both_stays() -> None:
    text, count = checked("Ann told Bo that “nobody tells the harbour” ever.")

    assert "“nobody tells the harbour.”" in text
    assert count.misattributed == 0


def test_a_line_that_is_a_quote_gets_the_name_of_the_one_who_said_it() -> None:
    text, count = checked("> “The gangway is too steep for a wheelchair” — Ann Lund")

    assert text == "> “The gangway is too steep for a wheelchair” — Bo Ek"
    assert count.misattributed == 1


def test_a_line_that_is_a_quote_of_nobody_goes() -> None:
    text, count = checked(
        "- “The gangway is far too short” — Bo Ek\n- “nobody tells the harbour” — Ann Lund"
    )

    assert text == "- “nobody tells the harbour.” — Ann Lund"
    assert count == QuoteCount(verified=1, dropped=1)


def test_a_title_in_quotation_marks_is_no_quote() -> None:
    assert checked("They read “Moby Dick” aloud.") == ("They read “Moby Dick” aloud.", QuoteCount())


def test_a_quotation_of_several_sentences_is_one_and_nobody_else_may_have_said_it() -> None:
    passages = numbered(
        [Turn("Ann Lund", "It is late. We lose two crossings a week."), Turn("Bo Ek", "No.")]
    )
    check = QuotationCheck(QuoteFinder(passages))

    text = check.in_block(
        "They sat. Bo Ek said “It is late. We lose two crossings a week.” at last. All left."
    )

    assert text == "They sat. All left."
    assert check.count.misattributed == 1


def test_two_labels_of_one_person_are_one_person() -> None:
    labels = ("Hon. Bo Ek", "Hon. Bo Ek (Minister)", "Hon. Ann Lund")
    passages = numbered(
        [Turn(label, f"We lose {at} crossings on day {at}.") for at, label in enumerate(labels)]
    )
    check = QuotationCheck(QuoteFinder(passages))

    kept = check.in_block("Hon. Bo Ek said “We lose 1 crossings on day 1.”")
    gone = check.in_block("Hon. Ann Lund said “We lose 1 crossings on day 1.”")

    assert (kept, gone) == ("Hon. Bo Ek said “We lose 1 crossings on day 1.”", "")


def test_numbered_speakers_are_not_one_person() -> None:
    passages = numbered(
        [Turn("Speaker 1", "We lose two crossings."), Turn("Speaker 2", "We do not.")]
    )
    check = QuotationCheck(QuoteFinder(passages))

    assert check.in_block("Speaker 2 said “we lose two crossings”.") == ""

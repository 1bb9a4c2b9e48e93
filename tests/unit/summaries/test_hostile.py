"""Answers that are made to take long: none does, whatever part of the engine reads it."""

import time
from collections.abc import Callable

import pytest

from core.summaries.checks import numbers_in, text_faults
from core.summaries.glossary import parse_glossary
from core.summaries.languages import profile_of
from core.summaries.ledger import parse_ledger
from core.summaries.outline import parse_outline
from core.summaries.quoted import QuotationCheck
from core.summaries.quotes import QuoteFinder
from core.summaries.sections import parse_section, whole_sentences
from tests.unit.summaries.builders import transcript

PASSAGES = transcript(100)
FINDER = QuoteFinder(PASSAGES)
GLOSSARY = parse_glossary("Solhaug: soul hog, s o l")
LANGUAGE = profile_of(PASSAGES)
SHOWN = frozenset(range(1, 101))

READERS: dict[str, Callable[[str], object]] = {
    "section": lambda text: parse_section(text, SHOWN),
    "whole sentences": whole_sentences,
    "quotations": lambda text: QuotationCheck(FINDER).in_block(text),
    "a quote": lambda text: FINDER.find(text[:5_000]),
    "outline": lambda text: parse_outline(text, PASSAGES, headings={"overview": "Overview"}),
    "ledger": lambda text: parse_ledger(text, SHOWN, PASSAGES),
    "faults": lambda text: text_faults(text, language=LANGUAGE),
    "figures": numbers_in,
    "glossary": GLOSSARY.applied_to,
}
UNITS = (
    *(
        "[",
        "[1, ",
        "[1-2;",
        "[turns 1 and 2",
        "#",
        "**",
        "“",
        '"',
        '"a b c d e f g h i" ',
        "{",
        '{"a":',
        "[[",
    ),
    *(
        '{"decisions":[',
        "\\",
        '"\\',
        "A.",
        "...",
        "… ",
        "0,",
        "1 000 ",
        "one ",
        "a-",
        "'",
        " ",
        "\n",
        "字",
    ),
)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_no_answer_takes_long_to_read(reader: Callable[[str], object]) -> None:
    for unit in UNITS:
        started = time.process_time()
        reader(unit * (20_000 // len(unit)))
        assert time.process_time() - started < 5, repr(unit)

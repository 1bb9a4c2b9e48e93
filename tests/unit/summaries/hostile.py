"""Everything of the engine that reads a model's answer, and answers made to be slow. Its test runs it:

    python -m tests.unit.summaries.hostile READER

The process may use only so much CPU; what it prints last says which answer it was at.
"""

import resource
import sys
from collections.abc import Callable, Mapping

from core.summaries.checks import grams_of, numbers_in, text_faults
from core.summaries.glossary import parse_glossary
from core.summaries.languages import profile_of
from core.summaries.ledger import parse_ledger
from core.summaries.outline import parse_outline
from core.summaries.quoted import QuotationCheck
from core.summaries.quotes import QuoteFinder
from core.summaries.sections import parse_section, sentences_of, whole_sentences
from core.summaries.sources import likely_sources
from tests.unit.summaries.builders import transcript

CPU_SECONDS = 30  # linear readers need a few, quadratic ones minutes
LONG = 30_000  # characters: 6,000 tokens, the most that a call may generate, have fewer
PASSAGES = transcript(100)
SHOWN = frozenset(range(1, 101))
FINDER = QuoteFinder(PASSAGES)
GLOSSARY = parse_glossary("Solhaug: soul hog, s o l")
LANGUAGE = profile_of(PASSAGES)

READERS: Mapping[str, Callable[[str], object]] = {
    "section": lambda text: parse_section(text, SHOWN),
    "whole-sentences": whole_sentences,
    "sentences": sentences_of,
    "quotations": lambda text: QuotationCheck(FINDER).in_block(text),
    "quote": FINDER.find,
    "outline": lambda text: parse_outline(text, PASSAGES, headings={"overview": "Overview"}),
    "ledger": lambda text: parse_ledger(text, SHOWN, PASSAGES),
    "faults": lambda text: text_faults(text, language=LANGUAGE, prompt=grams_of([text])),
    "figures": numbers_in,
    "glossary": GLOSSARY.applied_to,
    "sources": lambda text: likely_sources(text, PASSAGES.all),
}
_FILLINGS = (
    *(
        "[",
        "[1, ",
        "[1-2;",
        "[turns 1 and 2",
        "]",
        "#",
        "# ",
        "**",
        "** a",
        "“",
        "“a",
        '"',
        "«",
        "{",
    ),
    *(
        '"a b c d e f g h i" ',
        '{"a":',
        "[[",
        '{"decisions":[',
        "\\",
        '"\\',
        "A.",
        "Mr.",
        ". ",
        "...",
        "… ",
    ),
    *(
        "0",
        "0,",
        "1 000 ",
        "one ",
        "hundred ",
        "a-",
        "a'",
        "'",
        " ",
        "\n",
        "\t",
        "\u00a0",
        "> ",
        "- ",
    ),
    *(
        "字",
        "。",
        "wo wo ",
        "soul ",
        "Ann said “we lose two” ",
        "I can't ",
        "\ud83d",
        "\u0301",
        "\u2028",
    ),
)


def main(reader: str) -> None:
    """Read every hostile answer, within the CPU that there is."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for filling in _FILLINGS:
        print(f"at {filling!a}", flush=True)
        READERS[reader](filling * (LONG // len(filling)))


if __name__ == "__main__":
    main(sys.argv[1])

"""docs/examples/ holds what the simulator makes of a sample at a small context: it reads as one document.

pytest tests/unit/summaries/test_example.py --write-golden      # makes it anew; read it as a person would
"""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from core.summaries.facts import Outcome
from core.summaries.goals import WritingLimits, goal_of
from core.summaries.passages import Passages, numbered
from core.summaries.rounds import Finished
from core.transcripts.reader import read_transcript
from tests.builders import a_request
from tests.fakes.simulated_model import SimulatedModel
from tests.writing_model import driven

_ROOT = Path(__file__).parents[3]
SAMPLE = _ROOT / "samples" / "product-planning-meeting.txt"
EXAMPLE = _ROOT / "docs" / "examples" / "product-planning-meeting.md"
_CONTEXT_TOKENS = 8_192
_HEADINGS = ("Overview", "Topics", "Decisions", "Action items", "Open questions", "Notable quotes")
# What only the putting together of answers could leave in a document.
_TRACES = re.compile(r"\bparts? \d+ of\b|\bsection \d|</?\w+ id=|\[\d[\d, -]*\]|```", re.IGNORECASE)


@cache
def passages() -> Passages:
    return numbered(read_transcript(SAMPLE.read_bytes(), max_bytes=1_000_000).turns)


@cache
def finished() -> Finished:
    options = a_request()
    goal = goal_of(options, passages().words, boundary="0" * 32)
    limits = WritingLimits(context_tokens=_CONTEXT_TOKENS)
    return driven(passages(), goal, limits, SimulatedModel(options=options)).finished


@pytest.fixture(scope="module", autouse=True)
def _written(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--write-golden"):
        EXAMPLE.write_text(finished().text.rstrip() + "\n", encoding="utf-8")


@pytest.fixture(params=["as committed", "as made now"])
def document(request: pytest.FixtureRequest) -> str:
    is_committed = request.param == "as committed"
    return EXAMPLE.read_text(encoding="utf-8") if is_committed else finished().text


def test_has_one_title_one_overview_and_each_register_once(document: str) -> None:
    assert len(re.findall(r"^# ", document, re.M)) == 1
    assert tuple(re.findall(r"^## (.+)$", document, re.M)) == _HEADINGS


def test_has_no_topic_twice(document: str) -> None:
    titles = re.findall(r"^### (.+)$", document, re.M)

    assert len(titles) == len(set(titles)) >= 4


def test_has_no_trace_of_the_calls_that_it_is_made_of(document: str) -> None:
    assert _TRACES.findall(document) == []


def test_says_nothing_twice(document: str) -> None:
    topics = document.partition("## Topics")[2].partition("## Decisions")[0]
    paragraphs = [line for line in topics.splitlines() if line and not line.startswith("#")]

    assert len(paragraphs) == len(set(paragraphs)) >= 20


def test_tells_its_topics_in_the_order_of_the_conversation() -> None:
    firsts = [
        source.turns[0]
        for source in finished().facts.sources
        if source.kind == "paragraph" and source.section.isdigit() and source.turns
    ]

    assert all(one <= other for one, other in pairwise(firsts))


def test_passes_every_check() -> None:
    assert {check.outcome for check in finished().facts.checks} <= {
        Outcome.PASSED,
        Outcome.NOT_APPLICABLE,
    }


def test_is_what_the_simulator_makes_now() -> None:
    """Only by its topics: which of two sentences is the better one can hang on a rounding of floats."""
    committed = EXAMPLE.read_text(encoding="utf-8")

    assert re.findall(r"^#+ .+$", committed, re.M) == re.findall(r"^#+ .+$", finished().text, re.M)

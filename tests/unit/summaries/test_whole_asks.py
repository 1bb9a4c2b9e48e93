"""What a model is told, word for word, for each kind of call.

    pytest tests/unit/summaries/test_whole_asks.py --write-golden      # writes them anew; review the diff

Of the transcript, only the first and last lines stand in golden/.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from core.summaries.asks import Ask
from core.summaries.glossary import parse_glossary
from core.summaries.messages import chat_request
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages
from tests.unit.summaries.builders import a_goal, drive, some_limits, transcript
from tests.writing_habits import breaking_json, refusing
from tests.writing_model import WritingModel, always, proportional

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = SummaryOptions(words=4_000, model="a/model", max_tokens=6_000, temperature=0.3, top_p=0.9)
BLOCK = re.compile(r"(<(\w+) id=\"\w+\">\n)(.*?)(\n</\2)", re.DOTALL)
SHOWN_LINES = 2


@cache
def plain() -> list[Ask]:
    habit = always(refusing, slots="section-2.1", tries=1)
    return drive(WritingModel(length=proportional(0.4), habit=habit)).asks


@cache
def malformed() -> list[Ask]:
    return drive(WritingModel(habit=always(breaking_json, tries=1))).asks


@cache
def minutes() -> list[Ask]:
    glossary = parse_glossary("Solhaug: soul hog\nSPEAKER_00 = Ingrid Solhaug")
    return drive(goal=a_goal(prompts="minutes", language="German", glossary=glossary)).asks


@cache
def noted() -> list[Ask]:
    return drive(passages=transcript(300), goal=a_goal(4_000), limits=some_limits(8_192)).asks


@cache
def short() -> list[Ask]:
    return drive(goal=a_goal(500)).asks


ASKS: dict[str, tuple[Callable[[], list[Ask]], str]] = {
    "outline": (plain, "outline"),
    "outline-again": (malformed, "outline-try2"),
    "outline-of-notes": (noted, "outline"),
    "notes": (noted, "notes-1-1"),
    "section": (plain, "section-1.1"),
    "section-part": (noted, "section-2.2"),
    "section-declined": (plain, "section-2.1-try2"),
    "section-gone-on-with": (plain, "section-1.1-try2"),
    "section-of-minutes": (minutes, "section-1.1"),
    "ledger-decisions": (plain, "ledger-1-decisions"),
    "ledger-quotes": (plain, "ledger-1-quotes"),
    "ledger-of-a-range": (noted, "ledger-2"),
    "overview": (plain, "overview"),
    "overview-of-minutes": (minutes, "overview"),
    "single": (short, "single"),
}


def shown(ask: Ask, passages: Passages) -> str:
    """Return a request as text: the settings as JSON, then each message as the model reads it."""
    request = chat_request(ask, passages, OPTIONS)
    messages = request.pop("messages")
    if "response_format" in request:  # tests/unit/summaries/test_messages.py has the schemas
        request["response_format"]["json_schema"]["schema"] = "..."
    texts = [f"\n---- {each['role']} ----\n{_shortened(each['content'])}\n" for each in messages]
    return json.dumps(request, indent=1) + "\n" + "".join(texts)


def _shortened(content: str) -> str:
    def shorter(block: re.Match[str]) -> str:
        lines = [f"{line[:90]}…" if len(line) > 90 else line for line in block[3].split("\n")]
        if len(lines) > 3 * SHOWN_LINES:
            gap = f"(... {len(lines) - 2 * SHOWN_LINES} lines ...)"
            lines = [*lines[:SHOWN_LINES], gap, *lines[-SHOWN_LINES:]]
        return block[1] + "\n".join(lines) + block[4]

    return BLOCK.sub(shorter, content)


@pytest.mark.parametrize("kind", ASKS)
def test_a_call_asks_for_exactly_what_its_golden_file_says(
    kind: str, request: pytest.FixtureRequest
) -> None:
    made_by, name = ASKS[kind]
    passages = transcript(300) if made_by is noted else transcript()
    text = shown(next(ask for ask in made_by() if ask.name == name), passages)
    file = GOLDEN / f"{kind}.txt"

    if request.config.getoption("--write-golden"):
        file.write_text(text, encoding="utf-8")

    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_is_one_that_is_compared() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(ASKS)

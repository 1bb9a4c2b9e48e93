"""Nothing that was said can be left out: the model is shown all of it, and a topic without text is seen."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.summaries import finishing
from core.summaries.asks import AskKind
from core.summaries.document import Parts, assembled
from core.summaries.messages import chat_request
from core.summaries.options import Strategy
from core.summaries.passages import Passages
from tests.builders import a_request
from tests.unit.summaries.builders import a_goal, drive, some_limits, transcript
from tests.writing_habits import breaking_json, refusing
from tests.writing_model import Drive, WritingModel, always

OUTLINES = {
    "by the model": WritingModel(),
    "malformed": WritingModel(habit=always(breaking_json, AskKind.OUTLINE)),
    "declined": WritingModel(habit=always(refusing, AskKind.OUTLINE)),
    "of the first turns alone": WritingModel(
        habit=always(
            lambda ask, text: '{"title": "T", "topics": [{"title": "A", "turns": [[1, 3]]}]}',
            AskKind.OUTLINE,
        )
    ),
}


def lines_shown(done: Drive, passages: Passages) -> set[str]:
    """Return the lines of all that the model is to write from: of the sections, and of notes for them."""
    return {
        line
        for ask in done.asks
        if ask.kind in (AskKind.SECTION, AskKind.NOTES)
        for message in chat_request(ask, passages, a_request())["messages"]
        for line in message["content"].splitlines()
    }


@settings(max_examples=30, deadline=None)
@given(
    turns=st.integers(10, 200),
    context_tokens=st.sampled_from((6_000, 8_192, 32_768)),
    outline=st.sampled_from(sorted(OUTLINES)),
    data=st.data(),
)
def test_no_tenth_of_the_turns_is_missing_from_what_the_model_writes_from(
    turns: int, context_tokens: int, outline: str, data: st.DataObject
) -> None:
    passages = transcript(turns)
    first = data.draw(st.integers(1, turns - turns // 10))
    tenth = passages.of(((first, first + turns // 10),))

    done = drive(
        OUTLINES[outline],
        passages=passages,
        goal=a_goal(min(1_500, passages.words // 3), strategy=Strategy.OUTLINE),
        limits=some_limits(context_tokens),
    )

    assert {passage.line for passage in tenth} <= lines_shown(done, passages)


@pytest.mark.parametrize("left_out", ["the section", "its text"])
def test_a_summary_that_leaves_out_a_topic_is_not_published(
    monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    def careless(parts: Parts, *rest: Any, **more: Any) -> Any:
        document = assembled(parts, *rest, **more)
        second = f"### {parts.outline.topics[1].title}"
        blocks = document.text.split("\n\n")
        at = blocks.index(second)
        end = next(n for n in range(at + 1, len(blocks)) if blocks[n].startswith("#"))
        kept = blocks[:at] + ([second] if left_out == "its text" else []) + blocks[end:]
        return type(document)(text="\n\n".join(kept), sources=document.sources)

    monkeypatch.setattr(finishing, "assembled", careless)

    given_up = drive().given_up

    assert given_up.code == "summary-incomplete"
    assert "1 of the topics" in given_up.message

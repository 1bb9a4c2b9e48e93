"""How much of what a job's calls read is a prefix that they share: vLLM reads it once, and keeps it."""

from collections.abc import Callable, Sequence

import pytest

from core.summaries.asks import Ask, AskKind
from core.summaries.messages import chat_request
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages
from core.summaries.tokens import estimate_tokens
from tests.unit.summaries.builders import a_goal, drive, some_limits, transcript
from tests.writing_habits import looping
from tests.writing_model import WritingModel, always, proportional

OPTIONS = SummaryOptions(words=4_000, model="a/model", max_tokens=6_000, temperature=0.3, top_p=0.9)
PASSAGES = transcript(300)


def asks_of(model: WritingModel | None = None, context_tokens: int = 131_072) -> list[Ask]:
    limits = some_limits(context_tokens)
    return drive(model, passages=PASSAGES, goal=a_goal(4_000), limits=limits).asks


def of_kind(asks: Sequence[Ask], *kinds: AskKind) -> list[Ask]:
    return [ask for ask in asks if ask.kind in kinds]


def of_slot(asks: Sequence[Ask], slot: str) -> list[Ask]:
    return [ask for ask in asks if ask.slot == slot]


def shared_share(asks: Sequence[Ask], passages: Passages) -> float:
    """Return which share of the tokens of some requests is a prefix that all of them have in common."""
    texts = [
        "".join(message["content"] for message in chat_request(ask, passages, OPTIONS)["messages"])
        for ask in asks
    ]
    shortest = min(map(len, texts))
    same = next((at for at in range(shortest) if len({t[at] for t in texts}) > 1), shortest)
    return len(texts) * estimate_tokens(texts[0][:same]) / sum(map(estimate_tokens, texts))


# What is read by whom, and the least that must be shared.
SHARED: dict[str, tuple[Callable[[], list[Ask]], float]] = {
    "outline and ledger, of the whole transcript": (
        lambda: of_kind(asks_of(), AskKind.OUTLINE, AskKind.LEDGER),
        0.9,
    ),
    "ledger": (lambda: of_kind(asks_of(), AskKind.LEDGER), 0.9),
    "sections, each of its own turns": (lambda: of_kind(asks_of(), AskKind.SECTION), 0.2),
    "notes, each of its own turns": (lambda: of_kind(asks_of(None, 8_192), AskKind.NOTES), 0.05),
    "a section, and what goes on with it": (
        lambda: of_slot(asks_of(WritingModel(length=proportional(0.4))), "section-1.1"),
        0.8,
    ),
    "a section that is asked for again": (
        lambda: of_slot(
            asks_of(WritingModel(habit=always(looping, slots="section-1.1", tries=1))),
            "section-1.1",
        ),
        0.7,
    ),
}


@pytest.mark.parametrize("which", SHARED)
def test_calls_share_so_much_of_what_they_read(which: str) -> None:
    made, least = SHARED[which]
    asks = made()

    assert len(asks) > 1
    assert shared_share(asks, PASSAGES) >= least


def test_the_calls_of_a_round_that_read_the_same_turns_share_their_beginning() -> None:
    ledger = of_kind(drive().asks, AskKind.LEDGER)

    assert len(ledger) == 4
    assert len({(ask.system, ask.passages, ask.before, ask.blocks) for ask in ledger}) == 1

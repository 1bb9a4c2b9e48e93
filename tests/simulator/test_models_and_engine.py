"""What the simulator's models write passes the engine's checks, and their habits don't."""

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from core.summaries.facts import Outcome
from core.summaries.goals import WritingLimits, goal_of
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages, numbered
from core.summaries.rounds import Finished
from core.transcripts.reader import read_transcript
from runpod_simulator.scenarios import SCENARIOS, plan_for
from runpod_simulator.workers.habits import HABITS, with_habits
from runpod_simulator.workers.model import WritingModel
from tests.fakes.simulated_model import SimulatedModel
from tests.writing_model import Drive, driven

SAMPLES = Path(__file__).parents[2] / "samples"
# What can only be published in part, or not at all, where a model always has it.
_HOPELESS = {
    *("refusal", "loop", "prompt-repeated", "other-language", "endless-reasoning", "headings-only"),
    "no-text",
}


@cache
def passages_of(name: str) -> Passages:
    transcript = read_transcript((SAMPLES / name).read_bytes(), max_bytes=10**8)
    return numbered(transcript.turns)


@cache
def summary_of(
    name: str,
    *scenarios: str,
    kind: str = "llm-like",
    context_tokens: int = 32_768,
    words: int = 4_000,
) -> Drive:
    options = SummaryOptions(
        words=words,
        model="m",
        max_tokens=min(6_000, context_tokens // 2),
        temperature=0.3,
        top_p=0.9,
    )
    passages = passages_of(name)
    model = WritingModel(kind=kind, max_model_len=context_tokens)
    return driven(
        passages,
        goal_of(options, passages.words, boundary="0" * 32),
        WritingLimits(context_tokens=context_tokens, max_tokens=options.max_tokens),
        SimulatedModel(options=options, model=model, manner=plan_for(scenarios).manner),
    )


def in_doubt(done: Drive) -> list[str]:
    return [check.code for check in done.finished.facts.checks if check.outcome is Outcome.DOUBT]


@pytest.mark.parametrize("context_tokens", [8_192, 32_768])
@pytest.mark.parametrize("kind", ["extractive", "llm-like"])
@pytest.mark.parametrize("name", ["weekly-standup.txt", "product-planning-meeting.txt"])
def test_what_they_write_passes_every_check(name: str, kind: str, context_tokens: int) -> None:
    facts = summary_of(name, kind=kind, context_tokens=context_tokens).finished.facts

    assert [check.code for check in facts.checks if check.outcome is Outcome.DOUBT] == []
    assert facts.tries == {}
    assert facts.quotes_verified >= 3
    assert facts.outline_by in ("model", "")


def test_every_habit_is_a_scenario() -> None:
    named = {name for name in SCENARIOS if plan_for([name]).habits}

    assert named == set(HABITS)


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_mended_or_noted_or_ends_the_job_and_is_never_published(habit: str) -> None:
    done = summary_of("weekly-standup.txt", habit)

    if habit in _HOPELESS:
        assert not isinstance(done.end, Finished)
        return
    published = done.finished.text
    for never in ("<think>", "```", "Sure!", "Let me know", "\u201cWe shall", "99999", "[17]"):
        assert never not in published


def test_one_who_writes_little_at_once_is_asked_for_little_at_once() -> None:
    done = summary_of("product-planning-meeting.txt", "saturates=400")

    facts = done.finished.facts
    assert facts.words == pytest.approx(facts.target_words, rel=0.1)


@pytest.mark.parametrize("scenario", ["too-short=0.6", "too-long=1.6"])
def test_one_who_writes_a_share_of_what_is_asked_for_is_brought_to_its_length(
    scenario: str,
) -> None:
    facts = summary_of("product-planning-meeting.txt", scenario).finished.facts

    assert facts.words == pytest.approx(facts.target_words, rel=0.1)


def test_another_seed_writes_another_text() -> None:
    passages, options = (
        passages_of("weekly-standup.txt"),
        SummaryOptions(words=500, model="m", max_tokens=2_000, temperature=0.3, top_p=0.9),
    )
    ask = summary_of("weekly-standup.txt").asks[0]

    texts = {
        SimulatedModel(options=options, model=WritingModel(kind="llm-like", seed=seed))
        .answer(ask, passages)
        .text
        for seed in (1, 1, 2)
    }

    assert len(texts) == 2


@dataclass(frozen=True)
class Asked:
    kind: str
    instructions: str = "About 300 words."
    seed: int = 1


@pytest.mark.parametrize(
    ("kind", "sound"),
    [
        ("outline", '{"topics": []}'),
        ("ledger", '{"quotes": [{"turn": 1, "words": "We lose two of them."}]}'),
        *((kind, "# Title\n\nThey said 12. [1]") for kind in ("section", "overview", "notes", "single")),
    ],
)  # fmt: skip
def test_a_model_can_have_any_two_habits_at_once(kind: str, sound: str) -> None:
    for pair in itertools.combinations(HABITS, 2):
        assert isinstance(with_habits(Asked(kind), sound, pair), str)

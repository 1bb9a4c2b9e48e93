"""Further tries cost GPU time: a job has a budget of generated tokens for them."""

import pytest

from core.summaries.asks import AskKind
from core.summaries.rounds import Finished
from tests.unit.summaries.builders import a_goal, drive, some_limits, transcript
from tests.writing_habits import looping
from tests.writing_model import WritingModel, always, proportional


def test_tries_stay_within_the_budget_of_generated_tokens() -> None:
    habit = always(looping, AskKind.SECTION)

    done = drive(WritingModel(habit=habit), goal=a_goal(4_000), passages=transcript(300))

    assert done.given_up.code == "model-unusable"
    assert done.given_up.facts.cost.generated_tokens <= 4_000 * 1.5 * 2.5


@pytest.mark.parametrize("share", [0.1, 0.25, 0.4, 1.6, 2.5])
def test_the_budget_holds_for_a_model_of_any_length(share: float) -> None:
    done = drive(
        WritingModel(length=proportional(share)), goal=a_goal(4_000), passages=transcript(300)
    )

    spent = done.end.facts.cost.generated_tokens
    first = sum(
        answer.completion_tokens
        for past in done.history
        for ask, answer in zip(past.round.asks, past.answers.values(), strict=True)
        if ask.seed == 1
    )
    assert spent <= max(first * 1.01, 1.5 * 1.5 * 4_000)


@pytest.mark.parametrize(("token_budget", "is_mended"), [(1.1, False), (9, True)])
def test_what_is_of_no_use_is_asked_for_again_as_far_as_the_budget_goes(
    token_budget: float, *, is_mended: bool
) -> None:
    habit = always(looping, AskKind.SECTION, tries=1)

    done = drive(WritingModel(habit=habit), limits=some_limits(token_budget=token_budget))

    assert isinstance(done.end, Finished) is is_mended

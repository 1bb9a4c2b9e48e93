"""The worker's summary is the pipeline's: the same engine, driven in memory."""

from dataclasses import replace
from typing import Any

import pytest

from core.jobs.job import JobState
from core.summaries.options import Strategy, SummaryOptions
from tests.builders import a_request, submitter_settings
from tests.fakes.model import FakeModel, a_transcript
from tests.functions.pipeline import Pipeline
from tests.worker.in_process import pulled
from tests.writing_model import proportional, saturating

HABITS: dict[str, dict[str, Any]] = {
    "exact": {},
    "terse": {"length": proportional(0.4)},
    "talkative": {"length": proportional(1.8)},
    "stalls": {"length": saturating(150)},
    "runs into max_tokens": {"tokens_per_word": 2.5},
    "smaller than it says": {"context_tokens": 6_000},
}


def pushed(
    text: str, model: FakeModel, options: SummaryOptions, context_tokens: int
) -> tuple[str, list[int]]:
    settings = submitter_settings(context_tokens=context_tokens, options=options)
    pipeline = Pipeline(model=model, settings=settings)
    job = pipeline.upload(text)
    pipeline.run()
    job, _, _ = pipeline.history(job)
    assert job.state is JobState.SUCCEEDED
    return pipeline.summary(job), sorted(model.requested_words)


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS.keys())
@pytest.mark.parametrize(
    ("words", "context_tokens", "max_tokens", "strategy"),
    [
        (150, 32_768, 6_000, Strategy.AUTO),
        (10_000, 32_768, 6_000, Strategy.AUTO),
        (10_000, 32_768, 6_000, Strategy.SINGLE),
        (60_000, 8_192, 2_000, Strategy.AUTO),
        (100_000, 32_768, 6_000, Strategy.AUTO),
    ],
)
def test_worker_and_pipeline_send_the_same_requests_and_make_the_same_summary(
    habits: dict[str, Any],
    words: int,
    context_tokens: int,
    max_tokens: int,
    strategy: Strategy,
) -> None:
    text = a_transcript(words)
    options = a_request(max_tokens=max_tokens, strategy=strategy)

    summary, asked_for = pushed(text, FakeModel(**habits), options, context_tokens)
    model = FakeModel(**habits)
    result = pulled(
        text, model, options, replace(submitter_settings().limits, context_tokens=context_tokens)
    )

    assert result.text.rstrip() + "\n" == summary
    assert sorted(model.requested_words) == asked_for
    assert result.facts.cost.calls == len(asked_for)

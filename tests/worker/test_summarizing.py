"""The worker's summary is the pipeline's: the same calls, repairs and joining, in memory."""

from dataclasses import replace
from typing import Any

import pytest
from core.summaries.plans import Strategy
from core.summaries.stages import resolve_target

from core.jobs.job import JobState
from core.runpod.reports import RunPodReport, parse_report
from core.summaries.options import SummaryOptions
from core.transcripts.reader import read_transcript
from tests.builders import a_request, submitter_settings
from tests.fakes.model import FakeModel, a_transcript
from tests.functions.pipeline import Pipeline
from worker.model import TooLongForModel
from worker.summarize import Material, Result, Summarizer

HABITS: dict[str, dict[str, Any]] = {
    "exact": {},
    "terse": {"share_written": 0.4},
    "talkative": {"share_written": 1.8},
    "runs into max_tokens": {"tokens_per_word": 2.5},
    "smaller than it says": {"context_tokens": 6_000},
}


class InProcess:
    """The model of the tests, without a server."""

    def __init__(self, model: FakeModel) -> None:
        self.model = model

    def complete(self, request: Any) -> RunPodReport:
        report = parse_report(self.model.answer({"input": {"openai_input": request}}, "rp-1"))
        if report.failure and report.failure.code == "context-length":
            raise TooLongForModel
        assert report.text
        return report


def pushed(
    text: str, model: FakeModel, options: SummaryOptions, context_tokens: int
) -> tuple[str, list[int]]:
    settings = replace(submitter_settings(), context_tokens=context_tokens, options=options)
    pipeline = Pipeline(model=model, settings=settings)
    job = pipeline.upload(text)
    pipeline.run()
    job, calls, _ = pipeline.history(job)
    assert job.state is JobState.SUCCEEDED
    return pipeline.summary(job), sorted(model.requested_words)


def pulled(text: str, model: FakeModel, options: SummaryOptions, context_tokens: int) -> Result:
    transcript = read_transcript(text.encode(), max_bytes=10**9)
    options, target = resolve_target(options, transcript.words)
    material = Material(
        text=transcript.text,
        words=transcript.words,
        boundary="0" * 32,
        options=options,
        target=target,
    )
    summarizer = Summarizer(model=InProcess(model), parallel_calls=1)
    return summarizer.summarize(material, context_tokens=context_tokens)


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS.keys())
@pytest.mark.parametrize(
    ("words", "context_tokens", "max_tokens", "strategy"),
    [
        (120, 32_768, 6_000, Strategy.AUTO),
        (10_000, 32_768, 6_000, Strategy.AUTO),
        (10_000, 32_768, 6_000, Strategy.SECTIONS),
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

    summary, polls = pushed(text, FakeModel(**habits), options, context_tokens)
    model = FakeModel(**habits)
    result = pulled(text, model, options, context_tokens)

    assert result.text.rstrip() + "\n" == summary
    assert sorted(model.requested_words) == polls
    assert result.calls == len(polls)

"""A summary's facts and metadata describe the requests that wrote it, and no other."""

import json
from typing import Any

import pytest

from core.aws.names import facts_key_for
from core.jobs.job import Job
from core.summaries.options import Mode
from tests.builders import (
    SUMMARY_TEXT,
    a_manifest,
    a_request,
    lost_body,
    manifest_body,
    submitter_settings,
)
from tests.fakes.model import FakeModel, a_transcript
from tests.functions.pipeline import Pipeline
from tests.writing_model import proportional

LOST = lost_body()


def told_of(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    body = pipeline.s3.objects["out", facts_key_for(job.summary_key)].body
    summary: dict[str, Any] = json.loads(body)["summary"]
    return summary


@pytest.mark.parametrize("attempt", [1, 2])
def test_the_attempt_that_wrote_the_summary_is_named_with_its_tokens(attempt: int) -> None:
    """Attempt 1 was given up, attempt 2 is running; either may be the one that brings the text."""
    pipeline = Pipeline(settings=submitter_settings(options=a_request(mode=Mode.PULL)))
    job = pipeline.upload(a_transcript(1_000))
    pipeline.call_back("rp-1", pipeline.runpod.requests[0], answer=LOST)
    pipeline.take_messages()

    runpod_id = f"rp-{attempt}"
    manifest = a_manifest(
        text=SUMMARY_TEXT, prompt_tokens=100 + attempt, completion_tokens=200 + attempt
    )
    body = manifest_body(manifest, id=runpod_id)
    pipeline.call_back(runpod_id, pipeline.runpod.requests[attempt - 1], answer=body)

    recorded = told_of(pipeline, job)
    metadata = pipeline.s3.objects["out", job.summary_key].metadata
    figures = (attempt, runpod_id, 100 + attempt, 200 + attempt)
    assert figures == (
        recorded["attempt"],
        recorded["runpod_id"],
        recorded["prompt_tokens"],
        recorded["completion_tokens"],
    )
    assert (metadata["attempt"], metadata["runpod-id"]) == (str(attempt), runpod_id)


def test_of_many_calls_all_answers_are_counted_also_those_that_were_asked_for_again() -> None:
    pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
    job = pipeline.upload(a_transcript(12_000))
    pipeline.run()

    usage = [
        report_usage(pipeline, f"rp-{number}")
        for number in range(1, len(pipeline.runpod.requests) + 1)
    ]
    told = told_of(pipeline, job)
    assert (told["prompt_tokens"], told["completion_tokens"]) == (
        sum(prompt for prompt, _ in usage),
        sum(completion for _, completion in usage),
    )


def report_usage(pipeline: Pipeline, runpod_id: str) -> tuple[int, int]:
    report = pipeline.runpod.reports[runpod_id]
    return report.prompt_tokens, report.completion_tokens

"""A summary's facts and metadata describe the request that wrote it, and no other."""

import json
from typing import Any

import pytest

from core.aws.names import facts_key_for
from core.jobs.job import Job
from tests.builders import completed_body, lost_body
from tests.fakes.model import a_transcript
from tests.functions.pipeline import Pipeline

LOST = lost_body()


def told_of(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    body = pipeline.s3.objects["out", facts_key_for(job.summary_key)].body
    summary: dict[str, Any] = json.loads(body)["summary"]
    return summary


@pytest.mark.parametrize("attempt", [1, 2])
def test_the_attempt_that_wrote_the_summary_is_named_with_its_tokens(attempt: int) -> None:
    """Attempt 1 was given up, attempt 2 is running; either may be the one that brings the text."""
    pipeline = Pipeline()
    job = pipeline.upload(a_transcript(1_000))
    pipeline.call_back("rp-1", pipeline.runpod.requests[0], answer=LOST)
    pipeline.take_messages()

    runpod_id = f"rp-{attempt}"
    body = completed_body("word " * 400, id=runpod_id)
    body["output"][0]["usage"] = {
        "prompt_tokens": 100 + attempt,
        "completion_tokens": 200 + attempt,
    }
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

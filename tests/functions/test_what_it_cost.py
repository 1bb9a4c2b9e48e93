"""What a summary cost, over all its rounds, calls and attempts, in both modes."""

import json
from typing import Any

from core.jobs.call import is_result
from core.jobs.job import Job, JobState, Summary
from core.summaries.asks import AskKind
from core.summaries.options import Mode
from tests.builders import (
    SUMMARY_TEXT,
    a_manifest,
    a_request,
    lost_body,
    manifest_body,
    submitter_settings,
)
from tests.fakes.memory import presigned
from tests.fakes.model import FakeModel, a_transcript
from tests.functions.pipeline import Pipeline
from tests.writing_habits import altering_quotes, breaking_json
from tests.writing_model import always

RAN_MS = 61_088  # of an answer, as tests/builders.py has it
FIGURES = ("rounds", "calls", "prompt_tokens", "completion_tokens", "discarded_tokens", "ran_ms")


def outlined(pipeline: Pipeline) -> tuple[Job, Summary]:
    """Run a job whose first attempt RunPod loses after half a minute."""
    job = pipeline.upload(a_transcript(12_000))
    lost = lost_body(id="rp-1", executionTime=30_000)
    pipeline.call_back("rp-1", pipeline.runpod.requests[0], answer=lost)
    pipeline.take_messages()
    pipeline.run()
    job = pipeline.store.load_job(job.id)
    assert job.state is JobState.SUCCEEDED
    assert job.summary
    return job, job.summary


def facts_of(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    key = job.summary_key.removesuffix(".txt") + ".json"
    return dict(json.loads(pipeline.s3.objects["out", key].body))


class TestASummaryOfManyCalls:
    def test_cost_what_all_its_calls_and_attempts_took(self) -> None:
        pipeline = Pipeline()

        job, summary = outlined(pipeline)

        _, calls, events = pipeline.history(job)
        answers = [event.detail for event in events if is_result(event)]
        assert (summary.rounds, summary.calls) == (job.stage, len(calls))
        assert summary.completion_tokens == sum(int(each["completion_tokens"]) for each in answers)
        assert summary.ran_ms == 30_000 + len(calls) * RAN_MS  # also what was lost
        assert (summary.discarded_tokens, summary.doubts) == (0, 0)

    def test_says_what_was_thrown_away_and_what_is_in_doubt(self) -> None:
        model = FakeModel(habit=always(breaking_json, AskKind.OUTLINE, tries=1))
        _, summary = outlined(Pipeline(model=model))
        assert summary.discarded_tokens > 0

        pipeline = Pipeline(model=FakeModel(habit=always(altering_quotes, AskKind.LEDGER)))
        job, summary = outlined(pipeline)
        assert summary.doubts == facts_of(pipeline, job)["writing"]["doubts"] == 1

    def test_has_its_figures_in_the_audit_the_facts_and_the_metadata(self) -> None:
        pipeline = Pipeline()
        job, summary = outlined(pipeline)

        figures = {name: getattr(summary, name) for name in FIGURES}
        metadata = pipeline.s3.objects["out", job.summary_key].metadata
        audited = pipeline.history(job)[2][-1].detail
        stored = facts_of(pipeline, job)["summary"]

        assert {name: audited[name] for name in FIGURES} == figures
        assert {name: stored[name] for name in FIGURES} == figures
        assert {name: int(metadata[name.replace("_", "-")]) for name in FIGURES} == figures


def test_a_summary_of_pull_modes_worker_has_the_figures_that_it_brought() -> None:
    options = a_request(mode=Mode.PULL)
    pipeline = Pipeline(settings=submitter_settings(options=options))
    job = pipeline.upload(a_transcript(12_000))
    request = pipeline.runpod.requests[0]
    put = presigned(request["input"]["work_order"]["put_url"])
    manifest = a_manifest(rounds=4, calls=21, discarded_tokens=700, doubts=2)
    pipeline.s3.put_object(Bucket=put["Bucket"], Key=put["Key"], Body=SUMMARY_TEXT.encode())

    pipeline.call_back("rp-1", request, answer=manifest_body(manifest, id="rp-1"))

    summary = pipeline.store.load_job(job.id).summary
    assert summary
    assert (summary.rounds, summary.calls) == (4, 21)
    assert (summary.discarded_tokens, summary.doubts) == (700, 2)
    assert summary.ran_ms == RAN_MS

"""Sections of a long transcript: their calls, their order, and what happens when one fails."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from core.errors import RunPodFailed, RunPodRefused
from core.jobs.job import JobState
from core.runpod.reports import parse_report
from tests.builders import (
    a_summary,
    completed_body,
    failed_body,
    minutes,
)
from tests.fakes.memory import MemoryRunPod
from tests.fakes.model import MARKER, FakeModel, a_transcript
from tests.functions.pipeline import LONG, Pipeline, settings_with
from tests.writing_model import proportional


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


class TestSections:
    def test_that_end_at_the_same_instant_start_the_next_stage_once(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(LONG)
        requests = pipeline.open_requests()

        with ThreadPoolExecutor(len(requests)) as pool:
            list(pool.map(lambda request: pipeline.call_back(*request), requests))
        stages = list(pipeline.queue.stages)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: pipeline.submitter.advance(job.id), range(4)))

        assert stages
        assert len(pipeline.runpod.requests) == len(requests) + 1
        assert pipeline.history(job)[0].stage == 2

    def test_that_were_lost_are_requested_again(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        (lost, _), *others = pipeline.open_requests()
        pipeline.answered.add(lost)  # RunPod forgets it and never calls back
        for runpod_id, body in others:
            pipeline.call_back(runpod_id, body)

        pipeline.sweep(minutes(12))
        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert set(MARKER.findall(pipeline.summary(job))) == set(MARKER.findall(LONG))

    def test_whose_callback_was_lost_are_fetched_and_the_job_continues(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.answered.add(runpod_id)
            pipeline.runpod.reports[runpod_id] = parse_report(
                pipeline.model.answer(body, runpod_id)
            )

        looks = pipeline.sweep(minutes(6))
        pipeline.run()

        assert {look.outcome.value for look in looks} >= {"lost callback"}
        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    def test_that_fail_for_good_end_the_job_and_stop_the_others(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        (first, body), *others = pipeline.open_requests()
        pipeline.call_back(first, body, answer=failed_body("executionTimeout exceeded", id=first))

        pipeline.sweep(minutes(6))

        job, calls, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "execution-timeout")
        assert all(call.is_final for call in calls)
        assert set(pipeline.runpod.cancelled) == {runpod_id for runpod_id, _ in others}

    def test_that_are_too_long_for_the_model_after_all_are_split(self) -> None:
        """The endpoint serves less than MaxModelLenTokens says."""
        pipeline = Pipeline(model=FakeModel(context_tokens=12_000))
        job = pipeline.upload(LONG)
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert "context-length" in {call.attempts[0].outcome for call in calls}
        assert set(MARKER.findall(pipeline.summary(job))) == set(MARKER.findall(LONG))

    def test_are_joined_in_the_order_of_the_transcript_whatever_order_they_finish_in(self) -> None:
        pipeline = Pipeline(settings=settings_with(8_192, 2_000))
        text = a_transcript(40_000)
        job = pipeline.upload(text)
        requests = pipeline.open_requests()
        assert len(requests) > 10  # so that the tenth's name sorts before the second's
        for request in reversed(requests):
            pipeline.call_back(*request)

        pipeline.take_messages()

        notes = pipeline.s3.objects["out", f"work/{job.id}/level-1.json"].body.decode()
        assert MARKER.findall(notes) == list(dict.fromkeys(MARKER.findall(text)))

    def test_that_are_not_all_there_are_waited_for(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        _, *others = pipeline.open_requests()
        for request in others:
            pipeline.call_back(*request)
        before = pipeline.history(job)

        pipeline.submitter.advance(job.id)

        assert pipeline.history(job) == before

    def test_whose_notes_were_cut_off_are_read_again_in_smaller_shares(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(LONG)
        (first, _), *others = pipeline.open_requests()
        cut = completed_body("word " * 1_400, finish_reason="length", id=first)
        pipeline.call_back(first, {"webhook": pipeline.runpod.requests[0]["webhook"]}, answer=cut)
        for request in others:
            pipeline.call_back(*request)

        pipeline.take_messages()

        job, calls, _ = pipeline.history(job)
        again = [call.task for call in calls if call.stage == job.stage]
        assert job.repairs == 1
        assert len(again) >= 2
        assert {task.kind for task in again} == {"notes"}

    def test_that_come_twice_count_once(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        (first, body), *_ = pipeline.open_requests()
        pipeline.call_back(first, body)
        before = pipeline.history(job)

        pipeline.call_back(first, body)

        assert pipeline.history(job) == before
        assert len(before[0].done) == 1

    def test_that_come_after_the_next_stage_began_change_nothing(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        requests = pipeline.open_requests()
        for runpod_id, body in requests:
            pipeline.call_back(runpod_id, body)
        pipeline.take_messages()
        before = pipeline.history(job)

        pipeline.call_back(*requests[0])

        assert pipeline.history(job) == before

    def test_that_could_not_be_submitted_are_submitted_later(self, pipeline: Pipeline) -> None:
        pipeline.runpod.refusal = RunPodFailed("502")
        job = pipeline.upload(LONG)
        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    def test_of_a_key_that_runpod_refuses_end_the_job_and_are_not_all_tried(
        self,
    ) -> None:
        class Closed(MemoryRunPod):
            tried = 0

            def run(self, request: Mapping[str, Any]) -> str:
                Closed.tried += 1
                raise RunPodRefused("RunPod refused the request with 401: the API key is wrong")

        pipeline = Pipeline(settings=settings_with(8_192, 2_000), runpod=Closed())
        job = pipeline.upload(a_transcript(200_000))

        assert job.stage_calls > 40
        assert (job.state, job.reason_code) == (JobState.FAILED, "refused-by-runpod")
        assert Closed.tried <= 16

    def test_joined_after_a_newer_upload_was_summarised_give_way_to_it(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        newer = replace(
            job, id="f" * 32, source=replace(job.source, sequencer="FF", etag="another")
        )
        pipeline.settler().lifecycle.summaries.publish(
            newer, a_summary(), "newer", now=pipeline.now
        )
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "superseded")
        assert pipeline.summary(job) == "newer\n"

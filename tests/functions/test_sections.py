"""A long transcript's calls: their order, and what happens when one fails."""

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
    chat_completion,
    completed_body,
    failed_body,
    minutes,
)
from tests.fakes.model import MARKER, FakeModel, a_transcript, ref_of
from tests.functions.pipeline import LONG, Pipeline, settings_with
from tests.writing_model import proportional


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


class TestTheCallsOfAStage:
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

    def test_are_put_together_in_the_order_of_the_transcript_whatever_order_they_finish_in(
        self,
    ) -> None:
        pipeline = Pipeline(settings=settings_with(8_192, 2_000))
        text = a_transcript(40_000)
        job = pipeline.upload(text)
        most = 0
        while pipeline.store.load_job(job.id).state is JobState.ACTIVE:
            requests = pipeline.open_requests()
            most = max(most, len(requests))
            for request in reversed(requests):
                pipeline.call_back(*request)
            pipeline.take_messages()

        assert most > 10  # so that the tenth's name sorts before the second's
        _, _, topics = pipeline.summary(job).partition("\n## Topics\n")
        told = list(dict.fromkeys(MARKER.findall(topics)))
        assert told == list(dict.fromkeys(MARKER.findall(text)))

    def test_that_are_not_all_there_are_waited_for(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        _, *others = pipeline.open_requests()
        for request in others:
            pipeline.call_back(*request)
        before = pipeline.history(job)

        pipeline.submitter.advance(job.id)

        assert pipeline.history(job) == before

    def test_whose_notes_are_of_no_use_are_asked_for_again_and_no_others(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(LONG)
        (first, body), *others = pipeline.open_requests()
        loop = chat_completion("The same again. " * 40, completion_tokens=160)
        pipeline.call_back(first, body, answer=completed_body(id=first, output=[loop]))
        for request in others:
            pipeline.call_back(*request)

        pipeline.take_messages()

        job, calls, _ = pipeline.history(job)
        (asked_first,) = [call.ask for call in calls if call.id == ref_of(body).call_id]
        again = [call.ask for call in calls if call.stage == job.stage]
        assert again == [f"{asked_first}-try2"]

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
        pipeline = Pipeline(settings=settings_with(8_192, 2_000))
        job = pipeline.upload(LONG)
        tried = []

        def closed(request: Mapping[str, Any]) -> str:
            tried.append(request)
            raise RunPodRefused("RunPod refused the request with 401: the API key is wrong")

        while not tried:
            requests = pipeline.open_requests()
            if len(requests) == 1:  # the outline; many calls follow
                pipeline.runpod.run = closed  # type: ignore[method-assign]
            for request in requests:
                pipeline.call_back(*request)
            pipeline.take_messages()

        job = pipeline.store.load_job(job.id)
        assert job.stage_calls > 30
        assert (job.state, job.reason_code) == (JobState.FAILED, "refused-by-runpod")
        assert len(tried) <= 16

    def test_published_after_a_newer_upload_was_summarised_give_way_to_it(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        newer = replace(
            job, id="f" * 32, source=replace(job.source, sequencer="FF", etag="another")
        )
        pipeline.settler().lifecycle.summaries.publish(
            newer, a_summary(), "newer", {}, now=pipeline.now
        )
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "superseded")
        assert pipeline.summary(job) == "newer\n"

"""How long a request may go unanswered, how often one is made, and what counts from when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import Conflict, RunPodBusy, RunPodError, RunPodFailed, RunPodSilent
from core.jobs.call import CallState
from core.jobs.job import JobState
from core.jobs.lifecycle import MOST_REQUESTS, SUBMITTING_TIME
from submitter.use_cases import LONGEST_CHAIN
from tests.builders import NOON, minutes, submitter_settings
from tests.fakes.memory import MemoryRunPod
from tests.fakes.model import a_transcript
from tests.functions.pipeline import Pipeline
from tests.template.cloudformation import source

SHORTEST_OVERDUE = timedelta(seconds=5)  # the least that template.yaml allows


class Refusing(MemoryRunPod):
    """A RunPod that does the same to every request, and counts them."""

    def __init__(self, error: RunPodError) -> None:
        super().__init__()
        self.error = error
        self.asked_to_run = 0

    def run(self, request: Mapping[str, Any]) -> str:
        self.asked_to_run += 1
        raise self.error


class Slow(MemoryRunPod):
    """A RunPod that answers after a while, while the sweeper is about."""

    def __init__(self, pipeline: Pipeline, took: timedelta) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.took = took

    def run(self, request: Mapping[str, Any]) -> str:
        runpod_id = super().run(request)
        self.pipeline.sweep(self.took)
        return runpod_id


class TestDueDates:
    @pytest.fixture
    def pipeline(self) -> Pipeline:
        return Pipeline(settings=submitter_settings(callback_overdue=SHORTEST_OVERDUE))

    def test_a_request_that_takes_as_long_as_a_function_may_run_is_made_once(
        self, pipeline: Pipeline
    ) -> None:
        pipeline.runpod = Slow(pipeline, timedelta(seconds=59))

        pipeline.upload(a_transcript(300))
        pipeline.sweep(timedelta(seconds=30))
        pipeline.take_messages()

        assert len(pipeline.runpod.requests) == 1

    def test_a_callback_is_overdue_from_when_runpod_answered(self, pipeline: Pipeline) -> None:
        pipeline.runpod = Slow(pipeline, timedelta(seconds=40))

        job = pipeline.upload(a_transcript(300))

        _, call = pipeline.store.load(job.id, "1-0")
        assert call.due_at == NOON + timedelta(seconds=40) + SHORTEST_OVERDUE

    def test_no_submitter_can_still_be_running_for_a_call_that_is_due(self) -> None:
        function = source()["Resources"]["SubmitterFunction"]["Properties"]

        assert timedelta(seconds=function["Timeout"]) + timedelta(seconds=10) <= SUBMITTING_TIME


class TestHowOftenARequestIsMade:
    def go_on(self, pipeline: Pipeline, until: datetime) -> int:
        """Deliver messages after their delay and sweep in between; return the longest chain."""
        chain = longest = 1
        while pipeline.now < until:
            if pipeline.queue.sent:
                job_id, call_id, delay = pipeline.queue.sent.pop(0)
                pipeline.now += delay
                pipeline.submitter.next_attempt(job_id, call_id)
                chain += 1
                longest = max(longest, chain)
            else:
                pipeline.sweep(minutes(2))
                chain = 0
        return longest

    def test_is_bounded_where_it_may_cost_something(self) -> None:
        pipeline = Pipeline()
        pipeline.runpod = Refusing(RunPodSilent("the secure connection failed"))
        job = pipeline.upload(a_transcript(300))

        self.go_on(pipeline, job.deadline + minutes(9))

        assert pipeline.runpod.asked_to_run == 3  # MaxAttempts
        assert pipeline.store.load_job(job.id).is_final

    def test_is_bounded_even_where_it_costs_nothing_and_the_reason_says_so(self) -> None:
        pipeline = Pipeline()
        pipeline.runpod = Refusing(RunPodBusy("RunPod is taking no more requests for now (429)"))
        job = pipeline.upload(a_transcript(300))
        job = pipeline.store.save_job(job.prolonged(job.deadline + timedelta(days=3)))

        self.go_on(pipeline, NOON + timedelta(days=1))

        job = pipeline.store.load_job(job.id)
        assert pipeline.runpod.asked_to_run == MOST_REQUESTS
        assert (job.state, job.reason_code) == (JobState.FAILED, "requests-exhausted")
        assert "429" in job.reason

    def test_does_not_reach_that_bound_before_the_longest_deadline(self) -> None:
        retries = replace(submitter_settings().retries, job_deadline=minutes(180))
        pipeline = Pipeline(settings=submitter_settings(retries=retries))
        pipeline.runpod = Refusing(RunPodBusy("429"))
        job = pipeline.upload(a_transcript(300))

        self.go_on(pipeline, job.deadline + minutes(9))

        assert pipeline.store.load_job(job.id).reason_code == "deadline"

    def test_chains_few_messages_however_long_runpod_has_no_room(self) -> None:
        """Lambda drops a message about sixteen hops from a function through its queue to itself."""
        pipeline = Pipeline()
        pipeline.runpod = Refusing(RunPodBusy("429"))
        job = pipeline.upload(a_transcript(300))

        longest = self.go_on(pipeline, job.deadline)

        assert pipeline.runpod.asked_to_run > 12
        assert longest <= LONGEST_CHAIN <= 8


class TestAConflictingWrite:
    """By another write that may fail: nothing else has done this one's work."""

    @pytest.fixture
    def pipeline(self) -> Pipeline:
        return Pipeline()

    def keep_out_once(self, pipeline: Pipeline, write: str, *, passing: int = 0) -> None:
        """Keep the next write of its kind out, after some that pass."""
        seen = 0

        def is_kept_out(name: str) -> bool:
            nonlocal seen
            seen += name == write
            return name == write and seen == passing + 1

        pipeline.store.is_kept_out = is_kept_out

    def test_leaves_an_upload_to_its_redelivered_message(self, pipeline: Pipeline) -> None:
        self.keep_out_once(pipeline, "create")

        with pytest.raises(Conflict):
            pipeline.upload(a_transcript(300))
        pipeline.upload(a_transcript(300))

        assert len(pipeline.runpod.requests) == 1

    def test_does_not_keep_a_call_from_its_attempt(self, pipeline: Pipeline) -> None:
        pipeline.runpod.refusal = RunPodFailed("502")
        pipeline.upload(a_transcript(300))
        self.keep_out_once(pipeline, "save_call")

        pipeline.take_messages()

        assert len(pipeline.runpod.requests) == 1

    def test_does_not_make_a_free_attempt_cost_one(self, pipeline: Pipeline) -> None:
        pipeline.runpod.refusal = RunPodBusy("429")
        self.keep_out_once(pipeline, "save_call")

        job = pipeline.upload(a_transcript(300))

        _, call = pipeline.store.load(job.id, "1-0")
        assert (call.state, call.paid_attempts) == (CallState.WAITING, 0)
        assert len(pipeline.queue.sent) == 1

    def test_does_not_lose_runpods_id(self, pipeline: Pipeline) -> None:
        self.keep_out_once(pipeline, "save_call")

        job = pipeline.upload(a_transcript(300))

        _, call = pipeline.store.load(job.id, "1-0")
        assert call.attempt.runpod_id == "rp-1"

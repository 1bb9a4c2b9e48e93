"""Functions that die in the middle of a long transcript, and jobs that nothing continues."""

from datetime import timedelta

import pytest

from core.jobs.call import CallState
from core.jobs.job import JobState
from tests.builders import (
    minutes,
)
from tests.fakes.model import MARKER, FakeModel, a_transcript
from tests.functions.pipeline import LONG, Pipeline
from tests.writing_model import proportional


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


class Killed(BaseException):
    """The function dies here."""


class TestAFunctionThatDies:
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("target", "method"),
        [
            ("store", "save_call"),
            ("s3", "put_object"),
            ("store", "count_done"),
            ("queue", "request_next_stage"),
        ],
    )
    def test_over_the_last_section_leaves_a_job_that_continues(
        self, pipeline: Pipeline, target: str, method: str, after: bool
    ) -> None:
        job = pipeline.upload(LONG)
        *others, (last, body) = pipeline.open_requests()
        for runpod_id, other in others:
            pipeline.call_back(runpod_id, other)
        self.dying_once(getattr(pipeline, target), method, after)
        with pytest.raises(Killed):
            pipeline.call_back(last, body)

        for _ in range(4):
            pipeline.sweep(minutes(4))
            pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert set(MARKER.findall(pipeline.summary(job))) == set(MARKER.findall(LONG))

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("target", "method"),
        [
            ("s3", "put_object"),
            ("store", "begin_stage"),
            ("store", "save_call"),
            ("runpod", "run"),
        ],
    )
    def test_between_two_stages_leaves_a_job_that_continues(
        self, pipeline: Pipeline, target: str, method: str, after: bool
    ) -> None:
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)
        self.dying_once(getattr(pipeline, target), method, after)
        with pytest.raises(Killed):
            pipeline.take_messages()
        if (target, after) == ("runpod", True):
            pipeline.runpod.requests.pop()  # RunPod took it, and nobody will ever answer it

        for _ in range(4):
            pipeline.sweep(minutes(6))
            pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    def test_before_a_stage_began_leaves_calls_that_are_not_submitted_yet(
        self, pipeline: Pipeline
    ) -> None:
        """Simulation seed 30345: their results arrived, were not counted, and the job never ended."""
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)
        self.dying_once(pipeline.store, "begin", after=False)
        with pytest.raises(Killed):
            pipeline.take_messages()

        _, call = pipeline.submitter.next_attempt(job.id, "2-0")

        assert (call.stage, call.state) == (2, CallState.WAITING)
        assert pipeline.open_requests() == []
        for _ in range(3):
            pipeline.sweep(minutes(4))
            pipeline.run()
        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(("target", "method"), [("s3", "put_object"), ("store", "save_job")])
    def test_while_joining_leaves_one_summary_and_a_succeeded_job(
        self, target: str, method: str, after: bool
    ) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        for _ in range(2):
            for runpod_id, body in pipeline.open_requests():
                pipeline.call_back(runpod_id, body)
            if pipeline.history(job)[0].stage == 0:
                pipeline.take_messages()
        self.dying_once(getattr(pipeline, target), method, after)
        with pytest.raises(Killed):
            pipeline.take_messages()

        for _ in range(3):
            pipeline.sweep(minutes(4))
            pipeline.run()

        job, _, events = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert [event.what for event in events].count("active -> succeeded") == 1

    @staticmethod
    def dying_once(target: object, method: str, after: bool) -> None:
        real = getattr(target, method)

        def dying(*args: object, **kwargs: object) -> object:
            setattr(target, method, real)
            if after:
                real(*args, **kwargs)
            raise Killed

        setattr(target, method, dying)


class TestAnAbandonedJob:
    def test_is_found_by_the_sweeper(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)
        pipeline.queue.stages.clear()  # the message is lost

        found = [look.outcome.value for look in pipeline.sweep(minutes(3))]

        assert found == ["resent"]
        assert pipeline.queue.stages == [job.id]

    def test_is_given_up_at_its_deadline(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)

        pipeline.sweep(minutes(61))

        job, _, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "deadline")
        assert list(pipeline.store.due(pipeline.now + timedelta(days=1))) == []

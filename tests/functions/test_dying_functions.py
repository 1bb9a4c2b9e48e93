"""Functions that die in the middle of a long transcript, and jobs that nothing continues."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from core.aws.names import facts_key_for
from core.jobs.call import CallState
from core.jobs.job import Job, JobState
from tests.builders import (
    minutes,
)
from tests.fakes.model import MARKER, a_transcript, ref_of
from tests.functions.pipeline import LONG, Pipeline


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
        job = self.dead_between_two_stages(pipeline, getattr(pipeline, target), method, after=after)
        if (target, after) == ("runpod", True):
            pipeline.runpod.requests.pop()  # RunPod took it, and nobody will ever answer it

        for _ in range(4):
            pipeline.sweep(minutes(6))
            pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    def test_before_a_stage_began_leaves_calls_that_nobody_submits_yet(
        self, pipeline: Pipeline
    ) -> None:
        """Simulation seed 30345: their results arrived, were not counted, and the job never ended."""
        job = self.dead_between_two_stages(pipeline, pipeline.store, "begin_stage", after=False)

        _, call = pipeline.submitter.next_attempt(job.id, "2-0")

        assert (call.stage, call.state) == (2, CallState.SUBMITTING)  # claimed by whoever died
        assert pipeline.open_requests() == []
        for _ in range(3):
            pipeline.sweep(minutes(4))
            pipeline.run()
        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    def test_before_a_stage_began_costs_none_of_its_calls_an_attempt(
        self, pipeline: Pipeline
    ) -> None:
        """Its claims are overdue before anybody goes on: they are the job's business until it has begun."""
        job = self.dead_between_two_stages(pipeline, pipeline.store, "begin_stage", after=False)

        pipeline.sweep(minutes(30))
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert {len(call.attempts) for call in calls} == {1}

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("target", "method", "time"),
        [
            ("store", "save_job", 1),
            ("s3", "put_object", 1),
            ("s3", "put_object", 2),
            ("store", "save_job", 2),
        ],
        ids=["marking it", "the summary", "its facts", "ending the job"],
    )
    def test_while_publishing_leaves_one_summary_and_a_succeeded_job(
        self,
        pipeline: Pipeline,
        nothing_at_once: None,
        target: str,
        method: str,
        time: int,
        after: bool,
    ) -> None:
        job = pipeline.upload(a_transcript(1_500))
        ((runpod_id, body),) = pipeline.open_requests()
        pipeline.call_back(runpod_id, body)
        self.dying_once(getattr(pipeline, target), method, after, time)
        with pytest.raises(Killed):
            pipeline.take_messages()
        written = pipeline.s3.objects.get(("out", job.summary_key))

        for _ in range(3):
            pipeline.sweep(minutes(4))
            pipeline.run()

        self.assert_published_once(pipeline, job, written)

    @pytest.mark.parametrize("is_told_again", [True, False], ids=["told again", "swept"])
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("target", "method", "time"),
        [
            ("store", "save_call", 1),
            ("s3", "put_object", 1),
            ("s3", "put_object", 2),
            ("store", "save", 1),
        ],
        ids=["marking it", "the summary", "its facts", "ending the job"],
    )
    def test_while_publishing_what_one_answer_makes_leaves_one_summary_too(
        self,
        pipeline: Pipeline,
        target: str,
        method: str,
        time: int,
        after: bool,
        is_told_again: bool,
    ) -> None:
        job = pipeline.upload(a_transcript(1_500))
        ((runpod_id, body),) = pipeline.open_requests()
        self.dying_once(getattr(pipeline, target), method, after, time)
        with pytest.raises(Killed):
            pipeline.call_back(runpod_id, body)
        written = pipeline.s3.objects.get(("out", job.summary_key))

        if is_told_again:
            pipeline.call_back(runpod_id, body)
        for _ in range(3):
            pipeline.sweep(minutes(6))

        self.assert_published_once(pipeline, job, written)

    def test_once_the_summary_stands_ends_the_job_though_another_release_would_ask_for_more(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = pipeline.upload(a_transcript(1_500))
        ((runpod_id, body),) = pipeline.open_requests()
        self.dying_once(pipeline.s3, "put_object", after=True)
        with pytest.raises(Killed):
            pipeline.call_back(runpod_id, body)
        written = pipeline.s3.objects["out", job.summary_key]
        monkeypatch.setattr("core.jobs.at_once.finished_at_once", lambda *_: None)

        pipeline.call_back(runpod_id, body)

        assert pipeline.queue.stages == []
        self.assert_published_once(pipeline, job, written)

    def test_having_recorded_some_of_its_calls_leaves_claims_that_are_taken_over(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of more calls than one transaction takes, an earlier try's may be there."""
        create, run = pipeline.store.create, pipeline.runpod.run
        monkeypatch.setattr(pipeline.store, "create", lambda *new: create(*new) and False)
        written: list[int] = []

        def run_once_claimed(request: Any) -> str:
            ref = ref_of(request)
            written.append(pipeline.store.load(ref.job_id, ref.call_id)[1].revision)
            return run(request)

        monkeypatch.setattr(pipeline.runpod, "run", run_once_claimed)
        job, calls, events = pipeline.history(pipeline.upload(LONG))

        assert len(calls) == len(pipeline.runpod.requests) > 1
        assert written == [2] * len(calls)  # each claim was written before its request was sent
        notes = [event.what for event in events].count("claim taken over")
        assert notes == len(calls)
        pipeline.run()
        assert pipeline.history(job)[0].state is JobState.SUCCEEDED

    def test_in_the_midst_of_a_large_stage_leaves_those_it_had_no_time_for_waiting(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("submitter.dispatch._CLAIMED_AT_ONCE", 2)
        self.dying_once(pipeline.store, "create", after=True)

        with pytest.raises(Killed):
            pipeline.upload(LONG)

        ((job_id, _), *_) = pipeline.store.due(pipeline.now + minutes(60))
        states = [call.state for call in pipeline.store.history(job_id)[1]]
        assert len(states) > 3
        assert states.count(CallState.SUBMITTING) == 2
        assert states.count(CallState.WAITING) == len(states) - 2

    @staticmethod
    def assert_published_once(pipeline: Pipeline, job: Job, written: Any) -> None:
        """The job has succeeded by one request; the summary that was written first stands."""
        job, _, events = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert [event.what for event in events].count("active -> succeeded") == 1
        assert written in (None, pipeline.s3.objects["out", job.summary_key])
        assert ("out", facts_key_for(job.summary_key)) in pipeline.s3.objects
        assert len(pipeline.runpod.requests) == 1

    def dead_between_two_stages(
        self, pipeline: Pipeline, target: Any, method: str, *, after: bool
    ) -> Job:
        """Answer all of a job's first stage, and let die whoever goes on with the second."""
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)
        self.dying_once(target, method, after)
        with pytest.raises(Killed):
            pipeline.take_messages()
        return job

    @staticmethod
    def dying_once(target: object, method: str, after: bool, time: int = 1) -> None:
        """Let a method die when it is called for the n-th time."""
        real = getattr(target, method)
        times = itertools.count(1)

        def dying(*args: object, **kwargs: object) -> object:
            if next(times) != time:
                return real(*args, **kwargs)
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

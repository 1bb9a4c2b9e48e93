"""The effect of each time constant, seen from outside: not before it, but after it."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.aws.secrets import SecretReader
from core.errors import RunPodFailed, SecretUnusable
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from core.runpod.reports import parse_report
from tests.builders import lost_body, minutes, status_body
from tests.fakes.model import FakeModel, a_transcript
from tests.functions.pipeline import Pipeline

RUNNING = parse_report(status_body("IN_PROGRESS"))
SECONDS = timedelta(seconds=1)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(model=FakeModel())


@pytest.fixture
def job(pipeline: Pipeline) -> Job:
    """A job whose one request RunPod has; its deadline is in an hour."""
    job = pipeline.upload(a_transcript(6_000))
    pipeline.runpod.reports["rp-1"] = RUNNING
    return job


def only_call(pipeline: Pipeline, job: Job) -> Call:
    (call,) = pipeline.history(job)[1]
    return call


def unreachable(runpod_id: str) -> Any:
    raise RunPodFailed("RunPod answered 503")


def sweep_at(pipeline: Pipeline, job: Job, after: timedelta) -> Job:
    """Sweep so long after the upload, and return the job as it then is."""
    pipeline.sweep(job.created_at + after - pipeline.now)
    return pipeline.store.load_job(job.id)


class TestPastItsDeadline:
    def test_a_job_waits_some_minutes_for_one_more_poll_of_runpod(
        self, pipeline: Pipeline, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline.runpod, "status", unreachable)

        states = [sweep_at(pipeline, job, minutes(after)).state for after in (61, 65, 90)]

        assert states == [JobState.ACTIVE, JobState.ACTIVE, JobState.FAILED]

    def test_no_call_is_polled_for_the_first_time(self, pipeline: Pipeline, job: Job) -> None:
        sweep_at(pipeline, job, minutes(60) - 2 * SECONDS)

        assert only_call(pipeline, job).due_at == job.deadline


class TestPublishing:
    @pytest.fixture
    def job(self, pipeline: Pipeline) -> Job:
        """A job whose one answer makes its summary."""
        job = pipeline.upload(a_transcript(1_000))
        pipeline.runpod.reports["rp-1"] = RUNNING
        return job

    @pytest.fixture
    def interrupted(
        self, pipeline: Pipeline, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> Pipeline:
        """The function dies after recording that it publishes."""

        def dying(*_: Any, **__: Any) -> Any:
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(pipeline.s3, "put_object", dying)
            with pytest.raises(MemoryError):
                pipeline.call_back(*pipeline.open_requests()[0])
        return pipeline

    def test_is_left_to_its_function_as_long_as_any_function_may_run(
        self, interrupted: Pipeline, job: Job
    ) -> None:
        assert sweep_at(interrupted, job, timedelta(seconds=120)).state is JobState.ACTIVE
        assert only_call(interrupted, job).state is CallState.PUBLISHING

    def test_is_taken_over_soon_after_that(self, interrupted: Pipeline, job: Job) -> None:
        sweep_at(interrupted, job, minutes(6))

        assert only_call(interrupted, job).state is CallState.SUCCEEDED

    def test_of_the_summary_is_left_to_its_submitter_as_long_as_any_function_may_run(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, nothing_at_once: None
    ) -> None:
        job = pipeline.upload(a_transcript(1_000))
        pipeline.call_back(*pipeline.open_requests()[0])

        def dying(*_: Any, **__: Any) -> Any:
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(pipeline.s3, "put_object", dying)
            with pytest.raises(MemoryError):
                pipeline.take_messages()
        pipeline.queue.stages.clear()

        sweep_at(pipeline, job, minutes(2))
        assert pipeline.queue.stages == []
        sweep_at(pipeline, job, minutes(4))
        assert pipeline.queue.stages == [job.id]


class TestAnotherAttempt:
    def lost(self, pipeline: Pipeline, job: Job) -> None:
        """RunPod fails a request, and the message about another is lost."""
        failed = lost_body()
        pipeline.call_back(*pipeline.open_requests()[0], answer=failed)
        pipeline.queue.sent = []

    def test_is_not_requested_again_while_its_message_may_still_be_delivered(
        self, pipeline: Pipeline, job: Job
    ) -> None:
        self.lost(pipeline, job)

        sweep_at(pipeline, job, minutes(1))

        assert pipeline.queue.sent == []

    def test_is_requested_again_a_few_minutes_later(self, pipeline: Pipeline, job: Job) -> None:
        self.lost(pipeline, job)

        sweep_at(pipeline, job, minutes(5))

        assert len(pipeline.queue.sent) == 1

    def test_waits_until_what_runpod_may_have_taken_has_begun(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline.runpod, "run", unreachable)

        pipeline.upload(a_transcript(1_000))

        ((_, _, delay),) = pipeline.queue.sent
        assert timedelta(seconds=15) <= delay <= minutes(2)


class TestAJustSubmittedRequest:
    def test_that_status_does_not_know_is_not_given_up_for_minutes(
        self, pipeline: Pipeline, job: Job
    ) -> None:
        del pipeline.runpod.reports["rp-1"]

        states = []
        for after in (6, 9, 30):
            sweep_at(pipeline, job, minutes(after))
            states.append(only_call(pipeline, job).state)

        assert states == [CallState.SUBMITTED, CallState.SUBMITTED, CallState.WAITING]


class TestAReplacedSecret:
    @pytest.mark.parametrize(
        ("later", "expected"), [(1, "old"), (5, "old"), (60, "new"), (120, "new")]
    )
    def test_is_seen_within_a_minute_and_not_fetched_for_every_wrong_token(
        self, later: float, expected: str
    ) -> None:
        now = 1_000.0
        with mock_aws():
            manager = boto3.client("secretsmanager")
            manager.create_secret(Name="callback", SecretString="old")
            reader = SecretReader(manager, "callback", monotonic=lambda: now)
            reader.refetched()
            manager.put_secret_value(SecretId="callback", SecretString="new")

            now += later

            assert reader.refetched() == expected


class TestASecretThatCouldNotBeRead:
    @pytest.mark.parametrize(
        ("later", "asked"),
        [(0.5, 1), (1, 1), (5, 2)],
        ids=["at once", "a second", "RunPod's pause"],
    )
    def test_is_read_again_for_runpods_next_callback_but_not_for_every_concurrent_one(
        self, later: float, asked: int
    ) -> None:
        now = 1_000.0
        with mock_aws():
            manager = boto3.client("secretsmanager")
            requests: list[str] = []
            manager.meta.events.register("before-call", lambda **_: requests.append("read"))
            reader = SecretReader(manager, "callback", monotonic=lambda: now)
            for pause in (0.0, later):
                now += pause
                with pytest.raises(SecretUnusable):
                    reader.value()

        assert len(requests) == asked

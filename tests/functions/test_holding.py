"""A secret that can't be used holds calls up: it costs no attempt, says why, and mends by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import RunPodKeyUnusable, SecretUnusable
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from tests.builders import NOON, minutes, submitter_settings
from tests.fakes.cloud import RUNPOD, Cloud, without_versions
from tests.fakes.model import a_transcript
from tests.functions.pipeline import Pipeline

WHY = "secret runpod/api-key can't be read: it does not exist; create it"


@pytest.fixture(params=["API key", "callback secret", "refused"])
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    """Return a pipeline without a usable secret, or with a key that RunPod refuses each time."""
    pipeline = Pipeline()
    match request.param:
        case "API key":
            pipeline.runpod.no_key = RunPodKeyUnusable(WHY)
        case "callback secret":
            pipeline.secrets.unusable = SecretUnusable(WHY)
        case _:
            refuse(pipeline)
    return pipeline


def refuse(pipeline: Pipeline) -> None:
    """Let RunPod refuse the key: the secret can be read, and only POST /run finds out."""
    real = pipeline.runpod.check_key

    def is_sending() -> None:
        if pipeline.runpod.refuses:  # type: ignore[attr-defined]
            pipeline.runpod.refusal = RunPodKeyUnusable(WHY)
        real()

    pipeline.runpod.refuses = True  # type: ignore[attr-defined]
    pipeline.runpod.check_key = is_sending  # type: ignore[method-assign]


def mend(pipeline: Pipeline) -> None:
    pipeline.runpod.no_key = pipeline.secrets.unusable = pipeline.runpod.refusal = None
    pipeline.runpod.refuses = False  # type: ignore[attr-defined]


def only_call(pipeline: Pipeline, job: Job) -> Call:
    return pipeline.store.load(job.id, "1-0")[1]


def wait(pipeline: Pipeline, *, for_: timedelta) -> None:
    """Let time pass with a sweep every few minutes, and take what is in the queue."""
    until = pipeline.now + for_
    while pipeline.now < until:
        pipeline.sweep(minutes(6))
        pipeline.take_messages()


class TestACallWithoutAUsableSecret:
    def test_waits_with_the_reason_on_record(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))

        call = only_call(pipeline, job)
        assert (call.state, call.hold) == (CallState.WAITING, WHY)
        assert WHY in [event.why for event in pipeline.history(job)[2]]

    def test_has_cost_no_attempt(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))
        wait(pipeline, for_=minutes(30))

        assert only_call(pipeline, job).attempts == ()

    def test_continues_by_itself_once_it_is_repaired(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))
        wait(pipeline, for_=timedelta(hours=5))
        mend(pipeline)
        wait(pipeline, for_=minutes(12))
        pipeline.run()

        assert pipeline.store.load_job(job.id).state is JobState.SUCCEEDED
        assert len(pipeline.runpod.requests) == 1

    def test_is_held_no_longer_once_runpod_has_it(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))
        mend(pipeline)
        wait(pipeline, for_=minutes(12))

        assert only_call(pipeline, job).hold == ""

    def test_has_its_whole_time_once_it_is_repaired(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))
        wait(pipeline, for_=timedelta(hours=5))
        mend(pipeline)
        wait(pipeline, for_=minutes(12))

        assert pipeline.store.load_job(job.id).deadline > pipeline.now + minutes(40)

    def test_fails_after_a_day_with_that_reason(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))
        wait(pipeline, for_=timedelta(hours=25))

        job = pipeline.store.load_job(job.id)
        assert (job.state, job.reason_code) == (JobState.FAILED, "held")
        assert WHY in job.reason
        assert job.finished_at is not None
        assert timedelta(hours=23) < job.finished_at - NOON <= timedelta(hours=24, minutes=5)
        assert pipeline.runpod.requests == []

    def test_is_tried_every_few_minutes_through_the_sweep_alone(self, pipeline: Pipeline) -> None:
        """A message that leads to the next would be a chain, which Lambda cuts after sixteen."""
        pipeline.upload(a_transcript(300))

        assert pipeline.queue.sent == []
        pipeline.sweep(minutes(6))
        assert len(pipeline.queue.sent) == 1
        pipeline.take_messages()
        assert pipeline.queue.sent == []

    def test_records_it_in_an_audit_that_stays_small(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(300))
        wait(pipeline, for_=timedelta(hours=25))

        assert len(pipeline.history(job)[2]) < 1000  # DynamoDB takes 400 KB an item


class TestAStageWithoutAUsableSecret:
    @pytest.fixture
    def stage(self) -> Pipeline:
        options = replace(submitter_settings().options, words=400, max_tokens=600)
        pipeline = Pipeline(settings=submitter_settings(context_tokens=4096, options=options))
        pipeline.runpod.no_key = RunPodKeyUnusable(WHY)
        return pipeline

    def test_has_all_its_calls_held(self, stage: Pipeline) -> None:
        job = stage.upload(a_transcript(6_000))

        _, calls, _ = stage.history(job)
        assert len(calls) > 2
        assert {(call.state, call.hold, call.attempts) for call in calls} == {
            (CallState.WAITING, WHY, ())
        }

    def test_continues_by_itself_once_it_is_repaired(self, stage: Pipeline) -> None:
        job = stage.upload(a_transcript(6_000))
        wait(stage, for_=minutes(90))
        mend(stage)
        wait(stage, for_=minutes(12))
        stage.run()

        assert stage.store.load_job(job.id).state is JobState.SUCCEEDED

    def test_fails_in_the_end_with_that_reason(self, stage: Pipeline) -> None:
        job = stage.upload(a_transcript(6_000))
        stage.sweep(timedelta(hours=24))

        assert stage.store.load_job(job.id).reason_code == "held"


class TestInTheFunctions:
    def upload(self, cloud: Cloud) -> dict[str, object]:
        cloud.upload("calls/harbour board + pilot.txt")
        return cloud.invoke("submitter", without_versions(cloud.event("submitter-sqs-s3"), cloud))

    def test_a_secret_that_is_missing_is_no_error_of_the_message(self, cloud: Cloud) -> None:
        cloud.delete_secret("runpod/api-key")

        answer = self.upload(cloud)

        assert answer["batchItemFailures"] == []
        assert cloud.sent_to_runpod() == []

    @pytest.mark.parametrize(
        ("secret", "value", "message"),
        [
            ("runpod/api-key", None, "runpod/api-key"),
            ("callback", None, "callback"),
            ("callback", "not JSON", "must be JSON"),
            ("runpod/api-key", " ", "is empty"),
        ],
    )
    def test_the_job_says_which_secret_and_why(
        self, cloud: Cloud, secret: str, value: str | None, message: str
    ) -> None:
        if value is None:
            cloud.delete_secret(secret)
        else:
            cloud.put_secret(secret, value)

        self.upload(cloud)

        job, (call,), _ = cloud.only_job()
        assert (job.state, call.state, call.attempts) == ("active", "waiting", ())
        assert message in call.hold

    def test_a_call_whose_key_runpod_refuses_is_held_and_counted(
        self, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.runpod.post(f"{RUNPOD}/run", status=401, json={"error": "unauthorized"})

        self.upload(cloud)

        _, (call,), _ = cloud.only_job()
        assert (call.state, call.attempts) == ("waiting", ())
        assert "refused the API key with 401" in call.hold
        assert '"CallsHeld":[1.0]' in capsys.readouterr().out.replace(" ", "")

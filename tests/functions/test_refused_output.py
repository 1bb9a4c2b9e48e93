"""S3 refuses for hours what would end a job: it ends soon after its deadline, with a true reason."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.aws.names import facts_key_for
from core.errors import OutputRefused, RunPodSilent
from core.jobs.call import CallState
from core.jobs.callback import CallRef
from core.jobs.job import Job
from core.runpod.reports import gone, parse_report
from core.summaries.options import Mode
from tests.builders import a_pull_report, a_request, minutes, submitter_settings
from tests.fakes.model import a_transcript
from tests.functions.pipeline import Pipeline

LAST = timedelta(minutes=60 + 30 + 5)  # deadline, all patience, two sweeps


def is_summary(kw: dict[str, Any]) -> bool:
    return bool(kw["Key"].startswith("summaries/"))


def anything(_: dict[str, Any]) -> bool:
    return True


@contextmanager
def refusing(
    pipeline: Pipeline,
    *operations: str,
    which: Callable[[dict[str, Any]], bool] = anything,
) -> Iterator[None]:
    """Let S3 refuse operations with AccessDenied."""
    real = {name: getattr(pipeline.s3, name) for name in operations}

    def refusing_one(name: str) -> Callable[..., Any]:
        def operation(**kw: Any) -> Any:
            if which(kw):
                raise ClientError({"Error": {"Code": "AccessDenied"}}, name)
            return real[name](**kw)

        return operation

    for name in operations:
        setattr(pipeline.s3, name, refusing_one(name))
    yield
    for name, operation in real.items():
        setattr(pipeline.s3, name, operation)


def sweeps(pipeline: Pipeline, until: timedelta) -> None:
    """Sweep and take messages until a time after noon; what S3 refuses fails and comes again."""
    began = pipeline.now
    while pipeline.now - began < until:
        with suppress(ExceptionGroup):
            pipeline.sweep(minutes(2))
        with suppress(OutputRefused):
            pipeline.take_messages()


PULL = submitter_settings(options=a_request(mode=Mode.PULL))


@pytest.fixture(params=[submitter_settings(), PULL], ids=["push", "pull"])
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    """In push mode the submitter publishes, in pull mode receiver and sweeper do."""
    return Pipeline(settings=request.param)


def an_answered_job(pipeline: Pipeline) -> Job:
    """Return a job whose only request has ended; RunPod keeps telling so."""
    job = pipeline.upload(a_transcript(300))
    (body,) = pipeline.runpod.requests
    is_pull = job.options.mode is Mode.PULL
    pipeline.runpod.reports["rp-1"] = (
        a_pull_report() if is_pull else parse_report(pipeline.model.answer(body, "rp-1"))
    )
    return job


def state_of(pipeline: Pipeline, job: Job) -> tuple[str, str]:
    now = pipeline.store.load_job(job.id)
    return now.state.value, now.reason_code


class TestASummaryThatS3Refuses:
    def test_ends_its_job_after_the_deadline(self, pipeline: Pipeline) -> None:
        job = an_answered_job(pipeline)

        with refusing(pipeline, "put_object", which=is_summary):
            sweeps(pipeline, minutes(60 + 10 + 5))

        assert state_of(pipeline, job) == ("failed", "output-refused")

    def test_is_explained_by_its_bucket_and_what_to_do(self, pipeline: Pipeline) -> None:
        job = an_answered_job(pipeline)

        with refusing(pipeline, "put_object", which=is_summary):
            sweeps(pipeline, LAST)

        reason = pipeline.store.load_job(job.id).reason
        assert "bucket out" in reason
        assert "AccessDenied" in reason
        assert "upload the file again" in reason

    def test_keeps_its_job_until_the_deadline(self, pipeline: Pipeline) -> None:
        job = an_answered_job(pipeline)

        with refusing(pipeline, "put_object", which=is_summary):
            sweeps(pipeline, minutes(55))
        sweeps(pipeline, minutes(3))

        assert state_of(pipeline, job) == ("succeeded", "")

    def test_ends_the_job_of_a_long_transcript_too(self) -> None:
        pipeline = Pipeline(settings=submitter_settings(context_tokens=8_192))
        job = pipeline.upload(a_transcript(12_000))

        with refusing(pipeline, "put_object", which=is_summary):
            with suppress(OutputRefused):
                pipeline.run()
            sweeps(pipeline, minutes(60 + 10 + 5))

        assert state_of(pipeline, job) == ("failed", "output-refused")

    def test_that_was_stored_all_the_same_succeeds(self, pipeline: Pipeline) -> None:
        """Its creation came through, and then S3 refused to take the facts."""
        job = an_answered_job(pipeline)
        facts_key = facts_key_for(job.summary_key)

        with refusing(pipeline, "put_object", which=lambda kw: kw["Key"] == facts_key):
            sweeps(pipeline, minutes(60 + 10 + 5))

        assert state_of(pipeline, job) == ("succeeded", "")


class TestAnUnreachableS3:
    OPERATIONS = ("put_object", "head_object", "get_object")

    def test_keeps_a_job_a_while_longer(self, pipeline: Pipeline) -> None:
        job = an_answered_job(pipeline)

        with refusing(pipeline, *self.OPERATIONS, which=is_summary):
            sweeps(pipeline, minutes(60 + 20))

        assert state_of(pipeline, job) == ("active", "")

    def test_keeps_no_job_for_ever(self, pipeline: Pipeline) -> None:
        job = an_answered_job(pipeline)

        with refusing(pipeline, *self.OPERATIONS, which=is_summary):
            sweeps(pipeline, LAST)

        assert state_of(pipeline, job) == ("failed", "output-refused")
        _, _, events = pipeline.history(job)
        assert "could not be asked whether a summary stands" in events[-1].why

    @pytest.mark.parametrize(
        ("stages", "is_answered", "code"),
        [
            (1, False, "output-refused"),
            (1, True, "deadline"),  # the submitter can't go on, whatever holds it up
            (2, False, "output-refused"),
            (2, True, "deadline"),
        ],
        ids=["sections", "what follows them", "the last call", "what follows it"],
    )
    def test_keeps_no_long_job_wherever_it_has_got_to(
        self, stages: int, is_answered: bool, code: str
    ) -> None:
        pipeline = Pipeline(settings=submitter_settings(context_tokens=8_192))
        job = pipeline.upload(a_transcript(12_000))

        def call_back() -> None:
            for runpod_id, body in pipeline.open_requests():
                with suppress(OutputRefused):
                    pipeline.call_back(runpod_id, body)

        for _ in range(stages - 1):
            call_back()
            pipeline.take_messages()
        if is_answered:
            call_back()
        with refusing(pipeline, *self.OPERATIONS):
            call_back()
            with suppress(OutputRefused):
                pipeline.take_messages()
            sweeps(pipeline, LAST)

        assert state_of(pipeline, job) == ("failed", code)


def test_a_submitter_that_never_publishes_keeps_no_job_for_ever() -> None:
    pipeline = Pipeline(settings=submitter_settings(context_tokens=8_192))
    job = pipeline.upload(a_transcript(12_000))
    with refusing(pipeline, "put_object", which=is_summary), suppress(OutputRefused):
        pipeline.run()
    assert pipeline.store.load_job(job.id).is_publishing

    end = pipeline.now + LAST
    while pipeline.now < end:
        pipeline.sweep(minutes(2))
        pipeline.queue.stages.clear()  # the submitter is switched off

    assert state_of(pipeline, job)[0] == "failed"
    assert "submitter" in pipeline.store.load_job(job.id).reason


def test_a_result_that_was_lost_while_it_was_published_is_not_polled_again() -> None:
    """Attempt 1 was silent and its result came late; S3 refused it until RunPod had forgotten it."""
    pipeline = Pipeline(settings=PULL)
    real_run = pipeline.runpod.run

    def silent(request: Any) -> str:
        pipeline.runpod.requests.append(request)
        pipeline.runpod.run = real_run  # type: ignore[method-assign]
        raise RunPodSilent("no answer")

    pipeline.runpod.run = silent  # type: ignore[method-assign, assignment]
    job = pipeline.upload(a_transcript(300))
    pipeline.sweep(minutes(7))
    pipeline.take_messages()  # attempt 2
    first = a_pull_report()
    pipeline.runpod.reports["rp-1"] = first
    for runpod_id in ("rp-2", "rp-3"):
        running = {"id": runpod_id, "status": "IN_PROGRESS"}
        pipeline.runpod.reports[runpod_id] = parse_report(running)
    with refusing(pipeline, "put_object", which=is_summary):
        with suppress(OutputRefused):
            pipeline.settler().settle(CallRef(job.id, "whole", 1), first, now=pipeline.now)
        sweeps(pipeline, minutes(30))
    pipeline.runpod.reports["rp-1"] = gone("rp-1")
    sweeps(pipeline, minutes(4))  # attempt 3, whose callback is lost
    pipeline.runpod.reports["rp-3"] = a_pull_report(id="rp-3")
    call = pipeline.store.load(job.id, "whole")[1]
    assert call.state is CallState.SUBMITTED
    assert [attempt.outcome for attempt in call.attempts] == ["lost-by-runpod", "", ""]

    sweeps(pipeline, minutes(60))

    assert state_of(pipeline, job) == ("succeeded", "")

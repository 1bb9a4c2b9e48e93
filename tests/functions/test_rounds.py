"""Rounds of one summary in push mode: useless outlines, lost sections, crashes, late and double results."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from core.aws.names import facts_key_for
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from core.summaries.asks import Ask, AskKind
from tests.builders import lost_body, minutes
from tests.fakes.model import MARKER, FakeModel, a_transcript, ref_of
from tests.functions.pipeline import Pipeline, settings_with
from tests.writing_habits import Habit, breaking_json, refusing, speaking_german
from tests.writing_model import always

TRANSCRIPT = a_transcript(12_000)
NOTES, OUTLINE, SECTIONS, OVERVIEW = 1, 2, 3, 4  # the stages of this transcript at 8K


def a_pipeline(habit: Habit | None = None) -> Pipeline:
    model = FakeModel(habit=habit) if habit else FakeModel()
    return Pipeline(model=model, settings=settings_with(8_192, 4_096))


@pytest.fixture
def pipeline() -> Pipeline:
    return a_pipeline()


@pytest.fixture(scope="module")
def undisturbed() -> tuple[int, str]:
    """Return how many requests the transcript takes, and its summary."""
    pipeline = a_pipeline()
    job = pipeline.upload(TRANSCRIPT)
    pipeline.run()
    return len(pipeline.runpod.requests), pipeline.summary(job)


def until_stage(pipeline: Pipeline, stage: int, text: str = TRANSCRIPT) -> Job:
    """Upload, and go on until the requests of a stage are open."""
    job = pipeline.upload(text)
    while pipeline.store.load_job(job.id).stage < stage:
        answer_all(pipeline)
        pipeline.take_messages()
    return pipeline.store.load_job(job.id)


def answer_all(pipeline: Pipeline) -> None:
    for runpod_id, body in pipeline.open_requests():
        pipeline.call_back(runpod_id, body)


def facts_of(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    stored = pipeline.s3.objects["out", facts_key_for(job.summary_key)]
    facts: dict[str, Any] = json.loads(stored.body)["writing"]
    return facts


def outcome(facts: Mapping[str, Any], code: str) -> str:
    (check,) = [check for check in facts["checks"] if check["code"] == code]
    return str(check["outcome"])


def asks(calls: list[Call], kind: str) -> list[str]:
    return [call.ask for call in calls if call.ask.startswith(kind)]


class TestAnOutline:
    def test_whose_worker_was_lost_is_asked_for_in_another_attempt(
        self, pipeline: Pipeline, undisturbed: tuple[int, str]
    ) -> None:
        job = until_stage(pipeline, OUTLINE)
        ((runpod_id, body),) = pipeline.open_requests()
        pipeline.call_back(runpod_id, body, answer=lost_body(id=runpod_id))
        pipeline.take_messages()
        pipeline.run()

        _, calls, _ = pipeline.history(job)
        assert asks(calls, "outline") == ["outline"]
        assert pipeline.summary(job) == undisturbed[1]

    def test_that_is_lost_for_good_fails_the_job_with_the_reason(self, pipeline: Pipeline) -> None:
        job = until_stage(pipeline, OUTLINE)
        for _ in range(3):
            ((runpod_id, body),) = pipeline.open_requests()
            pipeline.call_back(runpod_id, body, answer=lost_body(id=runpod_id))
            pipeline.take_messages()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "worker-lost")
        assert pipeline.open_requests() == []

    @pytest.mark.parametrize("habit", [breaking_json, refusing], ids=["malformed", "refused"])
    def test_of_no_use_is_asked_for_once_more(self, habit: Habit) -> None:
        pipeline = a_pipeline(always(habit, AskKind.OUTLINE, tries=1))
        job = pipeline.upload(TRANSCRIPT)
        pipeline.run()

        _, calls, _ = pipeline.history(job)
        assert asks(calls, "outline") == ["outline", "outline-try2"]
        assert facts_of(pipeline, job)["outline_by"] == "model"

    @pytest.mark.parametrize("habit", [breaking_json, refusing], ids=["malformed", "refused"])
    def test_that_never_is_of_use_is_made_by_code_and_noted(self, habit: Habit) -> None:
        pipeline = a_pipeline(always(habit, AskKind.OUTLINE))
        job = pipeline.upload(TRANSCRIPT)
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        facts = facts_of(pipeline, job)
        assert job.state is JobState.SUCCEEDED
        assert asks(calls, "outline") == ["outline", "outline-try2"]
        assert (facts["outline_by"], outcome(facts, "outline")) == ("code", "noted")
        assert set(MARKER.findall(pipeline.summary(job))) == set(MARKER.findall(TRANSCRIPT))


class TestASection:
    def test_that_is_lost_for_good_fails_the_job_and_stops_the_others(
        self, pipeline: Pipeline
    ) -> None:
        job = until_stage(pipeline, SECTIONS)
        (first, body), *others = pipeline.open_requests()
        lost = ref_of(body).call_id
        pipeline.call_back(first, body, answer=lost_body(id=first))
        for _ in range(2):
            pipeline.take_messages()
            runpod_id, again = pipeline.open_requests()[-1]
            assert ref_of(again).call_id == lost
            pipeline.call_back(runpod_id, again, answer=lost_body(id=runpod_id))

        pipeline.sweep(minutes(6))

        job, calls, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "worker-lost")
        assert all(call.is_final for call in calls)
        assert set(pipeline.runpod.cancelled) == {runpod_id for runpod_id, _ in others}
        assert ("out", job.summary_key) not in pipeline.s3.objects

    def test_that_is_of_no_use_at_first_is_asked_for_again_alone(self) -> None:
        pipeline = a_pipeline(about(100, refusing, tries=1))
        job = pipeline.upload(TRANSCRIPT)
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        again = [ask for ask in asks(calls, "section") if "-try" in ask]
        assert job.state is JobState.SUCCEEDED
        assert len(again) == 1
        assert outcome(facts_of(pipeline, job), "refusal") == "mended"

    def test_that_never_is_of_use_fails_the_job_and_says_what_the_model_did(self) -> None:
        pipeline = a_pipeline(about(100, speaking_german))
        job = pipeline.upload(TRANSCRIPT)
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        sections = [ask for ask in asks(calls, "section") if "-try" not in ask]
        assert (job.state, job.reason_code) == (JobState.FAILED, "model-unusable")
        assert f"1 of {len(sections)} sections" in job.reason
        assert "other-language (1)" in job.reason
        assert ("out", job.summary_key) not in pipeline.s3.objects


def about(number: int, habit: Habit, tries: int = 99) -> Habit:
    """Have a habit in the section that tells of a turn."""

    def limited(ask: Ask, text: str) -> str | None:
        is_meant = any(first <= number <= last for first, last in ask.about)
        return habit(ask, text) if is_meant else None

    return always(limited, AskKind.SECTION, tries=tries)


def test_a_model_that_declines_everything_is_given_up_after_a_few_calls() -> None:
    pipeline = a_pipeline(refusing)
    job = pipeline.upload(TRANSCRIPT)
    pipeline.run()

    job, _, _ = pipeline.history(job)
    assert (job.state, job.reason_code) == (JobState.FAILED, "model-declined")
    assert len(pipeline.runpod.requests) <= 8


class Killed(BaseException):
    """The function dies here."""


class TestACrashBetweenTwoRounds:
    """The round is stored, then its calls are recorded, then the job moves on, then they are sent."""

    @pytest.mark.parametrize("stage", [NOTES, OUTLINE, SECTIONS])
    @pytest.mark.parametrize(
        ("target", "method", "after"),
        [
            ("s3", "put_object", False),
            ("s3", "put_object", True),
            ("store", "record_calls", True),
            ("store", "begin_stage", True),
            ("runpod", "run", False),
        ],
        ids=["nothing stored", "round stored", "calls recorded", "job moved on", "none sent"],
    )
    def test_loses_nothing_and_asks_for_nothing_twice(
        self,
        pipeline: Pipeline,
        undisturbed: tuple[int, str],
        stage: int,
        target: str,
        method: str,
        after: bool,
    ) -> None:
        job = until_stage(pipeline, stage)
        answer_all(pipeline)
        cure = dying(getattr(pipeline, target), method, after=after)
        with pytest.raises(Killed):
            pipeline.take_messages()
        cure()

        for _ in range(3):
            pipeline.sweep(minutes(7))
            pipeline.run()

        _, calls, _ = pipeline.history(job)
        assert (len(pipeline.runpod.requests), pipeline.summary(job)) == undisturbed
        assert {call.state for call in calls} == {CallState.SUCCEEDED}


def dying(target: object, method: str, *, after: bool) -> Any:
    """Let every call of a method die, before or after its effect; return the cure."""
    real = getattr(target, method)

    def died(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Killed

    setattr(target, method, died)
    return lambda: setattr(target, method, real)


class TestAnOverview:
    def test_that_comes_after_the_job_was_given_up_is_noted_and_publishes_nothing(
        self, pipeline: Pipeline
    ) -> None:
        job = until_stage(pipeline, OVERVIEW)
        ((runpod_id, body),) = pipeline.open_requests()
        pipeline.sweep(minutes(75))

        pipeline.call_back(runpod_id, body)
        pipeline.take_messages()

        job, _, events = pipeline.history(job)
        assert job.state is JobState.FAILED
        assert [event.what for event in events].count("late COMPLETED noted") == 1
        assert ("out", job.summary_key) not in pipeline.s3.objects

    def test_that_comes_after_another_attempt_was_made_is_taken_all_the_same(
        self, pipeline: Pipeline, undisturbed: tuple[int, str]
    ) -> None:
        job = until_stage(pipeline, OVERVIEW)
        ((first, body),) = pipeline.open_requests()
        pipeline.sweep(minutes(20))  # RunPod has forgotten it, as it seems
        pipeline.take_messages()
        ((_, _), (second, again)) = pipeline.open_requests()

        pipeline.call_back(first, body)
        pipeline.take_messages()
        pipeline.call_back(second, again)
        pipeline.take_messages()

        _, _, events = pipeline.history(job)
        assert [event.what for event in events].count("active -> succeeded") == 1
        assert pipeline.summary(job) == undisturbed[1]

    def test_that_comes_again_after_the_summary_was_published_changes_nothing(
        self, pipeline: Pipeline
    ) -> None:
        job = until_stage(pipeline, OVERVIEW)
        ((runpod_id, body),) = pipeline.open_requests()
        pipeline.run()
        before = pipeline.history(job)

        pipeline.call_back(runpod_id, body)
        pipeline.take_messages()

        assert pipeline.history(job) == before


def test_every_callback_and_every_message_twice_makes_the_same_summary_of_the_same_requests(
    pipeline: Pipeline, undisturbed: tuple[int, str]
) -> None:
    job = pipeline.upload(TRANSCRIPT)
    while pipeline.store.load_job(job.id).state is JobState.ACTIVE:
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)
            pipeline.call_back(runpod_id, body)
        pipeline.queue.stages *= 2
        pipeline.take_messages()

    assert (len(pipeline.runpod.requests), pipeline.summary(job)) == undisturbed

"""Transcripts that take many calls, from the upload to the summary."""

import pytest

from core.jobs.call import CallState
from core.jobs.job import JobState
from tests.builders import (
    user_prompt,
)
from tests.fakes.model import MARKER, FakeModel, a_transcript, ref_of
from tests.functions.pipeline import LONG, Pipeline, settings_with
from tests.writing_model import proportional


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


class TestALongTranscript:
    def test_becomes_one_summary_of_the_requested_length(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        pipeline.run()

        job, calls, events = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert len(pipeline.summary(job).split()) == pytest.approx(4_000, rel=0.1)
        assert {call.state for call in calls} == {CallState.SUCCEEDED}
        assert [event.what for event in events if event.what.startswith("stage")] == [
            "stage 1: notes",
            "stage 2: compose",
        ]

    def test_contributes_from_every_section(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        pipeline.run()

        assert set(MARKER.findall(pipeline.summary(job))) == set(MARKER.findall(LONG))

    def test_is_sent_whole_in_one_call(self, pipeline: Pipeline) -> None:
        pipeline.upload(LONG)

        assert len(pipeline.open_requests()) >= 6

    def test_with_a_small_context_takes_notes_of_notes(self) -> None:
        pipeline = Pipeline(settings=settings_with(4_096, 1_500))
        job = pipeline.upload(a_transcript(300_000))
        pipeline.run()

        job, calls, events = pipeline.history(job)
        stages = [event.what for event in events if event.what.startswith("stage")]
        assert job.state is JobState.SUCCEEDED
        assert len(calls) > 100
        assert len(stages) >= 3
        assert len(pipeline.summary(job).split()) == pytest.approx(4_000, rel=0.1)

    def test_that_is_announced_again_costs_nothing_more(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        requests = len(pipeline.runpod.requests)

        with pytest.raises(Exception, match="recorded already"):
            pipeline.accept(job.source)

        assert len(pipeline.runpod.requests) == requests


class TestAnOverride:
    def test_of_sections_takes_notes_though_the_transcript_would_fit(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(a_transcript(8_000), key="summary-strategy=sections/a.txt")
        pipeline.run()

        _, calls, _ = pipeline.history(job)
        kinds = [call.task.kind for call in calls]
        assert kinds[-1] == "compose"
        assert len(kinds) > 2
        assert set(kinds[:-1]) == {"notes"}

    def test_of_words_and_prompt_reaches_the_model(self, pipeline: Pipeline) -> None:
        key = "summary-words=700/summary-language=German/summary-prompt=minutes/a.txt"
        job = pipeline.upload(a_transcript(8_000), key=key)
        pipeline.run()

        user = user_prompt(pipeline.runpod.requests[0])
        assert pipeline.model.requested_words == [700]
        assert user.startswith("Write the minutes")
        assert "Write in German" in user
        assert pipeline.history(job)[0].options.words == 700


class TestTheLength:
    @pytest.mark.parametrize("context", [8_192, 32_768, 131_072])
    @pytest.mark.parametrize("words", [12_000, 100_000])
    @pytest.mark.parametrize(
        "habits",
        [{"share_written": 0.4}, {"share_written": 1.6}, {"tokens_per_word": 2.5}],
        ids=["terse", "talkative", "runs into max_tokens"],
    )
    def test_reaches_its_length_whatever_the_models_habits(
        self, context: int, words: int, habits: dict[str, float]
    ) -> None:
        pipeline = Pipeline(
            model=FakeModel(**habits),  # type: ignore[arg-type]
            settings=settings_with(context, min(6_000, context // 2)),
        )
        job = pipeline.upload(a_transcript(words))
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert job.summary is not None
        assert job.summary.words == len(pipeline.summary(job).split())
        assert job.summary.words == pytest.approx(4_000, rel=0.1)

    def test_of_a_short_transcript_is_in_proportion(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(1_500))
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert pipeline.model.requested_words == [round(0.4 * job.words_in)]
        assert len(pipeline.runpod.requests) == 1

    def test_is_repaired_though_the_file_is_gone_meanwhile(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        del pipeline.s3.objects[job.source.bucket, job.source.key]

        pipeline.run()

        assert len(pipeline.summary(job).split()) > 3_000

    def test_is_left_as_it_is_where_what_the_model_was_shown_is_gone(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        del pipeline.s3.objects["out", f"work/{job.id}/level-0.json"]

        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert len(pipeline.summary(job).split()) == 1_600

    def test_of_a_few_lines_may_have_any_length(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.5)))
        job = pipeline.upload("Mara: The pump holds.\nIlse: Then we buy a second one.")

        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert len(pipeline.runpod.requests) == 1

    def test_is_repaired_so_often_as_is_set_and_then_taken_as_it_is(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.01)))
        job = pipeline.upload(a_transcript(12_000))
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.repairs) == (JobState.SUCCEEDED, 2)

    def test_requested_received_and_repaired_is_in_the_audit(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        pipeline.run()

        _, _, events = pipeline.history(job)
        (repair,) = [event for event in events if event.what == "stage 1: compose"]
        assert repair.detail["repairs"] == 1
        end = events[-1].detail
        assert (end["words_asked"], end["repairs"]) == (4_000, 1)
        kept = [event.detail for event in events if "asked_words" in event.detail]
        assert kept[0] == {"attempt": 1, "asked_words": 4_000, "words_out": 1_600}


def test_no_call_is_settled_under_another_calls_name(pipeline: Pipeline) -> None:
    pipeline.upload(LONG)

    names = [ref_of(body).call_id for _, body in pipeline.open_requests()]

    assert len(set(names)) == len(names)

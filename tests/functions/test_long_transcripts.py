"""Transcripts that take many calls, from the upload to the summary."""

import json
from collections import Counter
from typing import Any

import pytest

from core.aws.names import facts_key_for
from core.jobs.call import CallState
from core.jobs.job import JobState
from tests.builders import (
    user_prompt,
)
from tests.fakes.model import MARKER, FakeModel, a_transcript, ref_of
from tests.functions.pipeline import LONG, Pipeline, settings_with
from tests.writing_model import proportional, saturating


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
            "stage 2: outline",
            "stage 3: ledger, section",
            "stage 4: overview",
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

    def test_of_the_smallest_context_that_the_settings_allow_becomes_a_summary(self) -> None:
        pipeline = Pipeline(
            model=FakeModel(context_tokens=2_048), settings=settings_with(2_048, 1_024)
        )
        job = pipeline.upload(a_transcript(4_000))
        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED


class TestAnOverride:
    def test_of_outline_writes_in_sections_what_one_answer_could_hold(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(a_transcript(1_500), key="summary-strategy=outline/a.txt")
        pipeline.run()

        _, calls, _ = pipeline.history(job)
        assert calls[0].ask == "outline"
        assert {call.ask.partition("-")[0] for call in calls} >= {"outline", "section", "overview"}

    def test_of_single_asks_for_all_of_it_in_one_answer(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(12_000), key="summary-strategy=single/a.txt")
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        assert [call.ask for call in calls] == ["single"]
        assert pipeline.model.requested_words == [4_000]
        assert len(pipeline.summary(job).split()) == pytest.approx(4_000, rel=0.1)

    def test_of_words_and_prompt_reaches_the_model(self, pipeline: Pipeline) -> None:
        key = "summary-words=700/summary-language=German/summary-prompt=minutes/a.txt"
        job = pipeline.upload(a_transcript(8_000), key=key)
        pipeline.run()

        user = user_prompt(pipeline.runpod.requests[0])
        assert pipeline.model.requested_words == [700]
        assert "minutes" in user.rpartition("</transcript")[2]
        assert "in German" in user
        assert pipeline.history(job)[0].options.words == 700


class TestTheLength:
    @pytest.mark.parametrize("context", [8_192, 32_768, 131_072])
    @pytest.mark.parametrize("words", [12_000, 100_000])
    @pytest.mark.parametrize(
        "habits",
        [
            {"length": proportional(0.4)},
            {"length": proportional(0.5)},
            {"length": proportional(1.6)},
            {"length": saturating(150)},
            {"tokens_per_word": 2.5},
            {"tokens_per_word": 3.0},
        ],
        ids=["terse", "half", "talkative", "stalls", "wordy tokens", "runs into max_tokens"],
    )
    def test_reaches_its_length_whatever_the_models_habits(
        self, context: int, words: int, habits: dict[str, Any]
    ) -> None:
        pipeline = Pipeline(
            model=FakeModel(**habits),
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

    def test_is_reached_though_the_file_is_gone_meanwhile(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        del pipeline.s3.objects[job.source.bucket, job.source.key]

        pipeline.run()

        assert len(pipeline.summary(job).split()) == pytest.approx(4_000, rel=0.1)

    def test_can_not_be_reached_where_what_the_model_was_shown_is_gone(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        del pipeline.s3.objects["out", f"work/{job.id}/material.json"]

        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "work-expired")
        assert "upload the file again" in job.reason

    def test_of_a_few_lines_may_have_any_length(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.5)))
        job = pipeline.upload("Mara: The pump holds.\nIlse: Then we buy a second one.")

        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert len(pipeline.runpod.requests) == 1

    def test_is_asked_for_again_within_bounds_and_what_is_short_then_is_published_with_a_doubt(
        self,
    ) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.05)))
        job = pipeline.upload(a_transcript(12_000))
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        facts = json.loads(pipeline.s3.objects["out", facts_key_for(job.summary_key)].body)
        (length,) = [each for each in facts["writing"]["checks"] if each["code"] == "length"]
        assert job.state is JobState.SUCCEEDED
        assert length["outcome"] == "doubt"
        assert max(Counter(call.ask.partition("-try")[0] for call in calls).values()) <= 3

    def test_of_a_model_that_writes_half_is_reached_within_the_budget_of_generated_tokens(
        self,
    ) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.5)))
        job = pipeline.upload(a_transcript(20_000))
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert job.summary is not None
        assert job.summary.words == pytest.approx(4_000, rel=0.1)
        obedient = Pipeline()
        ideal = obedient.upload(a_transcript(20_000))
        obedient.run()
        of_ideal = obedient.history(ideal)[0].summary
        assert of_ideal is not None
        assert job.summary.completion_tokens <= 1.5 * of_ideal.completion_tokens

    def test_asked_for_and_received_is_in_the_audit_of_each_stage(self) -> None:
        pipeline = Pipeline(model=FakeModel(length=proportional(0.4)))
        job = pipeline.upload(a_transcript(12_000))
        pipeline.run()

        _, calls, events = pipeline.history(job)
        stages = [event.detail for event in events if event.what.startswith("stage")]
        assert [stage["calls"] for stage in stages] == [
            sum(call.stage == number for call in calls) for number in range(1, len(stages) + 1)
        ]
        end = events[-1].detail
        assert (end["words_asked"], end["calls"]) == (4_000, len(calls))
        received = [event.detail for event in events if event.detail.get("asked_words")]
        (first, *_) = received
        assert first["words_out"] == pytest.approx(0.4 * float(first["asked_words"]), rel=0.2)


def test_no_call_is_settled_under_another_calls_name(pipeline: Pipeline) -> None:
    pipeline.upload(LONG)

    names = [ref_of(body).call_id for _, body in pipeline.open_requests()]

    assert len(set(names)) == len(names)

"""Transcripts that take many calls, from the upload to the summary."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.errors import RunPodFailed, RunPodRefused
from core.jobs.model import CallState, JobState
from core.runpod.reports import parse_report
from local.memory import MemoryRunPod
from tests.builders import (
    a_summary,
    completed_body,
    failed_body,
    minutes,
    submitter_settings,
    user_prompt,
)
from tests.fakes.model import MARKER, FakeModel, a_transcript, ref_of
from tests.functions.pipeline import Pipeline

LONG = a_transcript(100_000)


def settings(context_tokens: int = 32_768, max_tokens: int = 6_000):  # type: ignore[no-untyped-def]
    default = submitter_settings()
    options = replace(default.options, max_tokens=max_tokens)
    return replace(default, context_tokens=context_tokens, options=options)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(settings=settings())


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
        pipeline = Pipeline(settings=settings(4_096, 1_500))
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


class TestAChoice:
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

    def test_that_can_not_be_fails_clearly(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(8_000), key="summary-words=lots/a.txt")

        assert (job.state, job.reason_code) == (JobState.FAILED, "bad-choice")
        assert pipeline.runpod.requests == []


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
            settings=settings(context, min(6_000, context // 2)),
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
        pipeline = Pipeline(model=FakeModel(share_written=0.4), settings=settings())
        job = pipeline.upload(a_transcript(12_000))
        del pipeline.s3.objects[job.source.bucket, job.source.key]

        pipeline.run()

        assert len(pipeline.summary(job).split()) > 3_000

    def test_is_left_as_it_is_where_what_the_model_was_shown_is_gone(self) -> None:
        pipeline = Pipeline(model=FakeModel(share_written=0.4), settings=settings())
        job = pipeline.upload(a_transcript(12_000))
        del pipeline.s3.objects["out", f"work/{job.id}/layer-0.json"]

        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert len(pipeline.summary(job).split()) == 1_600

    def test_of_a_few_lines_may_have_any_length(self) -> None:
        pipeline = Pipeline(model=FakeModel(share_written=0.5), settings=settings())
        job = pipeline.upload("Mara: The pump holds.\nIlse: Then we buy a second one.")

        pipeline.run()

        assert pipeline.history(job)[0].state is JobState.SUCCEEDED
        assert len(pipeline.runpod.requests) == 1

    def test_is_repaired_so_often_as_is_set_and_then_taken_as_it_is(self) -> None:
        pipeline = Pipeline(model=FakeModel(share_written=0.01), settings=settings())
        job = pipeline.upload(a_transcript(12_000))
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.repairs) == (JobState.SUCCEEDED, 2)

    def test_requested_received_and_repaired_is_in_the_audit(self) -> None:
        pipeline = Pipeline(model=FakeModel(share_written=0.4), settings=settings())
        job = pipeline.upload(a_transcript(12_000))
        pipeline.run()

        _, _, events = pipeline.history(job)
        (repair,) = [event for event in events if event.what == "stage 1: compose"]
        assert repair.detail["repairs"] == 1
        end = events[-1].detail
        assert (end["words_asked"], end["repairs"]) == (4_000, 1)
        kept = [event.detail for event in events if "asked_words" in event.detail]
        assert kept[0] == {"attempt": 1, "asked_words": 4_000, "words_out": 1_600}


class TestSections:
    def test_that_end_at_the_same_instant_start_the_next_stage_once(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(LONG)
        requests = pipeline.open_requests()

        with ThreadPoolExecutor(len(requests)) as pool:
            list(pool.map(lambda request: pipeline.call_back(*request), requests))
        stages = list(pipeline.queue.stages)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: pipeline.stages.go_on(job.id, now=pipeline.now), range(4)))

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

        assert {look.found.value for look in looks} >= {"lost callback"}
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
        pipeline = Pipeline(model=FakeModel(context_tokens=12_000), settings=settings())
        job = pipeline.upload(LONG)
        pipeline.run()

        job, calls, _ = pipeline.history(job)
        assert job.state is JobState.SUCCEEDED
        assert "context-length" in {call.attempts[0].outcome for call in calls}
        assert set(MARKER.findall(pipeline.summary(job))) == set(MARKER.findall(LONG))

    def test_are_joined_in_the_order_of_the_transcript_whatever_order_they_finish_in(self) -> None:
        pipeline = Pipeline(settings=settings(8_192, 2_000))
        text = a_transcript(40_000)
        job = pipeline.upload(text)
        requests = pipeline.open_requests()
        assert len(requests) > 10  # so that the tenth's name sorts before the second's
        for request in reversed(requests):
            pipeline.call_back(*request)

        pipeline.take_messages()

        notes = pipeline.s3.objects["out", f"work/{job.id}/layer-1.json"].body.decode()
        assert MARKER.findall(notes) == list(dict.fromkeys(MARKER.findall(text)))

    def test_that_are_not_all_there_are_waited_for(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        _, *others = pipeline.open_requests()
        for request in others:
            pipeline.call_back(*request)
        before = pipeline.history(job)

        pipeline.stages.go_on(job.id, now=pipeline.now)

        assert pipeline.history(job) == before

    def test_whose_notes_were_cut_off_are_read_again_in_smaller_shares(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload(LONG)
        (first, _), *others = pipeline.open_requests()
        cut = completed_body("word " * 1_400, finish_reason="length", id=first)
        pipeline.call_back(first, {"webhook": pipeline.runpod.requests[0]["webhook"]}, answer=cut)
        for request in others:
            pipeline.call_back(*request)

        pipeline.take_messages()

        job, calls, _ = pipeline.history(job)
        again = [call.task for call in calls if call.stage == job.stage]
        assert job.repairs == 1
        assert len(again) >= 2
        assert {task.kind for task in again} == {"notes"}

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
        self, pipeline: Pipeline
    ) -> None:
        class Closed(MemoryRunPod):
            tried = 0

            def run(self, request: Mapping[str, Any]) -> str:
                Closed.tried += 1
                raise RunPodRefused("RunPod refused the request with 401: the API key is wrong")

        pipeline.runpod = Closed()
        job = pipeline.upload(a_transcript(1_000_000))

        assert (job.state, job.reason_code) == (JobState.FAILED, "refused-by-runpod")
        assert Closed.tried <= 16

    def test_joined_after_a_newer_upload_was_summarised_give_way_to_it(self) -> None:
        pipeline = Pipeline(model=FakeModel(share_written=0.4), settings=settings())
        job = pipeline.upload(a_transcript(12_000))
        newer = replace(
            job, id="f" * 32, source=replace(job.source, sequencer="FF", etag="another")
        )
        pipeline.stages.summaries.publish(newer, a_summary(), "newer", now=pipeline.now)
        pipeline.run()

        job, _, _ = pipeline.history(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, "superseded")
        assert pipeline.summary(job) == "newer\n"


class Killed(BaseException):
    """The function dies here."""


class TestWhoeverDies:
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

        _, call = pipeline.submitter.next_attempt(job.id, "2-0", now=pipeline.now)

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
        pipeline = Pipeline(model=FakeModel(share_written=0.4), settings=settings())
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


class TestAJobThatNobodyGoesOnWith:
    def test_is_found_by_the_sweeper(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(LONG)
        for runpod_id, body in pipeline.open_requests():
            pipeline.call_back(runpod_id, body)
        pipeline.queue.stages.clear()  # the message is lost

        found = [look.found.value for look in pipeline.sweep(minutes(3))]

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


def test_no_call_is_settled_under_another_calls_name(pipeline: Pipeline) -> None:
    pipeline.upload(LONG)

    names = [ref_of(body).call_id for _, body in pipeline.open_requests()]

    assert len(set(names)) == len(names)

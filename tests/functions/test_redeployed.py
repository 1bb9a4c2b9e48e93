"""A deployment with other limits, prompts and estimates changes nothing for running jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from core.summaries.plans import Kind, Task

from core.jobs.job import Job
from core.settings import SubmitterSettings
from core.summaries import levels, prompts
from submitter import stages
from tests.builders import a_request, lost_body, submitter_settings, user_prompt
from tests.fakes.model import BLOCK, MARKER, a_transcript, ref_of
from tests.functions.pipeline import Pipeline

FRAME = prompts.prompt_overhead_tokens()


def settings(context_tokens: int, max_tokens: int = 6_000) -> SubmitterSettings:
    return submitter_settings(
        context_tokens=context_tokens, options=a_request(max_tokens=max_tokens)
    )


def shown(body: Mapping[str, Any]) -> str:
    read = BLOCK.search(user_prompt(body))
    assert read is not None
    return read[2]


def redeploy(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Deploy a longer prompt, another token estimate, and other limits."""
    monkeypatch.setattr(levels, "prompt_overhead_tokens", lambda: FRAME + 600)
    real = levels.estimate_tokens
    monkeypatch.setattr(levels, "estimate_tokens", lambda text: real(text) * 3 // 2)
    pipeline.settings = replace(pipeline.settings, **changes)


class TestARetriedSection:
    @pytest.fixture(params=[8_192, 5_000, 32_768], ids="{} now".format)
    def history(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[Pipeline, Job, list[Mapping[str, Any]], Mapping[str, Any]]:
        """Return what was asked for first, and what for the section whose worker was lost."""
        pipeline = Pipeline(settings=settings(8_192))
        job = pipeline.upload(a_transcript(12_000, markers=300))
        first = [body for _, body in pipeline.open_requests()]
        *most, (last_id, last) = pipeline.open_requests()
        for runpod_id, body in most:
            pipeline.call_back(runpod_id, body)
        pipeline.call_back(last_id, last, answer=lost_body(id=last_id))
        redeploy(pipeline, monkeypatch, context_tokens=request.param)
        pipeline.take_messages()
        return pipeline, job, first, pipeline.open_requests()[-1][1]

    def test_reads_the_same_text(self, history: Any) -> None:
        _, _, first, again = history

        assert ref_of(again).call_id == ref_of(first[-1]).call_id
        assert shown(again) == shown(first[-1])

    def test_is_one_of_sections_that_hold_every_mark_once(self, history: Any) -> None:
        pipeline, _, _, _ = history

        texts = {ref_of(body).call_id: shown(body) for body in pipeline.runpod.requests}

        marks = [mark for text in texts.values() for mark in dict.fromkeys(MARKER.findall(text))]
        assert sorted(marks) == sorted(f"MARK{number}" for number in range(300))

    def test_leads_to_a_summary_of_everything(self, history: Any) -> None:
        pipeline, job, _, _ = history

        pipeline.run()

        assert pipeline.store.load_job(job.id).state == "succeeded"
        assert set(MARKER.findall(pipeline.summary(job))) == {f"MARK{n}" for n in range(300)}


def test_a_retried_job_of_one_call_shows_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(settings=settings(32_768))
    pipeline.upload(a_transcript(6_000, markers=100))
    ((runpod_id, body),) = pipeline.open_requests()
    pipeline.call_back(runpod_id, body, answer=lost_body(id=runpod_id))

    redeploy(pipeline, monkeypatch, context_tokens=8_192)
    pipeline.take_messages()

    ((_, again),) = pipeline.open_requests()
    assert shown(again) == shown(body)


def test_a_job_keeps_the_limits_that_it_was_planned_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sections have been read; what follows them is planned as it would have been."""
    asked = []
    for is_redeployed in (False, True):
        pipeline = Pipeline(settings=settings(8_192))
        pipeline.upload(a_transcript(12_000))
        first = pipeline.open_requests()
        for runpod_id, body in first:
            pipeline.call_back(runpod_id, body)
        if is_redeployed:
            redeploy(pipeline, monkeypatch, context_tokens=32_768)
            monkeypatch.undo()  # the estimate of notes is a new one's business: only limits count here
            pipeline.settings = settings(32_768, max_tokens=900)
        pipeline.take_messages()
        # They are sent at once, in any order.
        asked.append(sorted(shown(body) for _, body in pipeline.open_requests()))

    assert asked[0] == asked[1]


def test_an_upload_announced_again_after_a_deployment_is_cut_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function that took it first died before the job was recorded, and left the sections' text."""
    pipeline = Pipeline(settings=settings(8_192))
    real = pipeline.store.create

    def dying(*_: Any) -> None:
        raise ConnectionError("killed")

    pipeline.store.create = dying  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        pipeline.upload(a_transcript(12_000, markers=300))
    pipeline.store.create = real  # type: ignore[method-assign]
    redeploy(pipeline, monkeypatch)

    pipeline.upload(a_transcript(12_000, markers=300))

    marks = [mark for body in pipeline.runpod.requests for mark in set(MARKER.findall(shown(body)))]
    assert sorted(marks) == sorted(f"MARK{number}" for number in range(300))
    pipeline.run()


def test_a_stage_that_another_version_began_is_begun_as_it_was_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its calls were recorded, and the submitter died before the job had moved on."""
    pipeline = Pipeline(settings=settings(8_192))
    job = pipeline.upload(a_transcript(12_000))
    for runpod_id, body in pipeline.open_requests():
        pipeline.call_back(runpod_id, body)
    real = pipeline.store.begin

    def dying(*_: Any) -> None:
        raise ConnectionError("killed")

    pipeline.store.begin = dying  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        pipeline.take_messages()
    pipeline.store.begin = real  # type: ignore[method-assign]
    _, planned, _ = pipeline.history(job)

    def planned_otherwise(number: int, tokens: Sequence[int], *_: Any, **__: Any) -> list[Task]:
        middle = len(tokens) // 2
        return [
            Task(
                kind=Kind.COMPOSE,
                level=number,
                first=first,
                last=last,
                words=2_000,
                requested_words=2_000,
            )
            for first, last in ((0, middle), (middle, len(tokens)))
        ]

    monkeypatch.setattr(stages, "plan_stage", planned_otherwise)
    pipeline.submitter.advance(job.id)

    job, begun, _ = pipeline.history(job)
    assert [(call.id, call.task) for call in begun] == [(call.id, call.task) for call in planned]
    assert job.stage_calls == sum(call.stage == 2 for call in planned)

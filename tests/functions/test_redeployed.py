"""A deployment with other limits, prompts and estimates changes nothing for running jobs."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.jobs.job import Job
from core.summaries import engine, instructions, messages, notes, passages, tokens
from core.summaries.rounds import Round
from submitter import stages
from tests.builders import lost_body, user_prompt
from tests.fakes.model import BLOCK, MARKER, a_transcript, ref_of
from tests.functions.pipeline import Pipeline, settings_with


def shown(body: Mapping[str, Any]) -> str:
    read = BLOCK.search(user_prompt(body))
    assert read is not None
    return read[2]


def redeploy(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, context_tokens: int | None = None
) -> None:
    """Deploy longer prompts, another token estimate, and other limits."""
    filled = instructions.filled
    monkeypatch.setattr(
        instructions, "filled", lambda *each: f"{filled(*each)}{' And mind this.' * 150}"
    )
    estimate = tokens.estimate_tokens
    for module in (messages, notes, passages):
        monkeypatch.setattr(module, "estimate_tokens", lambda text: estimate(text) * 3 // 2)
    if context_tokens:
        pipeline.settings = settings_with(context_tokens, context_tokens // 3)


class TestARetriedCall:
    @pytest.fixture(params=[8_192, 5_000, 32_768], ids="{} now".format)
    def history(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[Pipeline, Job, list[Mapping[str, Any]], Mapping[str, Any]]:
        """Return what was asked for first, and what for the notes whose worker was lost."""
        pipeline = Pipeline(settings=settings_with(8_192, 4_096))
        job = pipeline.upload(a_transcript(12_000, markers=300))
        first = [body for _, body in pipeline.open_requests()]
        *most, (last_id, last) = pipeline.open_requests()
        for runpod_id, body in most:
            pipeline.call_back(runpod_id, body)
        pipeline.call_back(last_id, last, answer=lost_body(id=last_id))
        redeploy(pipeline, monkeypatch, request.param)
        pipeline.take_messages()
        return pipeline, job, first, pipeline.open_requests()[-1][1]

    def test_sends_the_same_request(self, history: Any) -> None:
        _, _, first, again = history

        assert ref_of(again).call_id == ref_of(first[-1]).call_id
        assert again["input"] == first[-1]["input"]

    def test_is_one_of_calls_that_show_every_mark_once(self, history: Any) -> None:
        pipeline, _, _, _ = history

        texts = {ref_of(body).call_id: shown(body) for body in pipeline.runpod.requests}

        marks = [mark for text in texts.values() for mark in dict.fromkeys(MARKER.findall(text))]
        assert sorted(marks) == sorted(f"MARK{number}" for number in range(300))

    def test_leads_to_a_summary_of_everything(self, history: Any) -> None:
        pipeline, job, _, _ = history

        pipeline.run()

        assert pipeline.store.load_job(job.id).state == "succeeded"
        assert set(MARKER.findall(pipeline.summary(job))) == {f"MARK{n}" for n in range(300)}


def test_a_retried_job_of_one_call_sends_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(settings=settings_with(32_768, 6_000))
    pipeline.upload(a_transcript(1_500, markers=30))
    ((runpod_id, body),) = pipeline.open_requests()
    pipeline.call_back(runpod_id, body, answer=lost_body(id=runpod_id))

    redeploy(pipeline, monkeypatch, context_tokens=8_192)
    pipeline.take_messages()

    ((_, again),) = pipeline.open_requests()
    assert again["input"] == body["input"]


def test_a_job_keeps_the_limits_that_it_was_planned_with() -> None:
    """Notes have been taken; what follows them is planned as it would have been."""
    asked = []
    for is_redeployed in (False, True):
        pipeline = Pipeline(settings=settings_with(8_192, 4_096))
        pipeline.upload(a_transcript(12_000))
        for _ in range(2):  # notes, then the outline
            for runpod_id, body in pipeline.open_requests():
                pipeline.call_back(runpod_id, body)
            if is_redeployed:
                pipeline.settings = settings_with(32_768, 900)
            pipeline.take_messages()
        # They are sent at once, in any order.
        asked.append(sorted(json.dumps(body["input"]) for _, body in pipeline.open_requests()))

    assert len(asked[0]) > 10
    assert asked[0] == asked[1]


def test_an_upload_announced_again_after_a_deployment_is_cut_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function that took it first died before the job was recorded, and left what it had planned."""
    pipeline = Pipeline(settings=settings_with(8_192, 4_096))
    real = pipeline.store.create

    def dying(*_: Any) -> None:
        raise ConnectionError("killed")

    pipeline.store.create = dying  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        pipeline.upload(a_transcript(12_000, markers=300))
    pipeline.store.create = real  # type: ignore[method-assign]
    redeploy(pipeline, monkeypatch)

    job = pipeline.upload(a_transcript(12_000, markers=300))

    marks = [mark for body in pipeline.runpod.requests for mark in set(MARKER.findall(shown(body)))]
    assert sorted(marks) == sorted(f"MARK{number}" for number in range(300))
    pipeline.run()
    assert pipeline.store.load_job(job.id).state == "succeeded"


def test_a_stage_that_another_version_began_is_begun_as_it_was_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its calls were recorded, and the submitter died before the job had moved on."""
    pipeline = Pipeline(settings=settings_with(32_768, 6_000))
    job = pipeline.upload(a_transcript(12_000))
    for runpod_id, body in pipeline.open_requests():
        pipeline.call_back(runpod_id, body)
    real = pipeline.store.begin_stage

    def dying(*_: Any) -> None:
        raise ConnectionError("killed")

    pipeline.store.begin_stage = dying  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        pipeline.take_messages()
    pipeline.store.begin_stage = real  # type: ignore[method-assign]
    _, planned, _ = pipeline.history(job)
    planned_now = engine.next_round

    def planned_otherwise(*everything: Any) -> Any:
        step = planned_now(*everything)
        assert isinstance(step, Round)
        return replace(step, asks=step.asks[::2])

    monkeypatch.setattr(stages, "next_round", planned_otherwise)
    pipeline.submitter.advance(job.id)

    job, begun, _ = pipeline.history(job)
    assert [(call.id, call.ask) for call in begun] == [(call.id, call.ask) for call in planned]
    assert job.stage_calls == sum(call.stage == 2 for call in planned) > 10

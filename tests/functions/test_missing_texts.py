"""A missing text is never mistaken for a prompt that was too long."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.jobs.call import OVERFLOW
from tests.builders import failed_body, submitter_settings
from tests.fakes.model import a_transcript
from tests.functions.pipeline import Pipeline


def a_pipeline() -> Pipeline:
    return Pipeline(settings=submitter_settings(context_tokens=8_192))


def conflicting_once(pipeline: Pipeline, ending: str) -> None:
    """Let the first write of an object conflict with another one that then fails."""
    real, met = pipeline.s3.put_object, []

    def put_object(**kw: Any) -> Any:
        if kw["Key"].endswith(ending) and not met:
            met.append(kw)
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
        return real(**kw)

    pipeline.s3.put_object = put_object  # type: ignore[method-assign]


@pytest.mark.parametrize("words", [12_000, 900], ids=["notes of many parts", "one call"])
def test_a_text_whose_write_conflicted_is_written_and_not_paid_for_again(words: int) -> None:
    undisturbed, pipeline = a_pipeline(), a_pipeline()
    undisturbed.upload(a_transcript(words))
    undisturbed.run()

    job = pipeline.upload(a_transcript(words))
    conflicting_once(pipeline, "/1-0.txt")
    pipeline.run()

    assert pipeline.store.load_job(job.id).state == "succeeded"
    assert len(pipeline.runpod.requests) == len(undisturbed.runpod.requests)


def test_a_text_that_was_deleted_ends_the_job_with_that_reason() -> None:
    pipeline = a_pipeline()
    job = pipeline.upload(a_transcript(12_000))
    asked = pipeline.open_requests()
    for runpod_id, body in asked:
        pipeline.call_back(runpod_id, body)
    pipeline.s3.delete_object(Bucket="out", Key=f"work/{job.id}/1-0.txt")

    pipeline.take_messages()

    job, _, _ = pipeline.history(job)
    assert (job.state, job.reason_code) == ("failed", "text-missing")
    assert f"work/{job.id}/1-0.txt" in job.reason
    assert len(pipeline.runpod.requests) == len(asked)


class TestAPromptThatIsTooLong:
    """Its call is counted before it ends: the outcome is on its record all the same."""

    def refused(self, pipeline: Pipeline) -> Any:
        *most, (last_id, last) = pipeline.open_requests()
        for runpod_id, body in most:
            pipeline.call_back(runpod_id, body)
        too_long = "vLLM returned HTTP 400: This model's maximum context length is 9 tokens."
        return lambda: pipeline.call_back(last_id, last, answer=failed_body(too_long, id=last_id))

    def test_is_split_though_its_call_has_not_ended(self) -> None:
        pipeline = a_pipeline()
        job = pipeline.upload(a_transcript(12_000))
        refuse = self.refused(pipeline)
        real = pipeline.store.save_call

        def dying(call: Any) -> Any:
            if call.state == "failed":
                raise KeyboardInterrupt  # killed between counting and ending
            return real(call)

        pipeline.store.save_call = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            refuse()
        pipeline.store.save_call = real  # type: ignore[method-assign]
        pipeline.sweep(pipeline.settings.callback_overdue)  # the message was not sent either

        pipeline.take_messages()

        _, calls, _ = pipeline.history(job)
        (whole,) = [call.ask for call in calls if call.was_too_long]
        halves = {call.ask for call in calls if call.stage == 2}
        assert halves == {f"{whole}a", f"{whole}b"}
        assert pipeline.store.load_job(job.id).state == "active"

    def test_is_noted_in_the_record_of_its_call(self) -> None:
        pipeline = a_pipeline()
        job = pipeline.upload(a_transcript(12_000))

        settled = self.refused(pipeline)()

        assert settled.call.attempt.outcome == OVERFLOW
        assert pipeline.store.load_job(job.id).is_stage_done

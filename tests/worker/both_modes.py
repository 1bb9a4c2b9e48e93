"""One upload through the whole pipeline, in push mode and in pull mode, with the same model.

In push mode every call is a RunPod request that the model answers. In pull mode the one request is a work
order, which the real worker carries out with a bucket and a model's server on loopback. Either way the
summary is the one that the pipeline published.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.aws.names import facts_key_for
from core.jobs.job import JobState
from core.runpod.work_order import ORDER
from core.summaries.options import Mode, SummaryOptions
from tests.builders import completed_body, failed_body, submitter_settings
from tests.fakes.model import FakeModel
from tests.fakes.worker_servers import Bucket, ModelService, bucket_served, model_served
from tests.functions.pipeline import Pipeline
from worker.job import Worker
from worker.settings import WorkerSettings


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an upload, as far as its user and its operator can see it."""

    calls: int  # that the model has answered
    text: str = field(default="", repr=False)
    writing: Mapping[str, Any] = field(default_factory=dict)  # of the facts
    code: str = ""  # why it failed
    reason: str = ""

    @property
    def checks(self) -> dict[str, tuple[str, int]]:
        """What the checks that did not simply pass came to, by their code."""
        return {
            check["code"]: (check["outcome"], check["count"])
            for check in self.writing.get("checks", ())
            if check["outcome"] not in {"passed", "not-applicable"}
        }


def pushed(text: str, model: FakeModel, options: SummaryOptions) -> Outcome:
    pipeline = Pipeline(model=model, settings=submitter_settings(options=options))
    job = pipeline.upload(text)
    pipeline.run()
    return _outcome(pipeline, job.id, model)


def pulled(text: str, model: FakeModel, options: SummaryOptions) -> Outcome:
    asked = {**vars(options), "mode": Mode.PULL}
    pipeline = Pipeline(model=model, settings=submitter_settings(options=SummaryOptions(**asked)))
    job = pipeline.upload(text)
    with (
        bucket_served(Bucket(text.encode())) as bucket,
        model_served(ModelService(model=model)) as service,
    ):
        settings = WorkerSettings(model_url=service.url, model_start_seconds=0)
        worker = Worker(settings=settings, sleep=lambda _: None)
        while requests := pipeline.open_requests():
            for runpod_id, body in requests:
                bucket.put_answers = [403]  # then the summary comes in the manifest
                order = body["input"][ORDER] | {
                    "get_url": bucket.get_url,
                    "put_url": bucket.put_url,
                }
                output = worker.work({ORDER: order}, runpod_id=runpod_id)
                pipeline.call_back(runpod_id, body, answer=_reported(output, runpod_id))
            pipeline.take_messages()
    return _outcome(pipeline, job.id, model)


def _reported(output: Any, runpod_id: str) -> dict[str, Any]:
    """Return what RunPod posts of what a handler returned."""
    if isinstance(output, dict) and "error" in output:
        return failed_body(output["error"], id=runpod_id)
    return completed_body(output=output, id=runpod_id)


def _outcome(pipeline: Pipeline, job_id: str, model: FakeModel) -> Outcome:
    job, _, _ = pipeline.store.history(job_id)
    calls = len(model.requested_words)
    if job.state is JobState.FAILED:
        return Outcome(calls=calls, code=job.reason_code, reason=job.reason)
    assert job.state is JobState.SUCCEEDED
    facts = json.loads(pipeline.s3.objects["out", facts_key_for(job.summary_key)].body)
    return Outcome(calls=calls, text=pipeline.summary(job), writing=facts["writing"])

"""The use cases of the three functions over one set of adapters, as the handlers wire them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.aws.files import S3IntermediateStore, S3Summaries, S3Transcripts
from core.aws.presigned_urls import S3PresignedUrls
from core.jobs.lifecycle import Lifecycle
from core.jobs.material import MaterialStore
from core.jobs.ports import CallbackSecrets, JobStore, RunPod, WorkQueue
from core.jobs.settle import Settler
from core.settings import Retries, SubmitterSettings
from submitter.dispatch import Dispatch
from submitter.glossaries import Glossaries
from submitter.intake import Intake
from submitter.stages import Stages
from submitter.use_cases import LONGEST_CHAIN
from sweeper.looks import Looks
from sweeper.polling import Polling
from sweeper.sweep import Sweeper

RETRIES = Retries(job_deadline=timedelta(hours=1), max_attempts=3)


@dataclass(frozen=True, kw_only=True)
class UseCases:
    store: JobStore
    s3: Any  # a client, or what stands for one
    queue: WorkQueue
    clock: Callable[[], datetime]
    retries: Retries = RETRIES
    output_bucket: str = "out"

    def lifecycle(self, by: str, *, longest_chain: int | None = None) -> Lifecycle:
        return Lifecycle(
            store=self.store,
            summaries=S3Summaries(self.s3, self.output_bucket),
            queue=self.queue,
            retries=self.retries,
            by=by,
            longest_chain=longest_chain,
        )

    def settler(self, by: str) -> Settler:
        return Settler(
            lifecycle=self.lifecycle(by),
            intermediate_store=S3IntermediateStore(self.s3, self.output_bucket),
        )

    def submitter(
        self, *, runpod: RunPod, secrets: CallbackSecrets, settings: SubmitterSettings
    ) -> "Submitter":
        return Submitter(self, runpod=runpod, secrets=secrets, settings=settings)

    def sweeper(
        self,
        *,
        runpod: RunPod,
        max_polls: int = 10,
        poll_interval: timedelta = timedelta(seconds=5),
    ) -> Sweeper:
        lifecycle = self.lifecycle("sweeper")
        return Sweeper(
            store=self.store,
            looks=Looks(lifecycle=lifecycle, store=self.store, clock=self.clock),
            polling=Polling(
                lifecycle=lifecycle,
                settler=self.settler("sweeper"),
                store=self.store,
                runpod=runpod,
                max_polls=max_polls,
                poll_interval=poll_interval,
                clock=self.clock,
            ),
            clock=self.clock,
        )


class Submitter:
    """The submitter's three use cases."""

    def __init__(
        self,
        world: UseCases,
        *,
        runpod: RunPod,
        secrets: CallbackSecrets,
        settings: SubmitterSettings,
    ) -> None:
        lifecycle = world.lifecycle("submitter", longest_chain=LONGEST_CHAIN)
        intermediate_store = S3IntermediateStore(world.s3, world.output_bucket)
        transcripts = S3Transcripts(world.s3)
        materials = MaterialStore(intermediate_store=intermediate_store)
        self.dispatch = Dispatch(
            lifecycle=lifecycle,
            materials=materials,
            runpod=runpod,
            secrets=secrets,
            presigned_urls=S3PresignedUrls(lambda: world.s3, world.output_bucket),
            settings=settings,
            clock=world.clock,
        )
        self.intake = Intake(
            lifecycle=lifecycle,
            transcripts=transcripts,
            glossaries=Glossaries.of_settings(settings, transcripts),
            materials=materials,
            dispatch=self.dispatch,
            settings=settings,
            clock=world.clock,
        )
        self.stages = Stages(
            lifecycle=lifecycle,
            materials=materials,
            intermediate_store=intermediate_store,
            dispatch=self.dispatch,
            clock=world.clock,
        )
        self.accept = self.intake.accept
        self.next_attempt = self.dispatch.next_attempt
        self.advance = self.stages.advance

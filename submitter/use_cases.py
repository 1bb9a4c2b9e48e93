"""The submitter's use cases, as the handler has them."""

from typing import NamedTuple

from core import wiring
from core.jobs.material import MaterialStore
from core.settings import SubmitterSettings
from submitter.dispatch import Dispatch
from submitter.glossaries import Glossaries
from submitter.intake import Intake
from submitter.record import BY
from submitter.stages import Stages

# Attempts of one call that may follow each other through the function's own queue.
LONGEST_CHAIN = 6


class UseCases(NamedTuple):
    settings: SubmitterSettings
    intake: Intake
    dispatch: Dispatch
    stages: Stages


def wired(settings: SubmitterSettings) -> UseCases:
    """Return the use cases over the real adapters."""
    lifecycle = wiring.lifecycle(
        settings.resources,
        settings.retries,
        store=wiring.store(settings.resources),
        by=BY,
        longest_chain=LONGEST_CHAIN,
    )
    intermediate_store = wiring.intermediate_store(settings.resources)
    transcripts = wiring.transcripts()
    materials = MaterialStore(intermediate_store=intermediate_store)
    dispatch = Dispatch(
        lifecycle=lifecycle,
        materials=materials,
        runpod=wiring.runpod(settings.runpod),
        secrets=wiring.callback_secrets(settings.callback_secret),
        presigned_urls=wiring.presigned_urls(settings.resources),
        settings=settings,
        clock=wiring.now,
    )
    intake = Intake(
        lifecycle=lifecycle,
        transcripts=transcripts,
        glossaries=Glossaries.of_settings(settings, transcripts),
        materials=materials,
        dispatch=dispatch,
        settings=settings,
        clock=wiring.now,
    )
    stages = Stages(
        lifecycle=lifecycle,
        materials=materials,
        intermediate_store=intermediate_store,
        dispatch=dispatch,
        clock=wiring.now,
    )
    return UseCases(settings, intake, dispatch, stages)

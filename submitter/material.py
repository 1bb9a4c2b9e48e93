"""What calls read, and what stages plan: stored once before the first request, and read from there.

Every later attempt and stage goes by what stands, whatever a later deployment would make of it.
"""

from dataclasses import dataclass

from core.errors import BadTranscript
from core.jobs.job import Job
from core.jobs.ports import IntermediateStore
from core.summaries.levels import Level, cut, level_in
from core.summaries.stages import StagePlan, plan_in


@dataclass(frozen=True, kw_only=True)
class Material:
    intermediate_store: IntermediateStore

    def level(self, job: Job, number: int) -> Level:
        """Return a level of a job. Raises BadTranscript if it is gone."""
        document = self.intermediate_store.recorded(job.id, _name(number))
        if document is None:
            raise BadTranscript("work-expired")
        return level_in(document)

    def cut(self, job: Job, number: int, text: str) -> Level:
        """Cut a text into a level of a job and store it, unless it is there; return what stands."""
        level = cut(number, text, job.limits)
        document = level.as_document()
        existing = self.intermediate_store.record(job.id, _name(number), document)
        return level if existing == document else level_in(existing)

    def plan(self, job: Job, stage: int, plan: StagePlan) -> StagePlan:
        """Store a stage's plan, unless it is there; return what stands."""
        return plan_in(self.intermediate_store.record(job.id, f"stage-{stage}", plan.as_document()))


def _name(number: int) -> str:
    return f"level-{number}"

"""What a job's calls read, and what each stage asks: stored once before the first request.

Every later attempt and stage goes by what stands, whatever a later deployment would make of it.
"""

import json
from dataclasses import dataclass

from core.errors import BadTranscript
from core.jobs.job import Job
from core.jobs.ports import IntermediateStore
from core.summaries.glossary import Glossary, glossary_in
from core.summaries.passages import Passages, passages_in
from core.summaries.rounds import Round, round_in

_PASSAGES, _GLOSSARY = "passages", "glossary"


@dataclass(frozen=True, kw_only=True)
class Material:
    intermediate_store: IntermediateStore

    def passages(self, job: Job) -> Passages:
        """Return the transcript as it was numbered. Raises BadTranscript if it is gone."""
        return passages_in(self._recorded(job, _PASSAGES))

    def keep_passages(self, job: Job, passages: Passages) -> Passages:
        """Store a numbered transcript, unless one is there; return what stands."""
        document = passages.as_document()
        existing = self.intermediate_store.record(job.id, _PASSAGES, document)
        return passages if existing == document else passages_in(existing)

    def glossary(self, job: Job) -> Glossary:
        """Return the glossary of a job; only one that says something was stored."""
        if not job.has_glossary:
            return Glossary()
        return glossary_in(json.loads(self._recorded(job, _GLOSSARY)))

    def keep_glossary(self, job: Job, glossary: Glossary) -> Glossary:
        """Store a job's glossary if it says something, unless one is there; return what stands."""
        if not job.has_glossary:
            return glossary
        document = json.dumps(glossary.as_fields(), ensure_ascii=False)
        return glossary_in(json.loads(self.intermediate_store.record(job.id, _GLOSSARY, document)))

    def round(self, job: Job, stage: int) -> Round:
        """Return what a stage asks. Raises BadTranscript if it is gone."""
        return round_in(self._recorded(job, _name(stage)))

    def keep_round(self, job: Job, stage: int, plan: Round) -> Round:
        """Store what a stage asks, unless it is there; return what stands."""
        return round_in(self.intermediate_store.record(job.id, _name(stage), plan.as_document()))

    def _recorded(self, job: Job, name: str) -> str:
        document = self.intermediate_store.recorded(job.id, name)
        if document is None:
            raise BadTranscript("work-expired")
        return document


def _name(stage: int) -> str:
    return f"stage-{stage}"

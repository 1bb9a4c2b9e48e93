"""What a job's calls read, and what each stage asks: stored once before the first request.

    material   what the job begins with: the numbered transcript, the glossary and the first stage's round
    stage-N    of each later stage: its round, and the rounds before it with their answers
    glossary   pull mode's, whose worker reads the transcript itself

Every later attempt and stage goes by what stands, whatever a later deployment would make of it. A stage's
end reads one of these and its own answers, however many stages were before it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadTranscript
from core.jobs.job import Job
from core.jobs.ports import IntermediateStore
from core.summaries.glossary import Glossary, glossary_in
from core.summaries.goals import Goal, goal_of
from core.summaries.passages import Passages, passages_in
from core.summaries.rounds import PastRound, Round, past_round_in, round_in

MATERIAL, _GLOSSARY = "material", "glossary"


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a job begins with."""

    passages: Passages
    glossary: Glossary
    first: Round  # what the first stage asks

    def as_fields(self) -> dict[str, Any]:
        """Return the material as what JSON can hold."""
        return {
            "passages": self.passages.as_fields(),
            "glossary": self.glossary.as_fields(),
            "first": self.first.as_fields(),
        }


def material_in(fields: Mapping[str, Any]) -> Material:
    """Read material that was stored."""
    return Material(
        passages=passages_in(fields["passages"]),
        glossary=glossary_in(fields["glossary"]),
        first=round_in(fields["first"]),
    )


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """What a stage asks, and what it follows from."""

    round: Round
    history: Sequence[PastRound] = ()

    def as_fields(self) -> dict[str, Any]:
        """Return the stage as what JSON can hold."""
        return {
            "round": self.round.as_fields(),
            "history": [past.as_fields() for past in self.history],
        }


def planned_stage_in(fields: Mapping[str, Any]) -> PlannedStage:
    """Read a stage that was stored."""
    return PlannedStage(
        round=round_in(fields["round"]),
        history=tuple(map(past_round_in, fields["history"])),
    )


@dataclass(frozen=True, kw_only=True)
class MaterialStore:
    """Each document is stored unless it is there; what stands is returned.

    What reads raises BadTranscript where a document is gone.
    """

    intermediate_store: IntermediateStore

    def keep(self, job: Job, material: Material) -> Material:
        fields = material.as_fields()
        standing = self._keep(job, MATERIAL, fields)
        return material if standing is fields else material_in(standing)

    def load(self, job: Job) -> Material:
        return material_in(self._kept(job, MATERIAL))

    def keep_stage(self, job: Job, number: int, stage: PlannedStage) -> PlannedStage:
        """Store what a stage asks that is not the first."""
        fields = stage.as_fields()
        standing = self._keep(job, _name(number), fields)
        return stage if standing is fields else planned_stage_in(standing)

    def stage(self, job: Job, number: int, material: Material) -> PlannedStage:
        if number == 1:
            return PlannedStage(round=material.first)
        return planned_stage_in(self._kept(job, _name(number)))

    def keep_glossary(self, job: Job, glossary: Glossary) -> Glossary:
        """Store pull mode's glossary if it says something."""
        if not job.has_glossary:
            return glossary
        return glossary_in(self._keep(job, _GLOSSARY, glossary.as_fields()))

    def glossary(self, job: Job) -> Glossary:
        """Return pull mode's glossary; only one that says something was stored."""
        return glossary_in(self._kept(job, _GLOSSARY)) if job.has_glossary else Glossary()

    def _keep(self, job: Job, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store a document unless it is there; return the very fields, or those that stand."""
        document = json.dumps(fields, ensure_ascii=False)
        standing = self.intermediate_store.record(job.id, name, document)
        return fields if standing == document else _fields_in(standing)

    def _kept(self, job: Job, name: str) -> Mapping[str, Any]:
        document = self.intermediate_store.recorded(job.id, name)
        if document is None:
            raise BadTranscript("work-expired")
        return _fields_in(document)


def goal(job: Job, glossary: Glossary) -> Goal:
    """Return what the engine is to make of a job's transcript."""
    # The job's id hashes the file's version: nobody who wrote it can have known it.
    return goal_of(job.options, job.words_in, boundary=job.id, glossary=glossary)


def _fields_in(document: str) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = json.loads(document)
    return fields


def _name(number: int) -> str:
    return f"stage-{number}"

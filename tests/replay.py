"""What a job's calls came to: the engine once more, over what lies under `work/` in the bucket.

So every suite can tell whether a published summary is what the model's answers make, and nothing else.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.aws.names import work_key
from core.jobs.call import OVERFLOW, Call
from core.jobs.job import Job
from core.jobs.material import MATERIAL, Material, goal, material_in, planned_stage_in
from core.summaries.asks import Answer, answer_of
from core.summaries.engine import next_round
from core.summaries.rounds import Finished, NextStep, PastRound

Kept = Mapping[str, tuple[str, Mapping[str, str]]]  # objects and their metadata, by key


def replayed(job: Job, calls: Iterable[Call], kept: Kept) -> NextStep:
    """Return what follows from the answers of all stages of a job."""
    mine = [call for call in calls if call.job_id == job.id]
    material = material_of(job.id, kept)
    rounds = [material.first] + [
        planned_stage_in(_document(job.id, f"stage-{stage}", kept)).round
        for stage in range(2, job.stage + 1)
    ]
    history = [
        PastRound(
            round=each,
            answers={call.ask: _answer(call, kept) for call in mine if call.stage == stage},
        )
        for stage, each in enumerate(rounds, 1)
    ]
    return next_round(material.passages, goal(job, material.glossary), job.limits, history)


def is_made_of_its_answers(text: str, job: Job, calls: Iterable[Call], kept: Kept) -> bool:
    """Is a published text what the engine makes of the answers that were kept?"""
    try:
        end = replayed(job, calls, kept)
    except KeyError:  # of what it was made of, something was never kept
        return False
    return isinstance(end, Finished) and end.text.strip() == text.strip()


def is_made_of_one_answer(
    text: str, job: Job, call: Call, kept: Kept, returned: Iterable[str]
) -> bool:
    """Is a published text what the engine makes of one of the answers that RunPod returned for a call?

    Whoever has the one answer that a summary needs publishes what it makes, and does not keep it.
    """
    return any(
        is_made_of_its_answers(text, job, [call], {**kept, work_key(job.id, call.id): answer})
        for each in returned
        for answer in ((each, _answer_metadata(was_cut)) for was_cut in ("false", "true"))
    )


def _answer_metadata(was_cut: str) -> Mapping[str, str]:
    return {"was-cut": was_cut, "prompt-tokens": "1", "completion-tokens": "1"}


def material_of(job_id: str, kept: Kept) -> Material:
    """Return what a job began with."""
    return material_in(_document(job_id, MATERIAL, kept))


def _document(job_id: str, name: str, kept: Kept) -> Any:
    return json.loads(kept[work_key(job_id, name, ending=".json")][0])


def _answer(call: Call, kept: Kept) -> Answer:
    key = work_key(call.job_id, call.id)
    if key not in kept:
        return Answer(failure=OVERFLOW)
    text, metadata = kept[key]
    return answer_of(
        text,
        was_cut=metadata["was-cut"] == "true",
        prompt_tokens=int(metadata["prompt-tokens"]),
        completion_tokens=int(metadata["completion-tokens"]),
    )

"""What a job's calls came to: the engine once more, over what lies under `work/` in the bucket.

So every suite can tell whether a published summary is what the model's answers make, and nothing else.
"""

import json
from collections.abc import Iterable, Mapping

from core.aws.names import work_key
from core.jobs.call import OVERFLOW, Call
from core.jobs.job import Job
from core.summaries.asks import Answer, answer_of
from core.summaries.engine import next_round
from core.summaries.glossary import Glossary, glossary_in
from core.summaries.passages import Passages, passages_in
from core.summaries.rounds import Finished, NextStep, PastRound, round_in
from submitter.record import goal

Kept = Mapping[str, tuple[str, Mapping[str, str]]]  # objects and their metadata, by key


def replayed(job: Job, calls: Iterable[Call], kept: Kept) -> NextStep:
    """Return what follows from the answers of all stages of a job."""
    mine = [call for call in calls if call.job_id == job.id]
    history = [
        PastRound(
            round=round_in(kept[work_key(job.id, f"stage-{stage}", ending=".json")][0]),
            answers={call.ask: _answer(call, kept) for call in mine if call.stage == stage},
        )
        for stage in range(1, job.stage + 1)
    ]
    glossary = _glossary_of(job, kept)
    return next_round(passages_of(job.id, kept), goal(job, glossary), job.limits, history)


def is_made_of_its_answers(text: str, job: Job, calls: Iterable[Call], kept: Kept) -> bool:
    """Is a published text what the engine makes of the answers that were kept?"""
    try:
        end = replayed(job, calls, kept)
    except KeyError:  # of what it was made of, something was never kept
        return False
    return isinstance(end, Finished) and end.text.strip() == text.strip()


def passages_of(job_id: str, kept: Kept) -> Passages:
    """Return the transcript of a job as it was numbered."""
    return passages_in(kept[work_key(job_id, "passages", ending=".json")][0])


def _glossary_of(job: Job, kept: Kept) -> Glossary:
    if not job.has_glossary:
        return Glossary()
    return glossary_in(json.loads(kept[work_key(job.id, "glossary", ending=".json")][0]))


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

"""What holds when a run has ended, whatever failed on the way."""

import json
from collections import Counter
from dataclasses import asdict
from itertools import pairwise

from core.aws.names import WORK_PREFIX, facts_key_for, work_key
from core.jobs.job import ASSEMBLED, WHOLE, JobState
from core.summaries.options import Mode
from tests.builders import API_KEY, SECRET
from tests.fakes.runpod_endpoint import text_of
from tests.faults.scenario_runner import Ended
from tests.replay import is_made_of_its_answers, is_made_of_one_answer

MOST_ATTEMPTS = 3
_NEVER_TOLD = (API_KEY, SECRET.decode(), "hooks.invalid", "MARK", "pumps", "X-Amz")


def check(ended: Ended, *, ends: JobState, runs_without_fault: int) -> None:
    """Raise AssertionError for the first thing that does not hold."""
    assert ended.job.state is ends, f"the job has {ended.job.state}: {ended.job.reason}"
    _check_summary(ended)
    _check_answers(ended)
    _check_audit(ended)
    _check_runs(ended, runs_without_fault)
    assert ended.dead_letters == [], "a message was given up"
    assert ended.still_due == [], "something is due though everything has ended"
    assert ended.is_at_rest, "a sweep after the end changed something"
    _check_log(ended)


def _check_summary(ended: Ended) -> None:
    job = ended.job
    visible = {key for key in ended.objects if not key.startswith(WORK_PREFIX)}
    if job.state is not JobState.SUCCEEDED:
        assert visible == set(), "there is a summary of a job that failed"
        return
    assert visible == {job.summary_key, facts_key_for(job.summary_key)}, f"there is {visible}"
    assert _is_runpods(ended), "the summary is not what RunPod answered"
    assert job.summary is not None, "the record has no summary"
    facts = json.loads(ended.objects[facts_key_for(job.summary_key)])
    assert facts["job_id"] == job.id, "the facts are another job's"
    assert asdict(job.summary).items() <= facts["summary"].items(), "facts and record differ"


def _is_runpods(ended: Ended) -> bool:
    """Is the summary what RunPod answered, or what the engine makes of RunPod's answers?"""
    summary = ended.objects[ended.job.summary_key]
    if ended.job.options.mode is Mode.PULL:
        return summary in _texts(ended, WHOLE)
    assert ended.job.summary is not None, "the record has no summary"
    if ended.job.summary.call_id != ASSEMBLED:
        (call,) = ended.calls
        texts = _texts(ended, call.id)
        return is_made_of_one_answer(summary, ended.job, call, ended.kept, texts)
    return is_made_of_its_answers(summary, ended.job, ended.calls, ended.kept)


def _check_answers(ended: Ended) -> None:
    """What is kept of a call is one of RunPod's answers to it."""
    for call in ended.calls:
        kept = ended.objects.get(work_key(call.job_id, call.id))
        assert kept is None or kept + "\n" in _texts(ended, call.id), (
            f"what is kept of call {call.id} is not what RunPod answered"
        )


def _texts(ended: Ended, call_id: str) -> set[str]:
    texts = {text_of(run) for run in ended.runs if run.ref.call_id == call_id} - {""}
    return {text.rstrip() + "\n" for text in texts}


def _check_audit(ended: Ended) -> None:
    assert ended.lines_changed == 0, "lines of the audit were changed"
    states = {"job": ended.job.state.value}
    states |= {f"call#{call.id}": call.state.value for call in ended.calls}
    for item, lines in ended.audits.items():
        moves = [line for line in lines if line.to_state]
        assert all(one.to_state == other.from_state for one, other in pairwise(moves)), item
        assert not moves or moves[-1].to_state == states[item], (
            f"{item} is not where its audit ends"
        )
    ends = [line.what for line in ended.audits["job"] if line.to_state]
    assert len(ends) == 1, f"the job has ended in {ends}"


def _check_runs(ended: Ended, without_fault: int) -> None:
    assert len(ended.runs) <= without_fault + 1, "one fault has cost more than one GPU run"
    runs = Counter(run.ref.call_id for run in ended.runs)
    assert max(runs.values()) <= MOST_ATTEMPTS, "a call was run too often"
    recorded = {(call.id, attempt.number) for call in ended.calls for attempt in call.attempts}
    taken = {(run.ref.call_id, run.ref.attempt) for run in ended.runs}
    assert taken <= recorded, "RunPod took a request that is not on record"


def _check_log(ended: Ended) -> None:
    tokens = {run.webhook.rpartition("/")[2] for run in ended.runs}
    for word in (*_NEVER_TOLD, *tokens):
        assert word not in ended.log, "a secret, or words of a text, are in the log"

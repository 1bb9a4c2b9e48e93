"""What must hold after a soak. Pure: each check reads the evidence and yields what is wrong.

A check names a job by its id and an upload by its key, never a text.
"""

from collections import Counter
from collections.abc import Iterator

from core.aws.names import work_key
from core.jobs.call import Call
from core.jobs.job import ASSEMBLED, Job, JobState
from core.summaries.rounds import GivenUp
from core.words import count_words
from tests.replay import is_made_of_its_answers, is_made_of_one_answer, replayed
from tests.soak.evidence import Evidence, Sent

# A good file whose every attempt met a fault fails, rightly. More of them than this, and at least one,
# is no bad luck any more.
_MOST_UNLUCKY_SHARE = 0.01
_SUPERSEDED = "superseded"
# What the engine gives a job up for, where the model never wrote what can be published.
_MODEL_FAILED = ("model-declined", "model-unusable", "no-answer")
_MOST_MODEL_FAILED_SHARE = 0.05


def wrong(evidence: Evidence) -> list[str]:
    """Return a line for each thing that is wrong; an empty list is a soak that lost nothing."""
    checks = (
        _jobs_ended,
        _failures_are_deserved,
        _summaries_are_there_once,
        _answers_are_right,
        _summaries_are_right,
        _nothing_else_is_stored,
        _gpu_calls_are_bounded,
        _audits_end_as_their_jobs,
        _nothing_is_left,
        _logs_are_silent,
    )
    return [found for check in checks for found in check(evidence)]


def unlucky(evidence: Evidence) -> list[Sent]:
    """Return the good files whose jobs failed because a call's every attempt met a fault."""
    return [each for each in evidence.sent if _is_unlucky(each, evidence)]


def failed_by_model(evidence: Evidence) -> list[Sent]:
    """Return the good files whose jobs were given up for what their model wrote, again and again."""
    return [each for each in evidence.sent if _is_failed_by_model(each, evidence)]


def request_counts(evidence: Evidence) -> Counter[tuple[str, str]]:
    """Return how often RunPod took each call, by job and call."""
    return Counter((each.job_id, each.call_id) for each in evidence.requests)


def _jobs_ended(evidence: Evidence) -> Iterator[str]:
    for each in evidence.sent:
        history = evidence.histories.get(each.job_id)
        if history is None:
            yield f"{each.planned.key}: its upload has no job"
        elif not history.job.is_final:
            yield f"{each.planned.key}: its job {each.job_id} is {history.job.state}"
    for job_id in evidence.histories.keys() - {each.job_id for each in evidence.sent}:
        yield f"job {job_id}: nobody uploaded anything for it"
    for history in evidence.histories.values():
        for call in history.calls:
            if history.job.is_final and not call.is_final:
                yield f"job {history.job.id}: it ended, and its call {call.id} is {call.state}"


def _failures_are_deserved(evidence: Evidence) -> Iterator[str]:
    for each, job in _jobs(evidence):
        code = job.reason_code
        if job.state is JobState.FAILED and not (code and job.reason):
            yield f"{each.planned.key}: it failed without a reason"
        elif each.planned.fails_as and code != each.planned.fails_as:
            yield f"{each.planned.key}: {job.state} {code}, not failed {each.planned.fails_as}"
        elif each.planned.fails_as or job.state is not JobState.FAILED:
            continue
        elif (
            not (each.planned.is_replaced and code == _SUPERSEDED)
            and not _is_unlucky(each, evidence)
            and not _is_failed_by_model(each, evidence)
        ):
            yield f"{each.planned.key}: a good file, and job {job.id} failed: {code}"
    for failed, why, share in (
        (unlucky(evidence), "on every attempt", _MOST_UNLUCKY_SHARE),
        (failed_by_model(evidence), "for what the model wrote", _MOST_MODEL_FAILED_SHARE),
    ):
        most = max(1, round(len(evidence.sent) * share))
        if len(failed) > most:
            yield f"{len(failed)} good files failed {why}; {most} may"


def _summaries_are_there_once(evidence: Evidence) -> Iterator[str]:
    for each, job in _jobs(evidence):
        stored = [one for one in evidence.stored if one.job_id == job.id]
        wanted = 1 if job.state is JobState.SUCCEEDED else 0
        if len(stored) != wanted:
            yield f"{each.planned.key}: {job.state}, with {len(stored)} summaries of job {job.id}"
        for one in stored:
            if one.key != job.summary_key:
                yield f"job {job.id}: its summary is not at its key"
            if not one.text.strip():
                yield f"job {job.id}: its summary is empty"
            if job.summary and count_words(one.text) != job.summary.words:
                yield f"job {job.id}: its summary has not the words that its record says"


def _answers_are_right(evidence: Evidence) -> Iterator[str]:
    returned: dict[str, set[str]] = {}
    for request in evidence.requests:
        key = work_key(request.job_id, request.call_id)
        returned.setdefault(key, set()).add(request.text)
    for job_id, call in _calls(evidence):
        key = work_key(job_id, call.id)
        if key in evidence.kept and evidence.kept[key][0] not in returned.get(key, ()):
            yield f"job {job_id}: what is kept of call {call.id} is not what RunPod returned for it"


def _summaries_are_right(evidence: Evidence) -> Iterator[str]:
    stored = {each.job_id: each.text for each in evidence.stored}
    for _, job in _jobs(evidence):
        if job.summary is None or job.id not in stored:
            continue
        if not _is_made_of_answers(stored[job.id], job, evidence):
            yield f"job {job.id}: its summary is not what the answers of its calls make"


def _is_made_of_answers(text: str, job: Job, evidence: Evidence) -> bool:
    calls = evidence.histories[job.id].calls
    if job.summary is None or job.summary.call_id == ASSEMBLED:
        return is_made_of_its_answers(text, job, calls, evidence.kept)
    call = next((call for call in calls if call.id == job.summary.call_id), None)
    if call is None:
        return False
    returned = [
        each.text for each in evidence.requests if (each.job_id, each.call_id) == (job.id, call.id)
    ]
    return is_made_of_one_answer(text, job, call, evidence.kept, returned)


def _nothing_else_is_stored(evidence: Evidence) -> Iterator[str]:
    for one in evidence.stored:
        if one.job_id not in evidence.histories:
            yield f"{one.key}: a summary of no job"
        if one.is_latest and one.facts_job_id != one.job_id:
            yield f"{one.key}: summary of job {one.job_id} beside facts of {one.facts_job_id}"
    latest = {one.key: one.job_id for one in evidence.stored if one.is_latest}
    for each, job in _jobs(evidence):
        is_newest = not each.planned.is_replaced
        if is_newest and job.summary and latest.get(job.summary_key) != job.id:
            yield f"{each.planned.key}: what stands is not the summary of its newest version"


def _gpu_calls_are_bounded(evidence: Evidence) -> Iterator[str]:
    for (job_id, call_id), count in request_counts(evidence).items():
        if count > evidence.max_attempts:
            yield f"job {job_id}: call {call_id} cost {count} requests, not {evidence.max_attempts}"
    known = {(job_id, call.id) for job_id, call in _calls(evidence)}
    for job_id, call_id in request_counts(evidence).keys() - known:
        yield f"job {job_id}: RunPod was asked for call {call_id}, which is not recorded"


def _audits_end_as_their_jobs(evidence: Evidence) -> Iterator[str]:
    for job_id, history in evidence.histories.items():
        job = history.job
        ends = [each.what for each in history.events if each.from_state == "active"]
        if job.is_final and ends != [f"active -> {job.state}"]:
            yield f"job {job_id}: {job.state}, and its audit says {', '.join(ends) or 'nothing'}"


def _nothing_is_left(evidence: Evidence) -> Iterator[str]:
    for job_id, call_id in evidence.due:
        yield f"job {job_id}: {'call ' + call_id if call_id else 'the job itself'} is still due"
    if evidence.queued:
        yield f"{evidence.queued} messages are left in the work queue"
    if evidence.dead_letters:
        yield f"{evidence.dead_letters} messages are in the dead-letter queue"


def _logs_are_silent(evidence: Evidence) -> Iterator[str]:
    for function, lines in evidence.log_lines.items():
        if not lines:
            yield f"{function}: it logged nothing, so nothing can be said about its log"
        log = "\n".join(lines)
        for kind, texts in evidence.secrets.items():
            if any(text in log for text in texts):
                yield f"{function}: its log holds {kind}"


def _jobs(evidence: Evidence) -> Iterator[tuple[Sent, Job]]:
    for each in evidence.sent:
        history = evidence.histories.get(each.job_id)
        if history:
            yield each, history.job


def _calls(evidence: Evidence) -> Iterator[tuple[str, Call]]:
    for job_id, history in evidence.histories.items():
        for call in history.calls:
            yield job_id, call


def _is_unlucky(each: Sent, evidence: Evidence) -> bool:
    history = evidence.histories.get(each.job_id)
    if history is None or each.planned.fails_as or history.job.state is not JobState.FAILED:
        return False
    if history.job.reason_code == _SUPERSEDED:
        return False
    return any(call.paid_attempts >= evidence.max_attempts for call in history.calls)


def _is_failed_by_model(each: Sent, evidence: Evidence) -> bool:
    """Is a job's failure what follows from the answers that it has?"""
    history = evidence.histories.get(each.job_id)
    if history is None or history.job.reason_code not in _MODEL_FAILED:
        return False
    end = replayed(history.job, history.calls, evidence.kept)
    return isinstance(end, GivenUp) and end.code == history.job.reason_code

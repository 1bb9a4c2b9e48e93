"""The soak's checks accept a soak that lost nothing, and each of them can fail."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cli.deployment import History, Upload
from core.jobs.call import Call, CallState
from core.jobs.job import Job
from core.jobs.material import Material, PlannedStage, goal
from core.summaries.glossary import Glossary
from core.summaries.goals import WritingLimits
from core.summaries.passages import numbered
from core.transcripts.turns import Turn
from core.words import count_words
from tests.builders import (
    JOB_ID,
    a_call,
    a_job,
    a_request,
    a_summary,
    an_event,
)
from tests.soak.checks import wrong
from tests.soak.evidence import Evidence, RunPodRequest, Sent, Stored
from tests.soak.load import Planned, planned_load
from tests.writing_habits import REFUSAL
from tests.writing_model import WritingModel, driven

BAD_JOB_ID = "f" * 32
_GOOD = Sent(
    planned=Planned(key="good.txt", body=b""),
    upload=Upload("b", "good.txt", "v", "e"),
    job_id=JOB_ID,
)
_BAD = Sent(
    planned=Planned(key="bad.txt", body=b"", fails_as="empty"),
    upload=Upload("b", "bad.txt", "v", "e"),
    job_id=BAD_JOB_ID,
)
# A model that answers one call, in prose, and what the engine makes of it.
_PASSAGES = numbered(
    [Turn(speaker="Mara", text=" ".join(f"The pump {n} holds." for n in range(20)))]
)
_LIMITS = WritingLimits(context_tokens=32_768)


def _job(**changes: Any) -> Job:
    options = a_request(words=50)
    return a_job(**{"options": options, "words_in": _PASSAGES.words, "limits": _LIMITS, **changes})


_GOAL = goal(_job(), Glossary())
_DRIVE = driven(_PASSAGES, _GOAL, _LIMITS, WritingModel())
_STORED_TEXT = _DRIVE.finished.text.rstrip() + "\n"
_ROUND = _DRIVE.history[0].round
_ANSWER = "\n".join(answer.text for answer in _DRIVE.history[0].answers.values())
_METADATA = {"was-cut": "false", "prompt-tokens": "1", "completion-tokens": "1"}
_CALL = a_call(CallState.SUCCEEDED, ask=_ROUND.asks[0].name)
_MATERIAL = Material(passages=_PASSAGES, glossary=Glossary(), first=_ROUND)
_KEPT = {
    f"work/{JOB_ID}/material.json": (json.dumps(_MATERIAL.as_fields()), {}),
    f"work/{JOB_ID}/1-0.txt": (_ANSWER, _METADATA),
}
_REQUEST = RunPodRequest(
    runpod_id="rp-1",
    job_id=JOB_ID,
    call_id="1-0",
    text=_ANSWER,
    is_callback_lost=False,
    habits=(),
    answers=(200,),
    token="t0ken",
)
_STORED = Stored(
    key=a_job().summary_key,
    job_id=JOB_ID,
    text=_STORED_TEXT,
    is_latest=True,
    facts_job_id=JOB_ID,
    writing={},
)


def succeeded(**changes: Any) -> Job:
    summary = a_summary(words=count_words(_STORED_TEXT))
    return replace(_job().with_success(summary, an_event()), **changes)


def failed(code: str, **changes: Any) -> Job:
    return replace(_job().with_failure(code, an_event(why="because")), **changes)


def history(job: Job, *calls: Call, ends: tuple[str, ...] | None = None) -> History:
    whats = (f"active -> {job.state}",) if ends is None else ends
    return History(job, list(calls), [an_event(what=what) for what in ("recorded", *whats)])


def evidence(**changes: Any) -> Evidence:
    """The evidence of a soak of two files, a good one and an empty one, that lost nothing."""
    default = Evidence(
        sent=[_GOOD, _BAD],
        histories={
            JOB_ID: history(succeeded(), _CALL),
            BAD_JOB_ID: history(failed("empty", id=BAD_JOB_ID)),
        },
        requests=[_REQUEST],
        stored=[_STORED],
        kept=_KEPT,
        due=[],
        queued=0,
        dead_letters=0,
        log_lines={"SubmitterFunction": ["a line"], "SweeperFunction": ["another"]},
        secrets={"a token": ["t0ken"]},
        traffic={},
        refused=0,
        max_attempts=3,
    )
    return replace(default, **changes)


def of_the_good_file(found: History) -> dict[str, History]:
    return evidence().histories | {JOB_ID: found}


def answered(text: str) -> dict[str, Any]:
    """The one call of the good file was answered so."""
    return {
        "requests": [replace(_REQUEST, text=text)],
        "kept": _KEPT | {f"work/{JOB_ID}/1-0.txt": (text, _METADATA)},
    }


def declined(code: str = "model-declined", answer: str = REFUSAL) -> dict[str, Any]:
    """The model was asked twice for the good file, and its job was given up."""
    drive = driven(_PASSAGES, _GOAL, _LIMITS, WritingModel(habit=lambda *_: answer))
    kept = dict(_KEPT)
    calls, requests = [], []
    for stage, past in enumerate(drive.history, 1):
        planned = PlannedStage(round=past.round, history=drive.history[: stage - 1])
        if stage > 1:
            kept[f"work/{JOB_ID}/stage-{stage}.json"] = json.dumps(planned.as_fields()), {}
        kept[f"work/{JOB_ID}/{stage}-0.txt"] = answer, _METADATA
        ask = past.round.asks[0].name
        calls.append(a_call(CallState.SUCCEEDED, id=f"{stage}-0", stage=stage, ask=ask))
        requests.append(replace(_REQUEST, call_id=f"{stage}-0", text=answer))
    job = failed(code, stage=len(calls))
    return {
        "histories": of_the_good_file(history(job, *calls)),
        "requests": requests,
        "stored": [],
        "kept": kept,
    }


def test_nothing_is_wrong_with_a_soak_that_lost_nothing() -> None:
    assert wrong(evidence()) == []


def test_a_good_file_may_fail_where_the_model_declined_again_and_again() -> None:
    assert wrong(evidence(**declined())) == []


def test_an_older_version_may_give_way_to_a_newer_one() -> None:
    older = replace(_BAD, planned=Planned(key="good.txt", body=b"", is_replaced=True))
    superseded = history(failed("superseded", id=BAD_JOB_ID))

    seen = evidence(sent=[_GOOD, older], histories=evidence().histories | {BAD_JOB_ID: superseded})

    assert wrong(seen) == []


def test_a_good_file_may_fail_when_its_every_attempt_met_a_fault() -> None:
    assert wrong(evidence(**a_failure(attempts=3))) == []


def a_failure(*, attempts: int) -> dict[str, Any]:
    call = a_call(CallState.FAILED, attempts=attempts)
    job = failed("worker-error")
    histories = of_the_good_file(history(job, call))
    return {"histories": histories, "requests": [], "stored": [], "kept": {}}


def several_failures() -> dict[str, Any]:
    ids = [f"{number:032x}" for number in range(3)]
    call = a_call(CallState.FAILED, attempts=3)
    return {
        "sent": [replace(_GOOD, job_id=job_id) for job_id in ids],
        "histories": {job_id: history(failed("worker-error", id=job_id), call) for job_id in ids},
        "requests": [],
        "stored": [],
    }


WRONG: dict[str, tuple[Callable[[], Evidence], str]] = {
    "an upload without a job": (
        lambda: evidence(histories={BAD_JOB_ID: evidence().histories[BAD_JOB_ID]}),
        "good.txt: its upload has no job",
    ),
    "a job that does not end": (
        lambda: evidence(
            histories=of_the_good_file(history(a_job(), a_call(), ends=())), stored=[]
        ),
        "good.txt: its job .* is active",
    ),
    "a call that outlives its job": (
        lambda: evidence(histories=of_the_good_file(history(succeeded(), a_call()))),
        "its call 1-0 is submitted",
    ),
    "a job that nobody uploaded": (lambda: evidence(sent=[_BAD]), "nobody uploaded"),
    "a good file that failed with attempts left": (
        lambda: evidence(**a_failure(attempts=2)),
        "good.txt: a good file, .* failed: worker-error",
    ),
    "too many good files that failed": (
        lambda: evidence(**several_failures()),
        "3 good files failed on every attempt; 1 may",
    ),
    "the newest version giving way": (
        lambda: evidence(
            histories=of_the_good_file(history(failed("superseded"))), requests=[], stored=[]
        ),
        "good.txt: a good file",
    ),
    "a bad file that was summarised": (
        lambda: evidence(sent=[replace(_GOOD, planned=_BAD.planned), _BAD]),
        "bad.txt: succeeded , not failed empty",
    ),
    "a bad file that failed for something else": (
        lambda: evidence(
            histories=evidence().histories
            | {BAD_JOB_ID: history(failed("deadline", id=BAD_JOB_ID))}
        ),
        "bad.txt: failed deadline, not failed empty",
    ),
    "a failure without a reason": (
        lambda: evidence(
            histories=evidence().histories
            | {BAD_JOB_ID: history(failed("empty", id=BAD_JOB_ID, reason=""))}
        ),
        "bad.txt: it failed without a reason",
    ),
    "a missing summary": (lambda: evidence(stored=[]), "good.txt: succeeded, with 0 summaries"),
    "a summary written twice": (
        lambda: evidence(stored=[_STORED, replace(_STORED, is_latest=False)]),
        "good.txt: succeeded, with 2 summaries",
    ),
    "a summary of a failed job": (
        lambda: evidence(stored=[_STORED, replace(_STORED, job_id=BAD_JOB_ID, is_latest=False)]),
        "bad.txt: failed, with 1 summaries",
    ),
    "a summary at another key": (
        lambda: evidence(stored=[replace(_STORED, key="summaries/other.txt")]),
        "not at its key",
    ),
    "an empty summary": (
        lambda: evidence(stored=[replace(_STORED, text="\n")]),
        "its summary is empty",
    ),
    "a summary with other words": (
        lambda: evidence(stored=[replace(_STORED, text="Two words.\n")]),
        "has not the words that its record says",
    ),
    "a kept answer that RunPod never returned": (
        lambda: evidence(requests=[replace(_REQUEST, text="Something else")]),
        "what is kept of call 1-0 is not what RunPod returned",
    ),
    "a kept answer that RunPod returned for another job": (
        lambda: evidence(requests=[replace(_REQUEST, job_id=BAD_JOB_ID)]),
        "what is kept of call 1-0 is not what RunPod returned",
    ),
    "a summary that its answers do not make": (
        lambda: evidence(**answered("Another answer, which says that the pump 4 holds.")),
        "not what the answers of its calls make",
    ),
    "a refusal that was published": (
        lambda: evidence(**answered(REFUSAL)),
        "not what the answers of its calls make",
    ),
    "a job given up for what the model did not do": (
        lambda: evidence(**declined("model-unusable")),
        "good.txt: a good file, .* failed: model-unusable",
    ),
    "a summary of nobody's job": (
        lambda: evidence(stored=[_STORED, replace(_STORED, job_id="", is_latest=False)]),
        "a summary of no job",
    ),
    "facts of another job": (
        lambda: evidence(stored=[replace(_STORED, facts_job_id=BAD_JOB_ID)]),
        "beside facts of",
    ),
    "an older version's summary standing": (
        lambda: evidence(
            sent=[_GOOD, replace(_GOOD, job_id=BAD_JOB_ID)],
            histories={
                JOB_ID: evidence().histories[JOB_ID],
                BAD_JOB_ID: history(succeeded(id=BAD_JOB_ID)),
            },
            stored=[_STORED, replace(_STORED, job_id=BAD_JOB_ID, is_latest=False)],
        ),
        "not the summary of its newest version",
    ),
    "more requests than attempts": (
        lambda: evidence(requests=[_REQUEST] * 4),
        "call 1-0 cost 4 requests, not 3",
    ),
    "a request for a call that is not recorded": (
        lambda: evidence(requests=[_REQUEST, replace(_REQUEST, call_id="9-9")]),
        "call 9-9, which is not recorded",
    ),
    "an audit that ends differently": (
        lambda: evidence(
            histories=of_the_good_file(history(succeeded(), _CALL, ends=("active -> failed",)))
        ),
        "its audit says active -> failed",
    ),
    "an audit with two ends": (
        lambda: evidence(
            histories=of_the_good_file(
                history(succeeded(), _CALL, ends=("active -> succeeded",) * 2)
            )
        ),
        "its audit says active -> succeeded, active -> succeeded",
    ),
    "a call that is still due": (lambda: evidence(due=[(JOB_ID, "1-0")]), "call 1-0 is still due"),
    "a job that is still due": (
        lambda: evidence(due=[(JOB_ID, "")]),
        "the job itself is still due",
    ),
    "a message left": (lambda: evidence(queued=1), "1 messages are left"),
    "a dead letter": (lambda: evidence(dead_letters=2), "2 messages are in the dead-letter queue"),
    "a token in a log line": (
        lambda: evidence(log_lines={"SweeperFunction": ["POST /webhook/x/t0ken"]}),
        "SweeperFunction: its log holds a token",
    ),
    "a log that is empty": (
        lambda: evidence(log_lines={"SweeperFunction": []}),
        "SweeperFunction: it logged nothing",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_checks_find(name: str) -> None:
    make, said = WRONG[name]

    found = wrong(make())

    assert [line for line in found if _matches(said, line)], found


def _matches(pattern: str, line: str) -> bool:

    return re.search(pattern, line) is not None


@pytest.mark.parametrize("uploads", [6, 12, 100])
def test_a_load_has_the_requested_size_and_is_the_same_for_the_same_seed(uploads: int) -> None:
    load = planned_load(uploads, seed=3)

    assert len(load) == uploads
    assert load == planned_load(uploads, seed=3)
    assert load != planned_load(uploads, seed=4)


def test_a_load_has_long_files_bad_files_and_files_that_are_replaced() -> None:
    load = planned_load(12, seed=3)

    assert any(len(each.body) > 40_000 and not each.fails_as for each in load)
    assert any(each.fails_as for each in load)
    keys = [each.key for each in load]
    replaced = [number for number, each in enumerate(load) if each.is_replaced]
    assert replaced
    assert all(load[number].key in keys[number + 1 :] for number in replaced)


def test_no_key_occurs_twice_unless_it_is_replaced() -> None:
    load = planned_load(200, seed=3)

    once = [each.key for each in load if not each.is_replaced]

    assert len(once) == len(set(once))

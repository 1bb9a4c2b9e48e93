"""The soak's checks accept a soak that lost nothing, and each of them can fail."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.jobs.model import JOINED, Call, CallState, Job
from core.words import count_words
from local.round_trip import History, Upload
from local.soak.checks import wrong
from local.soak.evidence import Evidence, Sent, Stored, SummaryOptions
from local.soak.load import Planned, planned_load
from tests.builders import JOB_ID, SUMMARY_TEXT, a_call, a_job, a_summary, an_event

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
_STORED_TEXT = SUMMARY_TEXT + "\n"
_REQUEST = SummaryOptions(
    runpod_id="rp-1",
    job_id=JOB_ID,
    call_id="whole",
    text=SUMMARY_TEXT,
    is_callback_lost=False,
    answers=(200,),
    token="t0ken",
)
_STORED = Stored(
    key=a_job().summary_key,
    job_id=JOB_ID,
    text=_STORED_TEXT,
    is_latest=True,
    facts_job_id=JOB_ID,
)


def succeeded(**changes: Any) -> Job:
    summary = a_summary(words=count_words(SUMMARY_TEXT))
    return replace(a_job().with_success(summary, an_event()), **changes)


def failed(code: str, **changes: Any) -> Job:
    return replace(a_job().with_failure(code, an_event(why="because")), **changes)


def history(job: Job, *calls: Call, ends: tuple[str, ...] | None = None) -> History:
    whats = (f"active -> {job.state}",) if ends is None else ends
    return History(job, list(calls), [an_event(what=what) for what in ("recorded", *whats)])


def evidence(**changes: Any) -> Evidence:
    """The evidence of a soak of two files, a good one and an empty one, that lost nothing."""
    default = Evidence(
        sent=[_GOOD, _BAD],
        histories={
            JOB_ID: history(succeeded(), a_call(CallState.SUCCEEDED)),
            BAD_JOB_ID: history(failed("empty", id=BAD_JOB_ID)),
        },
        requests=[_REQUEST],
        stored=[_STORED],
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


def joined_from(texts: list[str], stored: str) -> Evidence:
    """A summary put together from two calls' texts."""
    summary = a_summary(call_id=JOINED, runpod_id="", words=count_words(stored))
    job = succeeded(summary=summary, slots=("2-0", "2-1"))
    calls = [a_call(CallState.SUCCEEDED, id=slot) for slot in job.slots]
    requests = [
        replace(_REQUEST, runpod_id=f"rp-{slot}", call_id=slot, text=text)
        for slot, text in zip(job.slots, texts, strict=True)
    ]
    return evidence(
        histories=of_the_good_file(history(job, *calls)),
        requests=requests,
        stored=[replace(_STORED, text=stored)],
    )


def test_nothing_is_wrong_with_a_soak_that_lost_nothing() -> None:
    assert wrong(evidence()) == []


def test_nothing_is_wrong_with_a_summary_joined_from_what_runpod_returned() -> None:
    assert wrong(joined_from(["One part.", "Another part."], "One part.\n\nAnother part.\n")) == []


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
    return {"histories": of_the_good_file(history(job, call)), "requests": [], "stored": []}


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
        "its call whole is submitted",
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
    "a text that RunPod never returned": (
        lambda: evidence(requests=[replace(_REQUEST, text="Something else")]),
        "not what RunPod returned",
    ),
    "a text that RunPod returned for another job": (
        lambda: evidence(requests=[replace(_REQUEST, job_id=BAD_JOB_ID)]),
        "not what RunPod returned",
    ),
    "parts joined in the wrong order": (
        lambda: joined_from(["One part.", "Another part."], "Another part.\n\nOne part.\n"),
        "not what RunPod returned",
    ),
    "a part that RunPod never returned": (
        lambda: joined_from(["One part.", ""], "One part.\n"),
        "not what RunPod returned",
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
        "call whole cost 4 requests, not 3",
    ),
    "a request for a call that is not recorded": (
        lambda: evidence(requests=[_REQUEST, replace(_REQUEST, call_id="9-9")]),
        "call 9-9, which is not recorded",
    ),
    "an audit that ends differently": (
        lambda: evidence(
            histories=of_the_good_file(
                history(succeeded(), a_call(CallState.SUCCEEDED), ends=("active -> failed",))
            )
        ),
        "its audit says active -> failed",
    ),
    "an audit with two ends": (
        lambda: evidence(
            histories=of_the_good_file(
                history(succeeded(), a_call(CallState.SUCCEEDED), ends=("active -> succeeded",) * 2)
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

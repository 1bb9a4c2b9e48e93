"""Worlds with a job in each of the situations that a callback can meet."""

from dataclasses import replace
from random import Random
from typing import Any

from core.aws.files import S3Summaries
from core.jobs.call import Call, CallState
from core.jobs.callback import CallRef
from core.jobs.job import WHOLE, Job
from core.runpod.reports import parse_report
from tests.builders import (
    NOON,
    a_call,
    a_job,
    a_manifest,
    a_pull_call,
    a_pull_job,
    a_report,
    a_source,
    a_summary,
    an_event,
    completed_body,
    manifest_body,
)
from tests.fakes.memory import MemoryRunPod
from tests.fuzz.receiver import CANARY, CURRENT, OUTPUT_BUCKET, PREVIOUS, ReceiverHarness

_TRUE_TEXT = f"# {CANARY} as RunPod has it\n\nMara said that the pump holds. Ilse wants another."


def a_world(rng: Random) -> ReceiverHarness:
    """Return a harness with a job in each of the situations that a callback can meet."""
    harness = ReceiverHarness(runpod=MemoryRunPod() if rng.random() < 0.1 else None)
    for number, situate in enumerate(_SITUATIONS):
        job_id = f"{number:02x}{rng.getrandbits(120):030x}"
        situate(harness, job_id, f"calls/{number}.txt")
    for call in harness.store.contents[1].values():
        harness.refs += [CallRef(call.job_id, call.id, each.number) for each in call.attempts]
        _tell_runpod(harness, call)
    now, before = CURRENT.decode(), PREVIOUS.decode()
    rotating = {"current": now, "previous": before}
    harness.prime(rng.choice([rotating, {"current": before, "previous": ""}]), rotating)
    return harness


def _tell_runpod(harness: ReceiverHarness, call: Call) -> None:
    """Let the RunPod that verifies have a result for each request of a call."""
    if harness.runpod:
        for each in call.attempts:
            if each.runpod_id:
                body = completed_body(_TRUE_TEXT, id=each.runpod_id)
                if call.id == WHOLE:
                    manifest = a_manifest(_TRUE_TEXT.encode(), text=_TRUE_TEXT)
                    body = manifest_body(manifest, id=each.runpod_id)
                harness.runpod.reports[each.runpod_id] = parse_report(body)


def _put(
    harness: ReceiverHarness, job_id: str, key: str, *calls: Call, **changes: Any
) -> tuple[Job, list[Call]]:
    """Record a job and its calls; RunPod's ids are made unlike any other job's."""
    make_job = a_pull_job if calls[0].id == WHOLE else a_job
    job = make_job(id=job_id, source=a_source(key=key), summary_key=f"summaries/{key}", **changes)
    own = [
        replace(
            call,
            job_id=job_id,
            attempts=tuple(
                replace(each, runpod_id=each.runpod_id and f"{each.runpod_id}-{job_id[:8]}-u1")
                for each in call.attempts
            ),
        )
        for call in calls
    ]
    harness.store.create(job, own)
    return job, own


def _alone(state: CallState, attempts: int = 1, **changes: Any) -> Any:
    def situate(harness: ReceiverHarness, job_id: str, key: str) -> None:
        _put(harness, job_id, key, a_call(state, attempts=attempts, **changes))

    return situate


def _pulled(state: CallState, attempts: int = 1) -> Any:
    def situate(harness: ReceiverHarness, job_id: str, key: str) -> None:
        _put(harness, job_id, key, a_pull_call(state, attempts=attempts))

    return situate


def _ended(state: CallState) -> Any:
    def situate(harness: ReceiverHarness, job_id: str, key: str) -> None:
        job, calls = _put(harness, job_id, key, a_call(state))
        if state is CallState.SUCCEEDED:
            summary = a_summary(runpod_id=calls[0].attempt.runpod_id)
            S3Summaries(harness.s3, OUTPUT_BUCKET).publish(  # type: ignore[arg-type]
                job, summary, a_report().text, {}, now=NOON
            )
            harness.store.save_job(job.with_success(summary, an_event()))
        else:
            harness.store.save_job(job.with_failure("deadline", an_event(why="too late")))

    return situate


def _left_behind(harness: ReceiverHarness, job_id: str, key: str) -> None:
    """Record a call whose job has ended without it."""
    job, _ = _put(harness, job_id, key, a_call())
    harness.store.save_job(job.with_failure("deadline", an_event(why="too late")))


def _of_a_stage(harness: ReceiverHarness, job_id: str, key: str) -> None:
    """Record three calls of a stage of notes; one is done, two are with RunPod."""
    calls = [
        replace(a_call(state), id=f"1-{index}", ask=f"notes-1-{index}")
        for index, state in enumerate(
            [CallState.SUCCEEDED, CallState.SUBMITTED, CallState.SUBMITTED]
        )
    ]
    _put(harness, job_id, key, *calls, stage_calls=3, done=frozenset({"1-0"}))


_SITUATIONS = (
    _alone(CallState.SUBMITTED),
    _alone(CallState.SUBMITTED),
    _alone(CallState.SUBMITTED, 2),
    _alone(CallState.SUBMITTED, 3),
    _alone(CallState.SUBMITTED, ask="outline", words=0),
    _alone(CallState.SUBMITTING),
    _alone(CallState.SUBMITTING, 2),
    _alone(CallState.WAITING),
    _alone(CallState.WAITING, 2),
    _alone(CallState.PUBLISHING),
    _ended(CallState.SUCCEEDED),
    _ended(CallState.FAILED),
    _ended(CallState.CANCELLED),
    _left_behind,
    _of_a_stage,
    _pulled(CallState.SUBMITTED),
    _pulled(CallState.SUBMITTED, 2),
    _pulled(CallState.SUBMITTING),
    _pulled(CallState.WAITING),
    _pulled(CallState.PUBLISHING),
)

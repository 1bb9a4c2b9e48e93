"""What a true token may change: its own call and job, by the moves that docs/architecture.md lists."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState
from core.jobs.callback import CallRef
from core.jobs.job import JobState
from tests.fuzz.receiver import CANARY, Picture

_PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def of_others(ref: CallRef, before: Picture, after: Picture) -> Iterator[str]:
    own = (ref.job_id, ref.call_id)
    if {k: v for k, v in before.jobs.items() if k != ref.job_id} != {
        k: v for k, v in after.jobs.items() if k != ref.job_id
    } or {k: v for k, v in before.calls.items() if k != own} != {
        k: v for k, v in after.calls.items() if k != own
    }:
        yield "changed another job or call"
    for job_id, events in after.events.items():
        if job_id != ref.job_id and events != before.events[job_id]:
            yield "wrote into another job's audit"
    if after.events[ref.job_id][: len(before.events[ref.job_id])] != before.events[ref.job_id]:
        yield "changed the audit"
    if after.attempts_wanted[: len(before.attempts_wanted)] != before.attempts_wanted:
        yield "took a message back"
    for job_id, call_id, _ in after.attempts_wanted[len(before.attempts_wanted) :]:
        if (job_id, call_id) != own:
            yield "asked for an attempt of another call"
    if set(after.stages_wanted[len(before.stages_wanted) :]) - {ref.job_id}:
        yield "asked for a stage of another job"


def of_transitions(ref: CallRef, before: Picture, after: Picture) -> Iterator[str]:
    key = (ref.job_id, ref.call_id)
    was, now = before.calls[key], after.calls[key]
    job_was, job_now = before.jobs[ref.job_id], after.jobs[ref.job_id]
    pending_events = after.events[ref.job_id][len(before.events[ref.job_id]) :]
    yield from _of_path(was.state, now.state, pending_events)
    yield from _of_attempts(was, now)
    if job_was.is_final and job_now != job_was:
        yield "changed a job that had ended"
    if job_now.state is not job_was.state and now.state is was.state:
        yield "ended a job without its call"
    if any(CANARY in f"{event.what}{event.why}{event.detail}" for event in pending_events):
        yield "wrote something of the request into the audit"
    wanted = after.attempts_wanted[len(before.attempts_wanted) :]
    if (now.state is CallState.WAITING and was.state is not CallState.WAITING) != bool(wanted):
        yield "left a call waiting without a message, or sent one without"
    if now.state in {CallState.WAITING, CallState.PUBLISHING} and now.due_at is None:
        yield "left an open call that nobody looks at again"


def _of_path(start: CallState, end: CallState, pending_events: list[AuditEvent]) -> Iterator[str]:
    """The audit must lead from one state to the other without a gap, by documented transitions only."""
    here = start
    for event in pending_events:
        if not event.to_state or event.from_state == JobState.ACTIVE:
            continue
        if event.from_state != here:
            yield f"recorded a transition from {event.from_state} of a call that was {here}"
        if (event.from_state, event.to_state) not in receivers_moves():
            yield f"moved a call from {event.from_state} to {event.to_state}"
        here = CallState(event.to_state)
    if here is not end:
        yield f"left a call {end} whose audit ends with {here}"


@cache
def receivers_moves() -> frozenset[tuple[str, str]]:
    """Return the moves that docs/architecture.md lets the receiver make."""
    rows = re.findall(
        r"^\| \w \| `(\w+)` → `(\w+)` \| ([^|]*) \|",
        _PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return frozenset((start, end) for start, end, who in rows if "receiver" in who)


def _of_attempts(was: Call, now: Call) -> Iterator[str]:
    if len(was.attempts) != len(now.attempts):
        yield "began or forgot an attempt"
        return
    for old, new in zip(was.attempts, now.attempts, strict=True):
        if (old.number, old.begun_at) != (new.number, new.begun_at):
            yield "changed when an attempt began"
        if old.runpod_id and old.runpod_id != new.runpod_id:
            yield "changed which request an attempt is"
    if was.is_final and was.state is not now.state:
        yield "moved a call that had ended"

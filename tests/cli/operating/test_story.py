"""Every second of a job is in one place: at RunPod's queue, on a GPU, on its way, or ours."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cli.deployment import History
from cli.operating.story import story_of
from core.jobs.audit import AuditEvent
from core.jobs.call import Attempt, CallState
from tests.builders import NOON, a_call, a_job, a_source


def moved(
    seconds: float, what: str, *, by: str = "webhook_receiver", why: str = "", **detail: int
) -> AuditEvent:
    first, _, last = what.partition(" -> ")
    moment = NOON + timedelta(seconds=seconds)
    return AuditEvent(at=moment, by=by, from_state=first, to_state=last, why=why, detail=detail)


SENT = [
    moved(1, "waiting -> submitting", attempt=1),
    moved(2, "submitting -> submitted", attempt=1),
]


def told(*audits: list[AuditEvent], ended: float, attempts: int = 1) -> dict[str, float]:
    """Return where the time went of a job whose calls had these audits."""
    history = history_of(*audits, ended=ended, attempts=attempts)
    seconds = story_of(history, now=NOON + timedelta(hours=5)).seconds
    return {kind: value for kind, value in seconds.items() if value}


def history_of(*audits: list[AuditEvent], ended: float, attempts: int = 1) -> History:
    made = tuple(Attempt(number=n, begun_at=NOON) for n in range(1, attempts + 1))
    calls = [
        a_call(CallState.SUCCEEDED, id=f"1-{number}", attempts=attempts)
        for number in range(len(audits))
    ]
    calls = [replace(call, attempts=made) for call in calls]
    job = a_job(finished_at=NOON + timedelta(seconds=ended), source=a_source(uploaded_at=NOON))
    return History(
        job, calls, [], {call.id: events for call, events in zip(calls, audits, strict=True)}
    )


def returned(seconds: float, *, queued: float, ran: float, attempt: int = 1) -> AuditEvent:
    return moved(
        seconds,
        "submitted -> publishing",
        attempt=attempt,
        queued_ms=int(queued * 1000),
        ran_ms=int(ran * 1000),
    )


def test_a_call_waits_runs_and_comes_back() -> None:
    seconds = told([*SENT, returned(17, queued=4, ran=10)], ended=20)

    assert seconds == {"queue": 4, "gpu": 10, "callback": 1, "ours": 5}


def test_calls_side_by_side_are_counted_once_and_the_gpu_goes_first() -> None:
    first = [*SENT, returned(12, queued=0, ran=10)]
    second = [*SENT, returned(17, queued=10, ran=5)]

    assert told(first, second, ended=17) == {"gpu": 15, "ours": 2}


def test_a_wait_for_another_attempt_is_no_work_of_ours() -> None:
    audit = [
        *SENT,
        moved(10, "submitted -> waiting", why="RunPod lost it", attempt=1),
        moved(15, "waiting -> submitting", attempt=2),
        moved(15, "submitting -> submitted", attempt=2),
        returned(25, queued=0, ran=10, attempt=2),
    ]

    seconds = told(audit, ended=25, attempts=2)

    assert seconds == {"queue": 8, "gpu": 10, "waiting": 5, "ours": 2}


def test_a_lost_callback_is_seen_in_the_time_until_the_sweeper_came() -> None:
    seconds = told([*SENT, returned(300, queued=0, ran=10)], ended=300)

    assert seconds["callback"] == 288


def test_figures_of_runpod_that_do_not_fit_its_time_are_shortened_alike() -> None:
    seconds = told([*SENT, returned(12, queued=8, ran=40)], ended=12)

    assert seconds == {"queue": 2, "gpu": 10}


def test_a_request_that_was_written_down_late_ran_when_runpod_says() -> None:
    written_late = [SENT[0], moved(11, "submitting -> submitted", attempt=1)]

    seconds = told([*written_late, returned(12, queued=1, ran=9)], ended=12)

    assert seconds == {"queue": 1, "gpu": 9, "ours": 2}


@pytest.mark.parametrize("ended", [3, 60])
def test_an_open_request_counts_as_waiting_for_a_worker(ended: float) -> None:
    assert told(SENT, ended=ended) == {"queue": ended - 2, "ours": 2}


def test_who_found_a_result_and_what_went_wrong_stand_with_the_attempt() -> None:
    lost = moved(10, "submitted -> waiting", by="sweeper", why="RunPod lost it", attempt=1)
    story = story_of(history_of([*SENT, lost], ended=20), now=NOON)

    (attempt,) = story.calls[0].attempts
    assert (attempt.found_by, attempt.why) == ("sweeper", "RunPod lost it")

"""What a job leaves open when it ends: nobody waits for it, and every minute of a GPU costs money."""

from dataclasses import replace

import pytest

from core.errors import RunPodFailed
from core.failures import Failure
from core.jobs.call import Call, CallState
from sweeper.looks import RUNPOD_PATIENCE
from tests.builders import JOB_ID, NOON, a_call, a_job, an_event, minutes
from tests.functions.sweeping import SweeperSetup

LATER = NOON + minutes(40)  # the next ask about a call that was asked about before


@pytest.fixture
def setup() -> SweeperSetup:
    return SweeperSetup()


def a_stage(setup: SweeperSetup, *others: Call) -> None:
    """Record a job of several calls, and let its first one fail it."""
    first = a_call(id="1-0", stage=1)
    calls = [first, *(replace(call, id=f"1-{n}", stage=1) for n, call in enumerate(others, 1))]
    setup.store.create(a_job(stage_calls=len(calls)), calls)
    job, call = setup.store.load(JOB_ID, "1-0")
    setup.lifecycle.fail(job, call, Failure("unanswered"), now=setup.now)


def test_a_call_of_a_job_that_has_ended_is_cancelled_and_closed(setup: SweeperSetup) -> None:
    setup.store.create(a_job().with_failure("x", an_event()), [a_call()])

    setup.sweep()

    assert setup.states == ("failed", "cancelled")
    assert setup.runpod.cancelled == ["rp-1"]


def test_requests_of_a_failed_job_are_cancelled_in_the_next_sweep(setup: SweeperSetup) -> None:
    a_stage(setup, a_call(polls=3, due_at=LATER), a_call(polls=1, due_at=LATER))

    setup.sweep()

    assert setup.runpod.cancelled == ["rp-1", "rp-1"]
    assert [setup.store.load(JOB_ID, name)[1].state for name in ("1-1", "1-2")] == ["cancelled"] * 2


def test_a_call_of_a_failed_job_that_waits_is_closed(setup: SweeperSetup) -> None:
    a_stage(setup, a_call(CallState.WAITING, due_at=LATER))

    setup.sweep()

    assert setup.store.load(JOB_ID, "1-1")[1].state == "cancelled"
    assert setup.runpod.cancelled == []


@pytest.mark.parametrize("state", [CallState.SUBMITTING, CallState.PUBLISHING])
def test_a_call_in_progress_is_left_until_it_is_due(setup: SweeperSetup, state: CallState) -> None:
    a_stage(setup, a_call(state, due_at=LATER))

    setup.sweep()
    assert setup.store.load(JOB_ID, "1-1")[1].state == state
    setup.now = LATER
    setup.sweep()
    assert setup.store.load(JOB_ID, "1-1")[1].state == "cancelled"


def test_a_failed_job_is_swept_until_none_of_its_calls_is_open(setup: SweeperSetup) -> None:
    a_stage(setup, a_call(due_at=LATER))

    setup.sweep()
    assert setup.store.load_job(JOB_ID).due_at is not None
    setup.sweep()
    assert setup.store.load_job(JOB_ID).due_at is None
    assert list(setup.store.due(NOON + minutes(9_999))) == []


def test_a_failed_job_of_one_call_is_not_swept_again(setup: SweeperSetup) -> None:
    a_stage(setup)

    assert list(setup.store.due(NOON + minutes(9_999))) == []


def test_a_cancellation_that_fails_is_tried_again(setup: SweeperSetup) -> None:
    a_stage(setup, a_call(due_at=LATER))
    setup.runpod.unreachable = RunPodFailed("502")

    setup.sweep()
    assert setup.store.load(JOB_ID, "1-1")[1].state == "submitted"
    setup.runpod.unreachable = None
    setup.sweep()
    assert setup.runpod.cancelled == ["rp-1"]


def test_a_call_is_closed_in_the_end_though_its_request_can_not_be_cancelled(
    setup: SweeperSetup,
) -> None:
    a_stage(setup, a_call(due_at=LATER))
    setup.runpod.unreachable = RunPodFailed("502")
    setup.now += RUNPOD_PATIENCE

    setup.sweep()

    assert setup.store.load(JOB_ID, "1-1")[1].state == "cancelled"

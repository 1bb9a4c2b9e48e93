"""What a job leaves open when it ends: nobody waits for it, and every minute of a GPU costs money."""

from dataclasses import replace

import pytest

from core.errors import RunPodFailed
from core.failures import Failure
from core.jobs.call import Call, CallState
from sweeper.polling import RUNPOD_PATIENCE
from tests.builders import JOB_ID, NOON, a_call, a_job, an_event, minutes
from tests.functions.sweeping import World

LATER = NOON + minutes(40)  # the next ask about a call that was asked about before


@pytest.fixture
def world() -> World:
    return World()


def a_stage(world: World, *others: Call) -> None:
    """Record a job of several calls, and let its first one fail it."""
    first = a_call(id="1-0", stage=1)
    calls = [first, *(replace(call, id=f"1-{n}", stage=1) for n, call in enumerate(others, 1))]
    slots = tuple(call.id for call in calls)
    world.store.create(a_job(slots=slots, stage=1, stage_calls=len(calls)), calls)
    job, call = world.store.load(JOB_ID, "1-0")
    world.lifecycle.fail(job, call, Failure("unanswered"), now=world.now)


def test_a_call_of_a_job_that_has_ended_is_cancelled_and_closed(world: World) -> None:
    world.store.create(a_job().with_failure("x", an_event()), [a_call()])

    world.sweep()

    assert world.states == ("failed", "cancelled")
    assert world.runpod.cancelled == ["rp-1"]


def test_requests_of_a_failed_job_are_cancelled_in_the_next_sweep(world: World) -> None:
    a_stage(world, a_call(polls=3, due_at=LATER), a_call(polls=1, due_at=LATER))

    world.sweep()

    assert world.runpod.cancelled == ["rp-1", "rp-1"]
    assert [world.store.load(JOB_ID, name)[1].state for name in ("1-1", "1-2")] == ["cancelled"] * 2


def test_a_call_of_a_failed_job_that_waits_is_closed(world: World) -> None:
    a_stage(world, a_call(CallState.WAITING, due_at=LATER))

    world.sweep()

    assert world.store.load(JOB_ID, "1-1")[1].state == "cancelled"
    assert world.runpod.cancelled == []


@pytest.mark.parametrize("state", [CallState.SUBMITTING, CallState.PUBLISHING])
def test_a_call_that_somebody_is_at_is_left_until_it_is_due(world: World, state: CallState) -> None:
    a_stage(world, a_call(state, due_at=LATER))

    world.sweep()
    assert world.store.load(JOB_ID, "1-1")[1].state == state
    world.now = LATER
    world.sweep()
    assert world.store.load(JOB_ID, "1-1")[1].state == "cancelled"


def test_a_failed_job_is_looked_at_until_nothing_of_it_is_open(world: World) -> None:
    a_stage(world, a_call(due_at=LATER))

    world.sweep()
    assert world.store.load_job(JOB_ID).due_at is not None
    world.sweep()
    assert world.store.load_job(JOB_ID).due_at is None
    assert list(world.store.due(NOON + minutes(9_999))) == []


def test_a_job_of_one_call_is_not_looked_at_again(world: World) -> None:
    a_stage(world)

    assert list(world.store.due(NOON + minutes(9_999))) == []


def test_a_cancellation_that_fails_is_tried_again(world: World) -> None:
    a_stage(world, a_call(due_at=LATER))
    world.runpod.unreachable = RunPodFailed("502")

    world.sweep()
    assert world.store.load(JOB_ID, "1-1")[1].state == "submitted"
    world.runpod.unreachable = None
    world.sweep()
    assert world.runpod.cancelled == ["rp-1"]


def test_a_call_is_closed_in_the_end_though_its_request_can_not_be_cancelled(world: World) -> None:
    a_stage(world, a_call(due_at=LATER))
    world.runpod.unreachable = RunPodFailed("502")
    world.now += RUNPOD_PATIENCE

    world.sweep()

    assert world.store.load(JOB_ID, "1-1")[1].state == "cancelled"

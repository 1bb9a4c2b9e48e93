"""Where a job's time went: the parts add up to the whole, whatever ran side by side."""

from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jobs.durations import intervals_of, request_intervals, time_spent
from tests.builders import NOON, an_event


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_request_waited_and_ran_before_we_heard_of_its_end() -> None:
    requests = request_intervals(NOON + seconds(90), seconds(20), seconds(60))

    assert time_spent(requests, NOON, NOON + seconds(100)) == {
        "in_queue_ms": 20_000,
        "on_gpu_ms": 60_000,
        "ours_ms": 20_000,
    }


def test_a_second_in_which_one_request_runs_is_the_gpus_though_others_wait() -> None:
    requests = chain(
        request_intervals(NOON + seconds(60), seconds(0), seconds(60)),
        request_intervals(NOON + seconds(90), seconds(60), seconds(30)),
    )

    spent = time_spent(requests, NOON, NOON + seconds(90))

    assert spent == {"in_queue_ms": 0, "on_gpu_ms": 90_000, "ours_ms": 0}


def test_what_runpod_says_beyond_the_jobs_own_time_is_cut() -> None:
    requests = request_intervals(NOON + seconds(10), seconds(500), seconds(5))

    spent = time_spent(requests, NOON, NOON + seconds(10))

    assert spent == {"in_queue_ms": 5_000, "on_gpu_ms": 5_000, "ours_ms": 0}


@pytest.mark.parametrize("what", ["submitting -> waiting", "submitted -> failed"])
def test_a_lost_attempt_ran_too(what: str) -> None:
    event = an_event(NOON + seconds(60), what, detail={"queued_ms": 10_000, "ran_ms": 40_000})

    spent = time_spent(intervals_of([event]), NOON, NOON + seconds(60))

    assert spent == {"in_queue_ms": 10_000, "on_gpu_ms": 40_000, "ours_ms": 10_000}


def test_an_event_that_ends_no_request_says_nothing_about_one() -> None:
    of_job = an_event(NOON + seconds(60), "active -> succeeded", detail={"ran_ms": 40_000})
    not_told = an_event(NOON + seconds(60), "submitted -> waiting")

    assert list(intervals_of([of_job, not_told])) == []


spans = st.tuples(*[st.floats(0, 1_000)] * 3)


@given(st.lists(spans, max_size=8), st.floats(0, 500))
def test_the_parts_add_up_to_the_whole(
    requests: list[tuple[float, float, float]], whole: float
) -> None:
    intervals = [
        interval
        for heard, queued, ran in requests
        for interval in request_intervals(NOON + seconds(heard), seconds(queued), seconds(ran))
    ]

    spent = time_spent(intervals, NOON, NOON + seconds(whole))

    assert sum(map(int, spent.values())) == pytest.approx(whole * 1000, abs=3)
    assert all(int(part) >= 0 for part in spent.values())

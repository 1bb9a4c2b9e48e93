"""The state engine alone: no clock, no network."""

import itertools

import pytest

from runpod_simulator.config import Limit
from runpod_simulator.fault_plan import FaultPlan
from runpod_simulator.job_queue import JobQueue
from runpod_simulator.jobs import IllegalTransition, JobRequest, JobResult, JobStatus
from runpod_simulator.rate_limits import RateLimiter

ARROWS = {
    ("IN_QUEUE", "IN_PROGRESS"),
    ("IN_QUEUE", "CANCELLED"),
    ("IN_PROGRESS", "IN_QUEUE"),
    ("IN_PROGRESS", "COMPLETED"),
    ("IN_PROGRESS", "FAILED"),
    ("IN_PROGRESS", "CANCELLED"),
    ("IN_PROGRESS", "TIMED_OUT"),
    ("FAILED", "IN_QUEUE"),
    ("TIMED_OUT", "IN_QUEUE"),
}


def a_request(**changes):
    given = {
        "input": {"x": 1},
        "webhook": "https://example.org/hook",
        "execution_timeout_seconds": 600.0,
        "ttl_seconds": 1_000.0,
        "retention_seconds": 300.0,
    }
    return JobRequest(**(given | changes))


def a_queue(**changes):
    return JobQueue(**({"max_workers": 3, "queue_delay_seconds": 2.0} | changes))


def submitted(queue, now=0.0, plan=None, **changes):
    return queue.submit(a_request(**changes), plan or FaultPlan(), (), now)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(JobStatus, JobStatus)))
def test_a_job_moves_along_the_arrows_and_no_other_way(before, after):
    job = submitted(a_queue())
    job.status = before

    if (before.value, after.value) in ARROWS:
        job.transition_to(after)
        assert job.status is after
    else:
        with pytest.raises(IllegalTransition):
            job.transition_to(after)
        assert job.status is before


def test_the_final_states_are_runpods_four():
    assert {status.value for status in JobStatus if status.is_final} == {
        "COMPLETED",
        "FAILED",
        "CANCELLED",
        "TIMED_OUT",
    }


def test_no_worker_takes_a_job_before_the_queue_delay_is_over():
    queue = a_queue()
    job = submitted(queue, now=10.0)

    assert queue.start_ready(11.9) == []
    assert queue.start_ready(12.0) == [job]
    assert job.status_body()["delayTime"] == 2_000


def test_jobs_start_first_come_first_served_on_as_many_workers_as_there_are():
    queue = a_queue(max_workers=2)
    first, second, third = (submitted(queue, now=float(number)) for number in range(3))

    assert queue.start_ready(50.0) == [first, second]
    queue.finish(first, JobResult(status=JobStatus.COMPLETED, output=["x"]), 60.0, 10.0)
    assert queue.start_ready(60.0) == [third]
    assert len({first.worker_id, second.worker_id}) == 2
    assert third.worker_id == first.worker_id


def test_without_workers_nothing_starts():
    queue = a_queue(max_workers=0)
    submitted(queue)

    assert queue.start_ready(500.0) == []


def test_a_retry_by_the_platform_counts_delay_time_anew():
    queue = a_queue(queue_delay_seconds=30.0)
    job = submitted(queue)
    queue.start_ready(30.0)

    queue.requeue(job, 100.0)
    queue.start_ready(100.5)

    body = job.status_body()
    assert (body["delayTime"], body["retries"]) == (500, 1)


def test_the_webhook_body_is_the_status_without_the_worker_with_input_and_webhook():
    queue = a_queue()
    job = submitted(queue)
    queue.start_ready(2.0)
    queue.finish(job, JobResult(status=JobStatus.COMPLETED, output=["x"]), 5.0, 3.0)

    status, webhook = job.status_body(), job.webhook_body()

    del status["workerId"]
    assert webhook == status | {"input": {"x": 1}, "webhook": "https://example.org/hook"}
    assert list(webhook) == sorted(webhook)


def test_a_cancelled_job_has_no_times():
    queue = a_queue()
    job = submitted(queue)
    queue.start_ready(2.0)

    queue.cancel(job, 3.0)

    assert job.status_body().keys() == {"id", "status"}
    assert job.webhook_body().keys() == {"id", "status", "input", "webhook"}


def test_the_ttl_counts_from_submission_in_every_state():
    queue = a_queue(max_workers=1)
    running, waiting = submitted(queue, ttl_seconds=50.0), submitted(queue, ttl_seconds=50.0)
    queue.start_ready(2.0)

    assert queue.find(running.id, 49.9) is running
    assert queue.find(running.id, 50.0) is None
    assert queue.remove_expired(50.0) == [running, waiting]


def test_a_finished_job_is_kept_for_its_retention_or_its_ttl_whichever_ends_first():
    queue = a_queue()
    kept, cut_off = submitted(queue), submitted(queue, ttl_seconds=100.0)
    queue.start_ready(2.0)
    for job in (kept, cut_off):
        queue.finish(job, JobResult(status=JobStatus.COMPLETED, output=["x"]), 10.0, 8.0)

    assert (kept.expires_at(), cut_off.expires_at()) == (310.0, 100.0)


def test_a_retried_job_has_no_earlier_result():
    queue = a_queue()
    job = submitted(queue)
    queue.start_ready(2.0)
    queue.finish(
        job, JobResult(status=JobStatus.FAILED, error="no", output={"ok": False}), 5.0, 3.0
    )

    queue.retry(job, 9.0)

    assert job.status_body() == {"id": job.id, "status": "IN_QUEUE"}


def test_a_running_job_cannot_be_retried():
    queue = a_queue()
    job = submitted(queue)
    queue.start_ready(2.0)

    with pytest.raises(IllegalTransition):
        queue.retry(job, 3.0)


def test_a_job_lost_in_the_queue_is_counted_nowhere_and_never_starts():
    queue = a_queue()
    job = submitted(queue, plan=FaultPlan(lost_in_queue=True, hidden_seconds=float("inf")))

    assert queue.start_ready(900.0) == []
    assert queue.find(job.id, 900.0) is None
    assert queue.health()["jobs"]["inQueue"] == 0


def test_the_next_event_is_the_next_thing_that_can_happen():
    queue = a_queue(max_workers=1)
    assert queue.next_event_at() == float("inf")

    first = submitted(queue, ttl_seconds=500.0)
    assert queue.next_event_at() == 2.0
    submitted(queue, ttl_seconds=400.0)
    queue.start_ready(2.0)
    assert queue.next_event_at() == 400.0
    queue.finish(first, JobResult(status=JobStatus.COMPLETED, output=["x"]), 5.0, 3.0)
    assert queue.next_event_at() == 2.0


def test_the_rate_limiter_counts_ten_seconds_back():
    limiter = RateLimiter(Limit(per_10_seconds=2, concurrent=9))

    assert [limiter.acquire(now) for now in (0.0, 4.0, 9.9, 10.0, 13.9, 14.0)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_the_rate_limiter_counts_what_is_under_way():
    limiter = RateLimiter(Limit(per_10_seconds=9, concurrent=1))

    assert limiter.acquire(0.0)
    assert not limiter.acquire(0.0)
    limiter.release()
    assert limiter.acquire(0.0)

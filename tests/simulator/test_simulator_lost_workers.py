"""Workers that die or are stopped, or whose requests go wrong."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests


def test_a_job_that_no_worker_names_any_more_is_given_again_and_once_only(platform, new_pod):
    caller = platform(heartbeat_timeout_seconds=0.2)
    dead, heir = new_pod(caller), new_pod(caller)
    job_id = caller.run()
    dead.take()
    dead.done(job_id, {"status": "IN_PROGRESS", "output": {"step": 1}})

    assert heir.take()["id"] == job_id

    running = caller.status(job_id)
    assert (running["retries"], running["workerId"]) == (1, heir.id)
    assert "output" not in running
    done = caller.when_over(job_id)
    assert (done["status"], done["error"], done["retries"]) == (
        "FAILED",
        "job timed out after 1 retries",
        1,
    )


def test_a_worker_that_pings_without_naming_its_job_has_lost_it(platform, new_pod):
    caller = platform(heartbeat_timeout_seconds=0.3)
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()

    while "retries" not in caller.status(job_id):
        pod.ping()

    assert pod.take()["id"] == job_id


def test_a_job_that_is_named_is_kept(platform, new_pod):
    caller = platform(heartbeat_timeout_seconds=3.0)
    pod = new_pod(caller)
    silent, pinged, streamed, stopped = (caller.run() for _ in range(4))
    pod.ask(4)

    while "retries" not in caller.status(silent):
        pod.ping("another", pinged)
        pod.stream(streamed, {"output": 1})
        pod.done(stopped, {"status": "IN_PROGRESS", "output": 1})

    assert [caller.status(job_id)["status"] for job_id in (pinged, streamed, stopped)] == [
        "IN_PROGRESS"
    ] * 3


def test_cancelling_a_running_job_tells_its_worker_to_stop_it(platform, new_pod, receiver):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(receiver.url)
    pod.take()

    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(pod.stops)
        caller.post(f"/cancel/{job_id}")

        assert stopped.result().json() == {"jobsToStop": [job_id]}
    assert receiver.wait_for(1)[0].json()["status"] == "CANCELLED"
    assert pod.done(job_id, {"output": 1}).status_code == 400
    assert caller.status(job_id)["status"] == "CANCELLED"


def test_a_worker_that_continues_a_stopped_job_is_stopped_again(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()
    caller.post(f"/cancel/{job_id}")
    pod.stops()

    pod.ping(job_id)

    assert pod.stops().json() == {"jobsToStop": [job_id]}


def test_a_worker_that_still_names_a_job_it_has_ended_is_not_told_to_stop_it(platform, new_pod):
    """The SDK names a job until its result is answered; stopped then, it would not post it again."""
    caller = platform(long_poll_seconds=0.01)
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()
    pod.done(job_id, {"output": 1})

    pod.ping(job_id)

    assert pod.stops().status_code == 204


def test_an_order_to_stop_does_not_outlive_the_execution_it_was_meant_for(platform, new_pod):
    caller = platform(long_poll_seconds=0.01, execution_timeout_seconds=0.1)
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()
    caller.when_over(job_id)
    caller.post(f"/retry/{job_id}")

    pod.take()

    assert pod.stops().status_code == 204


def test_the_execution_timeout_counts_what_the_worker_really_takes(platform, new_pod):
    caller = platform(execution_timeout_seconds=0.2)
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()

    done = caller.when_over(job_id)

    assert (done["status"], done["error"]) == ("FAILED", "executionTimeout exceeded")
    assert pod.stops().json() == {"jobsToStop": [job_id]}


def test_a_running_job_whose_ttl_is_over_is_unknown_to_its_worker_too(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(policy={"ttl": 200_000})
    pod.take()

    caller.simulator.wait_until(lambda one: one.jobs() == [])

    assert pod.done(job_id, {"output": 1}).status_code == 404
    assert pod.stops().json() == {"jobsToStop": [job_id]}


def test_job_take_fails_and_then_gives_the_job(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(simulate="job-take-error=2")

    assert [pod.ask().status_code for _ in range(2)] == [500, 500]
    assert caller.status(job_id)["status"] == "IN_QUEUE"
    assert pod.take()["id"] == job_id


def test_a_job_taken_without_an_answer_runs_nowhere_and_is_given_again(platform, new_pod):
    caller = platform(heartbeat_timeout_seconds=0.3)
    pod = new_pod(caller)
    job_id = caller.run(simulate="job-take-unanswered")

    with pytest.raises(requests.ConnectionError):
        pod.ask()

    assert caller.simulator.jobs()[0].executions == 1
    assert pod.take()["id"] == job_id
    assert caller.status(job_id)["retries"] == 1


def test_of_two_workers_with_the_same_job_the_first_to_report_counts(platform, new_pod, receiver):
    caller = platform(long_poll_seconds=0.05)
    first, second, third = (new_pod(caller) for _ in range(3))
    job_id = caller.run(receiver.url, simulate="given-twice")

    assert first.take() == second.take()
    assert first.ask().status_code == third.ask().status_code == 204
    assert second.done(job_id, {"output": "second"}).status_code == 200
    caller.when_over(job_id)
    assert first.done(job_id, {"output": "first"}).status_code == 400

    assert caller.status(job_id)["output"] == "second"
    assert caller.simulator.jobs()[0].executions == 2
    assert len(receiver.wait_for(1)) == 1


def test_job_done_fails_and_then_takes_the_result(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(simulate="job-done-error=2")
    pod.take()

    answers = [pod.done(job_id, {"output": 1}).status_code for _ in range(3)]

    assert answers == [500, 500, 200]
    assert caller.when_over(job_id)["status"] == "COMPLETED"


def test_a_result_that_is_lost_is_computed_again(platform, new_pod):
    caller = platform(heartbeat_timeout_seconds=2.0)
    pod = new_pod(caller)
    job_id = caller.run(simulate="job-done-lost")
    pod.take()

    with pytest.raises(requests.ConnectionError):
        pod.done(job_id, {"output": "lost"})

    assert pod.take()["id"] == job_id
    pod.done(job_id, {"output": "again"})
    done = caller.when_over(job_id)
    assert (done["output"], done["retries"]) == ("again", 1)


def test_a_result_that_is_posted_again_counts_once(platform, new_pod, receiver):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(receiver.url, simulate="job-done-repeated")
    pod.take()

    assert pod.done(job_id, {"output": 1}).status_code == 500
    caller.when_over(job_id)
    assert pod.done(job_id, {"output": 1}).status_code == 400

    assert len(receiver.wait_for(1)) == 1
    assert caller.status(job_id)["output"] == 1


def test_a_scenario_ends_the_job_whatever_its_worker_does(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(simulate="worker-error")
    pod.take()

    assert "vLLM server process is not running" in caller.when_over(job_id)["error"]
    assert pod.done(job_id, {"output": 1}).status_code == 400

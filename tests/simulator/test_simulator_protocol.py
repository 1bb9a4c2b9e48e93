"""What a client of RunPod sees over HTTP."""

import re
import time

import pytest
import requests

from runpod_simulator import Limit

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NOT_FOUND = {"status": 404, "title": "Not Found", "detail": "job not found"}


def test_run_answers_with_an_id_and_in_queue(caller):
    answer = caller.post("/run", {"input": {"prompt": "Hello"}})

    assert answer.status_code == 200
    assert answer.json()["status"] == "IN_QUEUE"
    assert re.fullmatch(UUID + "-u1", answer.json()["id"])


def test_a_job_goes_from_the_queue_through_progress_to_completed(start):
    caller = start(time_scale=0.1)

    job_id = caller.run()

    assert caller.status(job_id) == {"id": job_id, "status": "IN_QUEUE"}
    running = caller.when_status(job_id, "IN_PROGRESS")
    assert running.keys() == {"delayTime", "id", "status", "workerId"}
    done = caller.when_status(job_id, "COMPLETED")
    assert done.keys() == {"delayTime", "executionTime", "id", "output", "status", "workerId"}


def test_times_are_milliseconds_of_runpod_whatever_the_time_scale(start):
    caller = start(queue_delay_seconds=40.0, execution_seconds=30.0)

    done = caller.when_over(caller.run())

    assert 40_000 <= done["delayTime"] < 80_000
    assert 30_000 <= done["executionTime"] < 31_000


def test_more_jobs_than_workers_wait_in_the_queue(start):
    caller = start(
        max_workers=2,
        queue_delay_seconds=0.0,
        execution_seconds=3_000.0,
        execution_timeout_seconds=5_000.0,
    )

    for _ in range(5):
        caller.run()
    caller.simulator.wait_until(
        lambda one: sum(job.status == "IN_PROGRESS" for job in one.jobs()) == 2
    )

    health = caller.get("/health").json()
    assert health["jobs"] == {
        "completed": 0,
        "failed": 0,
        "inProgress": 2,
        "inQueue": 3,
        "retried": 0,
    }
    assert health["workers"]["idle"] == 0
    assert health["workers"]["running"] == 2


@pytest.mark.parametrize(
    "header", ["Bearer local-runpod-key", "local-runpod-key"], ids=["bearer", "bare"]
)
def test_the_key_is_taken_with_and_without_bearer(caller, header):
    answer = requests.get(
        caller.simulator.url + "/health", headers={"Authorization": header}, timeout=10
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer other"}, {"Authorization": "Basic local-runpod-key"}],
    ids=["none", "wrong", "other scheme"],
)
def test_a_missing_or_wrong_key_is_401(caller, headers):
    answer = requests.post(
        caller.simulator.url + "/run", json={"input": {"a": 1}}, headers=headers, timeout=10
    )

    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})
    assert caller.simulator.jobs() == []


def test_an_unknown_endpoint_is_404_even_without_a_key(caller):
    answer = requests.post(
        caller.simulator.origin + "/v2/other/run", json={"input": {}}, timeout=10
    )

    assert (answer.status_code, answer.json()) == (404, {"error": "endpoint not found"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/status/x-u1"), ("post", "/cancel/x-u1"), ("post", "/retry/x-u1")],
    ids=["status", "cancel", "retry"],
)
def test_an_unknown_job_is_a_404_problem_whose_status_is_a_number(caller, method, path):
    answer = getattr(caller, method)(path)

    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"prompt": "hello"}',
        b'{"input": "hello"}',
        b'{"input": [1]}',
        b'{"input": {"a": 1}, "webhook": 7}',
        b'{"input": {"a": 1}, "policy": 7}',
        b'{"input": {"a": 1}, "policy": {"executionTimeout": 4999}}',
        b'{"input": {"a": 1}, "policy": {"ttl": 9999}}',
        b'{"input": {"a": 1}, "policy": {"ttl": true}}',
        b'{"input": {"a": 1}, "policy": {"ttl": 604800001}}',
        b'{"input": {"a": 1}, "simulate": "no-such-scenario"}',
        b'{"input": {"a": 1}, "simulate": {"name": "slow"}}',
    ],
    ids=[
        "no JSON",
        "an array",
        "no input",
        "input is text",
        "input is an array",
        "webhook is a number",
        "policy is a number",
        "executionTimeout under 5 s",
        "ttl under 10 s",
        "ttl is no number",
        "ttl over a week",
        "unknown scenario",
        "scenario is no text",
    ],
)
def test_what_runpod_does_not_take_is_400(caller, body):
    answer = caller.post("/run", body)

    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert caller.simulator.jobs() == []


@pytest.mark.parametrize(("path", "mib"), [("/run", 10), ("/runsync", 20)])
def test_a_body_that_is_too_large_is_400_with_the_known_text(caller, path, mib):
    answer = caller.post(path, b'{"input": {"text": "' + b"x" * (mib * 1024 * 1024) + b'"}}')

    assert (answer.status_code, answer.json()) == (
        400,
        {"error": f"exceeded max body size of {mib}MiB"},
    )


def test_a_body_just_under_the_limit_is_taken(caller):
    text = "word " * 2_090_000

    answer = caller.post("/run", {"input": {"prompt": text, "sampling_params": {"max_tokens": 5}}})

    assert answer.status_code == 200


def test_an_empty_input_is_given_up_as_a_lost_worker(caller):
    done = caller.when_over(caller.post("/run", {"input": {}}).json()["id"])

    assert (done["status"], done["error"]) == ("FAILED", "job timed out after 1 retries")


def test_status_also_takes_post_and_a_ttl(caller):
    job_id = caller.run()

    assert caller.post(f"/status/{job_id}").json()["id"] == job_id
    assert caller.get(f"/status/{job_id}", params={"ttl": 1000}).json()["id"] == job_id


def test_runsync_waits_for_the_result_and_marks_its_id(caller):
    answer = caller.post("/runsync", {"input": {"prompt": "Hello there."}}).json()

    assert answer["status"] == "COMPLETED"
    assert answer["id"].startswith("sync-")
    assert answer["output"][0]["choices"][0]["text"]


def test_runsync_gives_up_waiting_and_says_where_the_job_is(start):
    caller = start(queue_delay_seconds=500.0)

    answer = caller.post("/runsync?wait=1000", {"input": {"prompt": "Hello"}}).json()

    assert answer["status"] == "IN_QUEUE"
    assert caller.status(answer["id"])["status"] == "IN_QUEUE"


def test_a_queued_job_can_be_cancelled(start, receiver):
    caller = start(queue_delay_seconds=5_000.0)
    job_id = caller.run(receiver.url)

    assert caller.post(f"/cancel/{job_id}").json() == {"id": job_id, "status": "CANCELLED"}
    assert caller.status(job_id) == {"id": job_id, "status": "CANCELLED"}


def test_cancelling_a_running_job_frees_its_worker(start):
    caller = start(max_workers=1, queue_delay_seconds=0.0, execution_seconds=550.0)
    first, second = caller.run(), caller.run()
    caller.when_status(first, "IN_PROGRESS")

    caller.post(f"/cancel/{first}")

    caller.when_status(second, "IN_PROGRESS")
    assert caller.status(first)["status"] == "CANCELLED"


def test_cancelling_a_finished_job_changes_nothing(caller):
    job_id = caller.run()
    caller.when_over(job_id)

    assert caller.post(f"/cancel/{job_id}").json()["status"] == "COMPLETED"
    assert "output" in caller.status(job_id)


def test_retry_runs_a_failed_job_again_under_the_same_id(caller):
    job_id = caller.run(simulate="handler-error")
    caller.when_status(job_id, "FAILED")

    assert caller.post(f"/retry/{job_id}").json() == {"id": job_id, "status": "IN_QUEUE"}

    done = caller.when_over(job_id)
    assert done["status"] == "COMPLETED"
    assert "error" not in done
    assert caller.get("/health").json()["jobs"]["retried"] == 1


def test_retry_of_a_job_that_did_not_fail_is_400(caller):
    job_id = caller.run()
    caller.when_over(job_id)

    answer = caller.post(f"/retry/{job_id}")

    assert answer.status_code == 400
    assert caller.status(job_id)["status"] == "COMPLETED"


def test_purge_removes_what_waits_and_spares_what_runs(start):
    caller = start(max_workers=1, queue_delay_seconds=0.0, execution_seconds=550.0)
    running, waiting = caller.run(), caller.run()
    caller.when_status(running, "IN_PROGRESS")

    assert caller.post("/purge-queue").json() == {"removed": 1, "status": "completed"}

    assert caller.get(f"/status/{waiting}").status_code == 404
    assert caller.status(running)["status"] == "IN_PROGRESS"


def test_the_ttl_removes_a_running_job_without_a_webhook(start, receiver):
    caller = start(queue_delay_seconds=0.0, execution_seconds=100.0)
    job_id = caller.run(receiver.url, policy={"ttl": 20_000})
    caller.when_status(job_id, "IN_PROGRESS")

    caller.simulator.wait_until(lambda one: one.jobs() == [])

    assert caller.get(f"/status/{job_id}").json() == NOT_FOUND
    last = caller.run(receiver.url, simulate="handler-error")
    assert [one.json()["id"] for one in receiver.wait_for(1)] == [last]


def test_the_policy_limits_an_execution_and_the_job_is_failed_not_timed_out(start):
    caller = start(execution_seconds=50.0)

    done = caller.when_over(caller.run(policy={"executionTimeout": 10_000}))

    assert (done["status"], done["error"]) == ("FAILED", "executionTimeout exceeded")
    assert done["executionTime"] == 10_000


def test_a_result_is_gone_after_its_retention(start):
    caller = start(result_retention_seconds=30.0)
    job_id = caller.run()
    caller.when_over(job_id)

    caller.simulator.wait_until(lambda one: one.jobs() == [])

    assert caller.get(f"/status/{job_id}").json() == NOT_FOUND


@pytest.mark.parametrize(
    ("setting", "method", "path"),
    [
        ("run_limit", "post", "/run"),
        ("status_limit", "get", "/status/x"),
        ("cancel_limit", "post", "/cancel/x"),
        ("purge_limit", "post", "/purge-queue"),
    ],
    ids=["run", "status", "cancel", "purge"],
)
def test_above_the_rate_limit_is_429_until_it_resets(start, setting, method, path):
    caller = start(**{setting: Limit(per_10_seconds=2, concurrent=2)}, time_scale=0.05)

    def ask():
        return getattr(caller, method)(path).status_code

    first = [ask() for _ in range(3)]

    assert first[0] != 429
    assert first[2] == 429
    ends_at = time.monotonic() + 5
    while ask() == 429:
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_the_status_of_one_job_can_be_asked_while_another_is_computed(start, meeting, chat):
    caller = start()
    job_id = caller.run(job_input=chat(meeting(9_000)))

    caller.when_status(job_id, "IN_PROGRESS")
    caller.get("/health")

    assert caller.get(f"/status/{job_id}").json()["status"] == "IN_PROGRESS"
    assert caller.when_over(job_id)["status"] == "COMPLETED"

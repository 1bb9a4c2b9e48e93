"""RunPod's side towards its workers, which are played here request by request."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from runpod_simulator import Config, running_simulator
from tests.simulator.pod import NEVER_SECONDS, Pod

MIB = 1024 * 1024


def test_a_job_waits_until_a_worker_takes_it_and_ends_with_what_it_posts(
    platform, new_pod, receiver
):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run(receiver.url, job_input={"prompt": "Grüße"})

    assert caller.status(job_id) == {"id": job_id, "status": "IN_QUEUE"}
    assert pod.take() == {"id": job_id, "input": {"prompt": "Grüße"}}
    running = caller.status(job_id)
    assert (running["status"], running["workerId"]) == ("IN_PROGRESS", pod.id)
    assert pod.done(job_id, {"output": ["Grüße 😀"]}).status_code == 200

    done = caller.when_over(job_id)
    assert (done["status"], done["output"], done["workerId"]) == (
        "COMPLETED",
        ["Grüße 😀"],
        pod.id,
    )
    (webhook,) = receiver.wait_for(1)
    assert webhook.json()["output"] == ["Grüße 😀"]


def test_a_worker_that_polls_first_waits_for_the_job(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(pod.take)
        caller.simulator.wait_until(lambda one: one.workers())
        job_id = caller.run()

        assert asked.result()["id"] == job_id


def test_without_a_job_the_answer_is_204(platform, new_pod):
    pod = new_pod(platform(long_poll_seconds=0.01))

    assert [answer.status_code for answer in (pod.ask(), pod.ask(5), pod.stops())] == [204] * 3


def test_a_job_behind_a_cold_start_is_not_given_before_its_time(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    slow, quick = caller.run(simulate="slow=30"), caller.run()

    assert [pod.take()["id"], pod.take()["id"]] == [quick, slow]
    assert caller.status(slow)["delayTime"] >= 30_000


def test_a_batch_is_a_list_of_as_many_jobs_as_there_are_up_to_its_size(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_ids = [caller.run() for _ in range(3)]

    taken = [[job["id"] for job in pod.ask(2).json()] for _ in range(2)]

    assert taken == [job_ids[:2], job_ids[2:]]


def test_a_job_goes_to_one_worker_only(platform, new_pod):
    caller = platform(long_poll_seconds=0.5)
    caller.run()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda pod: pod.ask(), [new_pod(caller) for _ in range(4)]))

    assert sorted(answer.status_code for answer in answers) == [200, 204, 204, 204]


def test_a_worker_that_hung_up_gets_no_job(platform, new_pod):
    caller = platform()
    gone = new_pod(caller)
    with pytest.raises(requests.ReadTimeout):
        gone.ask(timeout_seconds=0.1)

    job_id = caller.run()

    assert new_pod(caller).take()["id"] == job_id


@pytest.mark.parametrize(
    ("posted", "status", "shown"),
    [
        ({"output": {"a": 1}}, "COMPLETED", {"output": {"a": 1}}),
        ({"output": None}, "COMPLETED", {}),
        ({}, "COMPLETED", {}),
        ({"error": "no"}, "FAILED", {"error": "no"}),
        (
            {"output": {"detail": 42}, "error": "no"},
            "FAILED",
            {"output": {"detail": 42}, "error": "no"},
        ),
        ({"output": {"detail": 42}, "error": {"code": 7}}, "COMPLETED", {}),
    ],
    ids=["output", "null", "nothing", "error", "error and output", "error that is no text"],
)
def test_what_a_worker_posts_decides_how_the_job_ends(platform, new_pod, posted, status, shown):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()

    assert pod.done(job_id, posted).status_code == 200

    done = caller.when_over(job_id)
    assert done["status"] == status
    assert {key: done[key] for key in ("output", "error") if key in done} == shown


@pytest.mark.parametrize(
    "body",
    [b"output=1", b"[1]", b'{"output": NaN}', b'{"output": "' + b"x" * MIB + b'"}'],
    ids=["a form", "a list", "NaN", "too large"],
)
def test_a_result_that_is_refused_leaves_a_completed_job_without_output(platform, new_pod, body):
    caller = platform(run_result_max_mib=1.0)
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()

    assert pod.done(job_id, body).status_code == 400

    done = caller.when_over(job_id)
    assert done["status"] == "COMPLETED"
    assert not {"output", "error"} & done.keys()


def test_the_result_of_runsync_may_be_larger(platform, new_pod):
    caller = platform(run_result_max_mib=1.0, runsync_result_max_mib=2.0)
    pod = new_pod(caller)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(caller.post, "/runsync", {"input": {"x": 1}})
        job = pod.take()
        assert pod.done(job["id"], {"output": "x" * MIB}).status_code == 200

        assert waiting.result().json()["output"] == "x" * MIB


def test_progress_is_the_output_of_a_running_job(platform, new_pod):
    caller = platform()
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()

    pod.done(job_id, {"status": "IN_PROGRESS", "output": {"step": 1}})

    running = caller.status(job_id)
    assert (running["status"], running["output"]) == ("IN_PROGRESS", {"step": 1})
    pod.done(job_id, {"error": "no"})
    assert "output" not in caller.when_over(job_id)


def test_a_stream_is_delivered_once_while_the_job_runs(platform, new_pod):
    caller = platform(stream_chunk_max_mib=0.001)
    pod = new_pod(caller)
    job_id = caller.run()
    pod.take()
    answers = [pod.stream(job_id, {"output": chunk}) for chunk in ("a", "x" * 2_000, "b")]

    assert [answer.status_code for answer in answers] == [200, 400, 200]
    assert [caller.get(f"/stream/{job_id}").json() for _ in range(2)] == [
        {"status": "IN_PROGRESS", "stream": [{"output": "a"}, {"output": "b"}]},
        {"status": "IN_PROGRESS", "stream": []},
    ]
    assert caller.get("/stream/unknown").status_code == 404


def test_a_result_by_a_worker_that_does_not_run_the_job_is_refused(platform, new_pod):
    caller = platform()
    pod, stranger = new_pod(caller), new_pod(caller)
    job_id = caller.run()

    assert pod.done(job_id, {"output": "too early"}).status_code == 400
    pod.take()
    assert stranger.done(job_id, {"output": "not mine"}).status_code == 400
    assert stranger.stream(job_id, {"output": "not mine"}).status_code == 400
    assert pod.done(job_id, {"output": "mine"}).status_code == 200

    assert caller.when_over(job_id)["output"] == "mine"


def test_a_worker_needs_the_workers_key_and_a_caller_the_callers(platform, new_pod):
    caller = platform()
    url = caller.simulator.url
    worker_key = caller.simulator.worker_environment()["RUNPOD_AI_API_KEY"]

    answers = [
        requests.get(url + path, headers={"Authorization": key}, timeout=10).status_code
        for path, key in (
            ("/job-take/w1", caller.simulator.api_key),
            ("/job-take/w1", ""),
            ("/health", worker_key),
        )
    ]

    assert answers == [401, 401, 401]


def test_workers_are_counted_and_shown(platform, new_pod):
    caller = platform()
    busy, idle, unfit = (new_pod(caller) for _ in range(3))
    job_id = caller.run()
    busy.take()
    idle.ping()
    unfit.ping(status="unhealthy", check="_memory_check")

    health = caller.get("/health").json()
    assert health["workers"] == {
        "idle": 1,
        "initializing": 0,
        "ready": 2,
        "running": 1,
        "throttled": 0,
        "unhealthy": 1,
    }
    assert health["jobs"]["inProgress"] == 1
    busy.done(job_id, {"output": 1, "stopPod": True})
    shown = requests.get(caller.simulator.origin + "/_simulator/workers", timeout=10).json()
    assert {one["id"]: one["refreshes"] for one in shown["workers"]} == {
        busy.id: 1,
        idle.id: 0,
        unfit.id: 0,
    }


def test_each_environment_is_that_of_another_worker(platform):
    simulator = platform().simulator

    one, other = simulator.worker_environment(), simulator.worker_environment()

    assert {name for name in one if one[name] != other[name]} == {
        "RUNPOD_POD_ID",
        "RUNPOD_POD_HOSTNAME",
    }
    assert all(url.startswith(simulator.url) for url in one.values() if "://" in url)


@pytest.mark.parametrize(("timeout_seconds", "ping_ms"), [(600, 10_000), (20, 5_000), (0.1, 1_000)])
def test_workers_ping_often_enough_for_the_timeout(platform, timeout_seconds, ping_ms):
    simulator = platform(heartbeat_timeout_seconds=timeout_seconds).simulator

    assert simulator.worker_environment()["RUNPOD_PING_INTERVAL"] == str(ping_ms)


def test_workers_that_wait_do_not_hold_up_the_end():
    config = Config(worker="platform", long_poll_seconds=NEVER_SECONDS)
    with ThreadPoolExecutor(2) as pool:
        with running_simulator(config) as simulator:
            pod = Pod(simulator)
            waiting = [pool.submit(pod.ask), pool.submit(pod.stops)]
            simulator.wait_until(
                lambda one: one.requests().get("job-take") and one.requests().get("job-stop")
            )

        assert [answer.result().status_code for answer in waiting] == [204, 204]
        pod.close()


def test_the_routes_of_workers_are_there_for_workers_only(caller):
    key = {"Authorization": caller.simulator.config.worker_key}

    answer = requests.get(caller.simulator.url + "/job-take/w1", headers=key, timeout=10)

    assert answer.status_code == 404


def test_what_is_wrong_with_a_text_holds_for_a_completion_of_a_worker_of_ones_own(
    platform, new_pod
):
    caller = platform()
    pod = new_pod(caller)
    said = {"message": {"content": "One is done. Two is done."}, "finish_reason": "stop"}
    outputs = [[{"choices": [said]}], {"receipt": "of something else"}]

    for output in outputs:
        caller.run(simulate="too-short=0.5")
        assert pod.done(pod.take()["id"], {"output": output}).status_code == 200

    caller.simulator.wait_until(lambda one: all(job.status.is_final for job in one.jobs()))
    completion, other = (job.output for job in caller.simulator.jobs())
    assert completion[0]["choices"][0]["message"]["content"] == "One is done."
    assert other == outputs[1]

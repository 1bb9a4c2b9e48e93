"""Workers with RunPod's own SDK, each a process, take their jobs from the simulator."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runpod_simulator import Simulator

WORKER_PYTHON = "WORKER_PYTHON"  # the variable that names an interpreter that has `runpod`
PROGRAM = Path(__file__).with_name("sdk_worker.py")
LONG_SECONDS = 60.0  # a worker imports for two seconds on an idle machine


@pytest.fixture(scope="module")
def worker_python() -> str:
    python = os.environ.get(WORKER_PYTHON, "")
    if not python:
        pytest.skip(f"name an interpreter that has RunPod's SDK in {WORKER_PYTHON}")
    asked = subprocess.run(
        [python, "-I", "-c", "import importlib.metadata as m; print(m.version('runpod'))"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert asked.returncode == 0, f"{python} in {WORKER_PYTHON} has no RunPod SDK"
    return python


@pytest.fixture
def start_worker(worker_python, tmp_path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a worker of a simulator with one of PROGRAM's handlers."""
    with ExitStack() as stack:

        def starter(simulator: Simulator, handler: str) -> subprocess.Popen[bytes]:
            return stack.enter_context(_worker(worker_python, simulator, handler, tmp_path))

        yield starter


@contextmanager
def _worker(
    python: str, simulator: Simulator, handler: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    environment = simulator.worker_environment() | {"HOME": str(folder)}
    with (folder / f"{handler}.log").open("wb") as log:
        process = subprocess.Popen(
            [python, str(PROGRAM), handler],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill_all_of(process)


def kill_all_of(worker: subprocess.Popen[bytes]) -> None:
    """With its process that pings, which outlives a killed worker and goes on naming its jobs."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


@pytest.fixture
def caller(start):
    return start(worker="platform", heartbeat_timeout_seconds=6.0, long_poll_seconds=0.5)


def ended(caller, *wishes, **options):
    """What each job's status says at its end."""
    job_ids = [caller.run(job_input=wish, **options) for wish in wishes]
    return [caller.when_over(job_id, timeout_seconds=LONG_SECONDS) for job_id in job_ids]


def test_what_a_handler_returns_raises_or_reports_is_what_runpod_would_show(
    caller, start_worker, receiver, tmp_path
):
    start_worker(caller.simulator, "plain")
    released = tmp_path / "released"

    echo, text, nothing, refused, other, nan, refresh, raised = ended(
        caller,
        {"do": "echo", "text": "Grüße"},
        {"do": "text"},
        {"do": "nothing"},
        {"do": "error text"},
        {"do": "error object"},
        {"do": "no number"},
        {"do": "refresh"},
        {"do": "raise"},
        webhook=receiver.url,
    )
    job_id = caller.run(job_input={"do": "progress", "until": str(released)})
    caller.simulator.wait_until(lambda _: "output" in caller.status(job_id), LONG_SECONDS)
    under_way = caller.status(job_id)
    released.touch()

    assert echo["output"] == {"heard": {"do": "echo", "text": "Grüße"}}
    assert text["output"] == "Grüße 😀"
    assert [one["status"] for one in (nothing, other, nan)] == ["COMPLETED"] * 3
    assert not [one for one in (nothing, other, nan) if one.keys() & {"output", "error"}]
    assert (refused["status"], refused["error"]) == ("FAILED", "the model refused")
    assert refused["output"] == {"detail": 42}
    assert refresh["output"] == {"said": "again"}
    assert [one.refreshes for one in caller.simulator.workers()] == [1]
    assert raised["status"] == "FAILED"
    assert json.loads(raised["error"])["error_type"] == "<class 'ValueError'>"
    assert (under_way["status"], under_way["output"]) == ("IN_PROGRESS", {"done": 1})
    assert caller.when_over(job_id)["output"] == {"done": 2}
    assert {one.json()["id"] for one in receiver.wait_for(8)} == {
        one["id"] for one in (echo, text, nothing, refused, other, nan, refresh, raised)
    }


def test_a_generator_streams_and_its_parts_are_the_output(caller, start_worker):
    start_worker(caller.simulator, "generator")

    whole, broken = ended(caller, {"chunks": 3}, {"chunks": 1, "fails": True})

    assert whole["output"] == [{"chunk": number} for number in range(3)]
    assert caller.get(f"/stream/{whole['id']}").json()["stream"] == [
        {"output": {"chunk": number}} for number in range(3)
    ]
    assert broken["status"] == "FAILED"
    assert broken["error"].startswith("handler: in mid-stream \ntraceback: ")
    assert caller.get(f"/stream/{broken['id']}").json()["stream"] == [{"output": {"chunk": 0}}]


def test_a_cancelled_job_makes_room_and_those_of_a_killed_worker_are_given_to_another(
    caller, start_worker
):
    killed = start_worker(caller.simulator, "async")
    cancelled, *lost = [caller.run(job_input={"do": "sleep"}) for _ in range(3)]
    for job_id in (cancelled, *lost):
        caller.when_status(job_id, "IN_PROGRESS", timeout_seconds=LONG_SECONDS)

    caller.post(f"/cancel/{cancelled}")
    (after,) = ended(caller, {"do": "echo"})
    kill_all_of(killed)
    caller.simulator.wait_until(
        lambda one: sum(job.retries for job in one.jobs()) == 2, LONG_SECONDS
    )
    start_worker(caller.simulator, "async")

    assert after["status"] == "COMPLETED"
    for job_id in lost:
        body = caller.when_status(job_id, "IN_PROGRESS", timeout_seconds=LONG_SECONDS)
        assert (body["retries"], body["workerId"]) == (1, caller.simulator.workers()[1].id)


def test_a_worker_that_refreshes_itself_ends_after_its_job(caller, start_worker):
    worker = start_worker(caller.simulator, "refreshing")

    (done,) = ended(caller, {"do": "echo"})

    assert done["status"] == "COMPLETED"
    assert worker.wait(LONG_SECONDS) == 0


@pytest.mark.parametrize(
    ("scenario", "posts", "executions"),
    [("job-take-error", 1, 1), ("job-done-error=2", 3, 1), ("job-done-repeated", 2, 1),
     ("job-done-error=3", 4, 2), ("job-done-lost", 2, 2)],
)  # fmt: skip
def test_how_often_the_sdk_posts_a_result(caller, start_worker, scenario, posts, executions):
    start_worker(caller.simulator, "plain")

    (done,) = ended(caller, {"do": "echo"}, simulate=scenario)

    assert done["status"] == "COMPLETED"
    assert done.get("retries", 0) == executions - 1
    caller.simulator.wait_until(lambda one: one.requests()["job-done"] >= posts, LONG_SECONDS)
    assert caller.simulator.requests()["job-done"] == posts

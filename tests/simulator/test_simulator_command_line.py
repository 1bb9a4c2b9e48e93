"""The program itself, as a process of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from runpod_simulator import SCENARIOS, Config, running_simulator

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "runpod_simulator"]


def started(*options):
    return subprocess.Popen(
        [*PROGRAM, "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_where_it_listens_works_and_stops_cleanly(stop):
    with started("--endpoint", "mine", "--api-key", "k1-secret", "--time-scale", "0.01") as process:
        try:
            listening = json.loads(process.stdout.readline())
            answer = requests.post(
                listening["url"] + "/run",
                json={"input": {"prompt": "hidden words"}},
                headers={"Authorization": "Bearer k1-secret"},
                timeout=10,
            )
            process.send_signal(stop)
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()

    assert answer.status_code == 200
    assert listening["url"] == listening["origin"] + "/v2/mine"
    assert process.returncode == 0
    assert f"job {answer.json()['id']} accepted" in log
    assert "Traceback" not in log
    assert not [secret for secret in ("k1-secret", "hidden words") if secret in log]


def test_it_stops_at_once_in_the_middle_of_a_long_summary(meeting, chat):
    with started("--queue-delay-seconds", "0", "--max-model-len", "200000") as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            headers = {"Authorization": "Bearer local-runpod-key"}
            sent = {"input": chat(meeting(60_000))}
            job_id = requests.post(url + "/run", json=sent, headers=headers, timeout=10).json()[
                "id"
            ]
            status = ""
            while status != "IN_PROGRESS":
                status = requests.get(f"{url}/status/{job_id}", headers=headers, timeout=10).json()[
                    "status"
                ]
            process.terminate()
            _, log = process.communicate(timeout=10)
        finally:
            process.kill()

    assert process.returncode == 0
    assert "Traceback" not in log


def test_it_prints_what_a_worker_needs():
    options = ("--worker", "platform", "--worker-key", "w1-secret", "--queue-delay-seconds", "0")
    with started(*options) as process:
        try:
            listening = json.loads(process.stdout.readline())
            requests.post(
                listening["url"] + "/run",
                json={"input": {"prompt": "hidden words"}},
                headers={"Authorization": "local-runpod-key"},
                timeout=10,
            )
            given = listening["worker_environment"]
            url = given["RUNPOD_WEBHOOK_GET_JOB"].replace("$ID", given["RUNPOD_POD_ID"])
            headers = {"Authorization": given["RUNPOD_AI_API_KEY"]}
            job = requests.get(url, headers=headers, timeout=10).json()
            process.terminate()
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()

    assert job["input"] == {"prompt": "hidden words"}
    assert not [secret for secret in ("w1-secret", "hidden words") if secret in log]


def test_the_model_server_serves_a_model_with_habits(chat, meeting):
    command = [sys.executable, "-m", "runpod_simulator.extractive_server", "--port", "0"]
    command += [
        "--model",
        "llm-like",
        "--scenario",
        "preface",
        "--scenario",
        "fence@0",
        "--seed",
        "7",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            served = json.loads(process.stdout.readline())
            body = chat(meeting(900))["openai_input"]
            answer = requests.post(served["url"] + "/chat/completions", json=body, timeout=20)
        finally:
            process.terminate()

    text = answer.json()["choices"][0]["message"]["content"]
    assert (served["model"], answer.json()["model"]) == ("llm-like", "llm-like")
    assert text.startswith("Sure! Here is what you asked for:")
    assert "```" not in text


def test_the_model_server_refuses_a_scenario_that_there_is_not():
    command = [sys.executable, "-m", "runpod_simulator.extractive_server", "--scenario", "sulks"]

    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode == 2
    assert "no scenario is called 'sulks'" in ended.stderr


def test_it_lists_its_scenarios():
    listed = subprocess.run(
        [*PROGRAM, "--list-scenarios"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert [name for name in SCENARIOS if name not in listed.stdout] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenario", "nonsense"), "no scenario is called"),
        (("--scenario", "timed-out@half"), "must be a share"),
        (("--worker", "openai"), "needs model_url"),
        (("--time-scale", "0"), "time_scale must be above 0"),
    ],
    ids=["unknown scenario", "no share", "no model server", "no time"],
)
def test_settings_that_make_no_sense_are_named(options, said):
    done = subprocess.run(
        [*PROGRAM, *options], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 2
    assert said in done.stderr


def test_a_port_that_is_taken_is_an_error_in_one_line():
    with running_simulator() as other:
        port = other.origin.rpartition(":")[2]
        done = subprocess.run(
            [*PROGRAM, "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_several_simulators_run_side_by_side():
    with (
        running_simulator(Config(endpoint="a")) as one,
        running_simulator(Config(endpoint="b")) as other,
    ):
        assert one.origin != other.origin
        assert (one.url[-5:], other.url[-5:]) == ("/v2/a", "/v2/b")


def test_waiting_for_what_never_happens_ends_with_what_there_is():
    with running_simulator() as one, pytest.raises(TimeoutError, match="jobs: none"):
        one.wait_until(lambda simulator: simulator.deliveries(), timeout_seconds=0.1)


def test_no_configuration_shows_its_keys():
    assert "hidden" not in repr(Config(api_key="hidden", model_key="hidden", worker_key="hidden"))

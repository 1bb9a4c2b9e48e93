"""Each scenario, as a client and a webhook receiver meet it."""

import json
import time
from pathlib import Path

import pytest
import requests

from runpod_simulator import SCENARIOS

DOCUMENT = Path(__file__).parents[2] / "runpod_simulator" / "README.md"


def test_every_scenario_is_in_the_documentation():
    text = DOCUMENT.read_text(encoding="utf-8")

    assert [name for name in SCENARIOS if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize(
    ("name", "status"),
    [("rate-limited", 429), ("server-error", 500), ("bad-gateway", 502), ("unauthorized", 401)],
)
def test_a_refused_request_is_taken_when_it_is_sent_again(caller, name, status):
    body = {"input": {"a": 1}, "simulate": f"{name}=2"}

    answers = [caller.post("/run", body).status_code for _ in range(3)]

    assert answers == [status, status, 200]
    assert len(caller.simulator.jobs()) == 1


def test_the_server_errors_differ_in_what_they_say(caller):
    assert caller.try_run(simulate="server-error").json() == {"error": "internal server error"}
    assert caller.try_run(simulate="bad-gateway").headers["content-type"].startswith("text/html")


def test_accepted_but_no_answer_drops_the_connection_and_runs_the_job(caller, receiver):
    with pytest.raises(requests.ConnectionError):
        caller.try_run(receiver.url, simulate="accepted-but-no-answer")

    (taken,) = receiver.wait_for(1)
    assert taken.json()["id"] == caller.simulator.jobs()[0].id


def test_ok_without_id_makes_no_job(caller):
    answer = caller.try_run(simulate="ok-without-id")

    assert (answer.status_code, list(answer.json())) == (200, ["error"])
    assert caller.simulator.jobs() == []


def test_slow_waits_longer_in_the_queue(caller):
    done = caller.when_over(caller.run(simulate="slow=30"))

    assert done["delayTime"] >= 31_000


def test_no_workers_keeps_a_job_queued_until_its_ttl(caller):
    job_id = caller.run(simulate="no-workers", policy={"ttl": 30_000})

    assert caller.status(job_id) == {"id": job_id, "status": "IN_QUEUE"}
    caller.simulator.wait_until(lambda one: one.jobs() == [])
    assert caller.get(f"/status/{job_id}").status_code == 404


def test_a_job_lost_in_the_queue_is_404_and_never_calls_back(caller, receiver):
    lost = caller.run(receiver.url, simulate="queue-lost")
    kept = caller.run(receiver.url)

    assert [one.json()["id"] for one in receiver.wait_for(1)] == [kept]
    assert caller.get(f"/status/{lost}").status_code == 404
    assert caller.post(f"/cancel/{lost}").status_code == 404


def test_status_lags_behind_run(start):
    caller = start(time_scale=0.05)
    job_id = caller.run(simulate="status-lags=10")

    assert caller.get(f"/status/{job_id}").status_code == 404

    ends_at = time.monotonic() + 10
    while caller.get(f"/status/{job_id}").status_code == 404:
        assert time.monotonic() < ends_at
        time.sleep(0.01)
    assert caller.when_over(job_id)["status"] == "COMPLETED"


def test_a_crashed_worker_makes_the_job_run_twice(caller, receiver):
    job_id = caller.run(receiver.url, simulate="worker-crash")

    body = receiver.wait_for(1)[0].json()

    assert (body["status"], body["retries"]) == ("COMPLETED", 1)
    assert caller.status(job_id)["output"]
    assert caller.simulator.jobs()[0].executions == 2


def test_a_lost_worker_fails_the_job_after_two_executions(caller):
    done = caller.when_over(caller.run(simulate="worker-lost"))

    assert (done["status"], done["error"], done["retries"]) == (
        "FAILED",
        "job timed out after 1 retries",
        1,
    )
    assert "output" not in done


def test_an_execution_timeout_is_failed_and_took_the_whole_limit(caller):
    done = caller.when_over(
        caller.run(simulate="execution-timeout", policy={"executionTimeout": 700_000})
    )

    assert (done["status"], done["error"]) == ("FAILED", "executionTimeout exceeded")
    assert done["executionTime"] == 700_000


def test_a_handler_error_is_json_inside_a_string(caller):
    error = json.loads(caller.when_over(caller.run(simulate="handler-error"))["error"])

    assert error.keys() == {
        "error_type",
        "error_message",
        "error_traceback",
        "hostname",
        "worker_id",
        "runpod_version",
    }


DEAD_WORKER = (
    "{'message': 'vLLM server process is not running; worker is unhealthy',"
    " 'type': 'worker_error', 'code': None}"
)
TOO_LONG = (
    '{\'message\': \'vLLM returned HTTP 400: {"error": {"message": "This model\\\'s maximum context'
    ' length is 32768 tokens. However, you requested 40000 tokens.", "type": "BadRequestError",'
    " \"param\": null, \"code\": 400}}', 'type': 'worker_error', 'code': None}"
)


@pytest.mark.parametrize(
    ("scenario", "error"), [("worker-error", DEAD_WORKER), ("context-length", TOO_LONG)]
)
def test_worker_vllm_errors_are_the_repr_of_a_dict(caller, scenario, error):
    done = caller.when_over(caller.run(simulate=scenario))

    assert (done["status"], done["error"]) == ("FAILED", error)


def test_an_error_may_come_with_an_output(caller):
    done = caller.when_over(caller.run(simulate="error-with-output"))

    assert (done["status"], done["error"], done["output"]) == (
        "FAILED",
        "input needs a prompt",
        {"ok": False},
    )


def test_timed_out_is_its_own_status(caller):
    done = caller.when_over(caller.run(simulate="timed-out"))

    assert done["status"] == "TIMED_OUT"
    assert not {"output", "error"} & done.keys()


def test_completed_without_output_has_no_output_key(caller, receiver):
    job_id = caller.run(receiver.url, simulate="completed-without-output")

    body = receiver.wait_for(1)[0].json()

    assert body["status"] == caller.status(job_id)["status"] == "COMPLETED"
    assert "output" not in body


def test_truncated_ends_in_mid_sentence_and_says_length(caller, meeting, chat):
    done = caller.when_over(caller.run(simulate="truncated", job_input=chat(meeting(3_000))))

    choice = done["output"][0]["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"].rstrip()[-1] not in ".!?”"


@pytest.mark.parametrize(("scenario", "fraction"), [("too-short", 0.4), ("too-short=0.2", 0.2)])
def test_too_short_is_a_whole_text_of_a_fraction_of_the_length(
    caller, meeting, chat, scenario, fraction
):
    done = caller.when_over(caller.run(simulate=scenario, job_input=chat(meeting(4_000))))

    choice = done["output"][0]["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert len(choice["message"]["content"].split()) == pytest.approx(1_000 * fraction, rel=0.08)


def test_a_lost_webhook_leaves_the_result_in_status(caller, receiver):
    lost = caller.run(receiver.url, simulate="lost-webhook")
    caller.when_over(lost)
    kept = caller.run(receiver.url)

    assert [one.json()["id"] for one in receiver.wait_for(1)] == [kept]
    assert caller.status(lost)["output"]


def test_a_late_webhook_arrives_long_after_the_end(caller, receiver):
    job_id = caller.run(receiver.url, simulate="late-webhook=40")
    caller.when_over(job_id)

    assert receiver.received == []
    assert receiver.wait_for(1)[0].json()["id"] == job_id


def test_a_duplicate_webhook_is_the_same_byte_for_byte(caller, receiver):
    caller.run(receiver.url, simulate="duplicate-webhook=3")

    assert len({one.body for one in receiver.wait_for(3)}) == 1


def test_a_null_webhook_body_is_null(caller, receiver):
    caller.run(receiver.url, simulate="null-webhook-body")

    assert receiver.wait_for(1)[0].body == b"null"


def test_out_of_order_reports_progress_after_the_end(caller, receiver):
    caller.run(receiver.url, simulate="out-of-order")

    last, earlier = (one.json() for one in receiver.wait_for(2))
    assert (last["status"], earlier["status"]) == ("COMPLETED", "IN_PROGRESS")
    assert last["id"] == earlier["id"]
    assert not {"output", "executionTime"} & earlier.keys()


def test_an_early_callback_arrives_before_run_has_answered(caller, receiver):
    receiver.answer_after_seconds = 0.1

    job_id = caller.run(receiver.url, simulate="early-callback")
    answered_at = time.monotonic()

    (taken,) = receiver.received
    assert taken.at < answered_at
    assert taken.json()["id"] == job_id

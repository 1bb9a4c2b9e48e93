"""Delivery: what is sent, when again, when not at all."""

import pytest


def test_the_webhook_is_runpods_payload_from_a_go_client(caller, receiver):
    job_id = caller.run(receiver.url, job_input={"prompt": "Hello there."})

    (taken,) = receiver.wait_for(1)

    body = taken.json()
    assert body.keys() == {
        "delayTime",
        "executionTime",
        "id",
        "input",
        "output",
        "status",
        "webhook",
    }
    assert (body["id"], body["status"]) == (job_id, "COMPLETED")
    assert body["input"] == {"prompt": "Hello there."}
    assert body["webhook"] == receiver.url
    assert taken.path == "/hook/t0ken"
    assert taken.headers["user-agent"] == "Go-http-client/2.0"
    assert taken.headers["content-type"] == "application/json"
    assert "authorization" not in taken.headers


def test_the_webhook_and_status_have_the_same_output(caller, receiver):
    job_id = caller.run(receiver.url)

    (taken,) = receiver.wait_for(1)

    assert taken.json()["output"] == caller.status(job_id)["output"]


def test_text_of_any_language_arrives_as_utf8(caller, receiver):
    caller.run(receiver.url, job_input={"prompt": "Où est Łódź? 東京"})

    (taken,) = receiver.wait_for(1)

    assert "東京".encode() in taken.body


def test_a_failed_job_calls_back_with_its_error(caller, receiver):
    caller.run(receiver.url, simulate="execution-timeout")

    body = receiver.wait_for(1)[0].json()

    assert (body["status"], body["error"]) == ("FAILED", "executionTimeout exceeded")


def test_a_cancelled_job_calls_back_without_times(start, receiver):
    caller = start(queue_delay_seconds=5_000.0)
    job_id = caller.run(receiver.url)

    caller.post(f"/cancel/{job_id}")

    assert receiver.wait_for(1)[0].json().keys() == {"id", "status", "input", "webhook"}


@pytest.mark.parametrize(
    ("setting", "calls"), [(False, 0), (True, 1)], ids=["default", "switched on"]
)
def test_a_timed_out_job_calls_back_only_if_configured(start, receiver, setting, calls):
    caller = start(webhook_on_timed_out=setting)
    caller.when_status(caller.run(receiver.url, simulate="timed-out"), "TIMED_OUT")

    last = caller.run(receiver.url)

    received = [one.json() for one in receiver.wait_for(calls + 1)]
    assert received[-1]["id"] == last
    assert [one["status"] for one in received[:-1]] == ["TIMED_OUT"] * calls


def test_a_failed_delivery_is_tried_three_times_at_0_5_and_15_seconds(start, receiver):
    caller = start(time_scale=0.04)
    receiver.answers = [500, 404, 302]

    caller.run(receiver.url)
    receiver.wait_for(3)
    caller.simulator.wait_until(lambda one: len(one.deliveries()) == 3)

    tries = caller.simulator.deliveries()
    after = [one.at_seconds - tries[0].at_seconds for one in tries]
    assert 5 <= after[1] < 10
    assert 15 <= after[2] < 24
    assert [one.http_status for one in tries] == [500, 404, 302]
    assert len({one.body for one in receiver.received}) == 1


def test_a_delivery_answered_200_is_not_repeated(caller, receiver):
    receiver.answers = [503]

    caller.run(receiver.url)
    caller.simulator.wait_until(lambda one: any(try_.succeeded for try_ in one.deliveries()))

    assert [one.http_status for one in caller.simulator.deliveries()] == [503, 200]


def test_an_answer_of_202_is_no_success(caller, receiver):
    receiver.answers = [202]

    caller.run(receiver.url)

    assert len(receiver.wait_for(2)) == 2


def test_a_receiver_that_is_too_slow_is_called_again(start, receiver):
    caller = start(webhook_timeout_seconds=0.1)
    receiver.answer_after_seconds = 0.3

    caller.run(receiver.url)
    receiver.wait_for(2)

    first = caller.simulator.deliveries()[0]
    assert first.http_status is None
    assert "Timeout" in first.failure


@pytest.mark.parametrize(("at_once", "busiest"), [(1, 1), (2, 2)])
def test_few_webhooks_at_once_wait_for_one_another(start, receiver, at_once, busiest):
    caller = start(webhooks_at_once=at_once, webhook_timeout_seconds=10.0)
    receiver.answer_after_seconds = 0.05

    for _ in range(6):
        caller.run(receiver.url)
    receiver.wait_for(6)

    assert receiver.busiest <= busiest


def test_a_receiver_that_is_away_does_not_fail_the_job(start):
    caller = start()

    job_id = caller.run("http://127.0.0.1:9/nobody")
    caller.simulator.wait_until(lambda one: len(one.deliveries()) == 3)

    assert {one.http_status for one in caller.simulator.deliveries()} == {None}
    assert caller.status(job_id)["status"] == "COMPLETED"


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/x", "http://[bad"])
def test_an_impossible_webhook_does_not_fail_the_job(caller, url):
    job_id = caller.run(url)

    caller.simulator.wait_until(lambda one: len(one.deliveries()) == 3)

    assert caller.status(job_id)["status"] == "COMPLETED"


def test_names_under_localhost_lead_to_this_machine_with_their_own_host_header(caller, receiver):
    caller.run(f"http://a1b2.execute-api.localhost:{receiver.port}/webhook")

    (taken,) = receiver.wait_for(1)

    assert taken.headers["host"] == f"a1b2.execute-api.localhost:{receiver.port}"


def test_without_a_webhook_nobody_is_called(caller):
    caller.when_over(caller.run())

    assert caller.simulator.deliveries() == []


def test_no_log_line_or_control_answer_shows_prompt_output_key_or_webhook_url(
    caller, receiver, caplog
):
    caplog.set_level("DEBUG", logger="runpod_simulator")
    caller.run(
        receiver.url, job_input={"prompt": "confidential words"}, simulate="duplicate-webhook"
    )
    receiver.wait_for(2)
    caller.simulator.wait_until(lambda one: len(one.deliveries()) == 2)

    shown = caplog.text
    for path in ("jobs", "deliveries", "health"):
        shown += caller._session.get(
            f"{caller.simulator.origin}/_simulator/{path}", timeout=10
        ).text

    assert "127.0.0.1" in shown
    for secret in ("confidential", "t0ken", "/hook", caller.simulator.api_key):
        assert secret not in shown

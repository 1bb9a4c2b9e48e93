"""The ways to choose a scenario: by request, header, configuration, and rules."""

import pytest
import requests

from runpod_simulator import Rule, UnknownScenario


def test_scenarios_can_be_combined(caller, receiver):
    caller.run(
        receiver.url, simulate=["worker-crash", "completed-without-output", "duplicate-webhook=2"]
    )

    bodies = [one.json() for one in receiver.wait_for(2)]
    assert [(body["retries"], "output" in body) for body in bodies] == [(1, False), (1, False)]


def test_a_header_chooses_a_scenario_for_one_request(caller):
    body = {"input": {"prompt": "Hello"}}
    job_id = caller.post("/run", body, headers={"X-Simulate": "timed-out"}).json()["id"]

    assert caller.when_over(job_id)["status"] == "TIMED_OUT"


def test_a_configured_scenario_is_for_all_jobs(start):
    caller = start(scenarios=("handler-error",))

    assert [caller.when_over(caller.run())["status"] for _ in range(2)] == ["FAILED", "FAILED"]


def test_a_rule_can_be_for_the_next_jobs_only(caller):
    caller.simulator.use("timed-out", next_jobs=2)

    statuses = [caller.when_over(caller.run())["status"] for _ in range(3)]

    assert statuses == ["TIMED_OUT", "TIMED_OUT", "COMPLETED"]


def test_a_rule_can_be_for_jobs_that_contain_a_text(caller):
    caller.simulator.use("timed-out", containing="marked")

    plain = caller.run(job_input={"prompt": "Hello"})
    marked = caller.run(job_input={"prompt": "Hello, marked"})

    assert caller.when_over(plain)["status"] == "COMPLETED"
    assert caller.when_over(marked)["status"] == "TIMED_OUT"


def which_of_forty_met(caller, status):
    """Which of forty requests, in the order of their coming, met a scenario."""
    answers = [caller.try_run(job_input={"prompt": f"Text {n}"}) for n in range(40)]
    ends = [caller.when_over(answer.json()["id"])["status"] for answer in answers]
    return [number for number, end in enumerate(ends) if end == status]


def test_a_rule_can_be_for_a_share_of_the_jobs_which_a_seed_decides(start):
    first, again, other = (
        which_of_forty_met(start(scenarios=("timed-out@0.3",), seed=seed), "TIMED_OUT")
        for seed in (7, 7, 8)
    )

    assert first == again
    assert first != other
    assert 4 <= len(first) <= 20


def test_what_a_share_falls_on_does_not_depend_on_the_other_rules(start):
    alone = start(scenarios=("timed-out@0.3",), seed=7)
    beside = start(scenarios=("timed-out@0.3", "null-webhook-body@0.5"), seed=7)

    assert which_of_forty_met(alone, "TIMED_OUT") == which_of_forty_met(beside, "TIMED_OUT")


def test_a_share_is_drawn_once_for_a_request_however_often_it_is_sent(caller):
    caller.simulator.use("rate-limited=3", share=0.5)

    answers = [
        [caller.try_run(job_input={"n": n}).status_code for _ in range(4)] for n in range(20)
    ]

    assert {tuple(each) for each in answers} == {(429, 429, 429, 200), (200, 200, 200, 200)}


def test_a_share_of_one_is_every_job_and_of_none_is_no_job(start):
    every, none = start(scenarios=("timed-out@1",)), start(scenarios=("timed-out@0",))

    assert len(which_of_forty_met(every, "TIMED_OUT")) == 40
    assert which_of_forty_met(none, "TIMED_OUT") == []


def test_a_refusal_for_the_next_jobs_counts_requests_whatever_is_in_them(caller):
    caller.simulator.use("rate-limited", next_jobs=2)

    assert [caller.try_run().status_code for _ in range(3)] == [429, 429, 200]


def test_a_refusal_does_not_use_up_other_rules(caller):
    caller.simulator.use("timed-out", next_jobs=1)
    caller.simulator.use("server-error", next_jobs=1)

    assert caller.try_run().status_code == 500
    assert caller.when_over(caller.run())["status"] == "TIMED_OUT"


def test_clearing_ends_all_rules(start):
    caller = start(scenarios=("timed-out",))

    caller.simulator.clear()

    assert caller.when_over(caller.run())["status"] == "COMPLETED"


@pytest.mark.parametrize(
    "name", ["nonsense", "slow=soon", "slow=-1", "slow=inf", "timed-out=3", ""]
)
def test_a_scenario_that_makes_no_sense_is_refused_at_once(name):
    with pytest.raises(UnknownScenario):
        Rule(scenarios=(name,))


@pytest.mark.parametrize(
    "text", ["timed-out@2", "timed-out@-0.1", "timed-out@some", "@0.3", "timed-out@"]
)
def test_a_share_that_makes_no_sense_is_refused_at_once(text):
    with pytest.raises(UnknownScenario):
        Rule.parse(text)


def control(caller, method, path, **options):
    return requests.request(
        method, f"{caller.simulator.origin}/_simulator/{path}", timeout=10, **options
    )


def test_the_control_api_adds_lists_and_clears_rules(caller):
    rule = {"scenario": "timed-out", "next_jobs": 1, "containing": "", "share": 1}
    added = control(caller, "post", "scenarios", json=rule)

    expected = [{"scenarios": ["timed-out"], "next_jobs": 1, "containing": "", "share": 1}]
    assert added.json() == {"rules": expected}
    assert control(caller, "get", "scenarios").json()["rules"] == expected
    assert caller.when_over(caller.run())["status"] == "TIMED_OUT"
    assert control(caller, "get", "scenarios").json()["rules"] == []
    control(caller, "post", "scenarios", json={"scenarios": ["slow=99"]})
    assert control(caller, "delete", "scenarios").json() == {"rules": []}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"scenario": "x"}',
        b'{"scenario": "slow", "next_jobs": 0}',
        b'{"scenario": "slow", "n": 1}',
        b'{"scenario": "slow", "share": "half"}',
        b'{"scenario": "slow", "share": 2}',
    ],
    ids=[
        "no JSON",
        "array",
        "empty",
        "unknown scenario",
        "none of the next",
        "unknown field",
        "no number",
        "more than all",
    ],
)
def test_the_control_api_refuses_what_is_no_rule(caller, body):
    assert control(caller, "post", "scenarios", data=body).status_code == 400


def test_the_control_api_shows_jobs_deliveries_and_requests(caller, receiver):
    job_id = caller.run(receiver.url)
    receiver.wait_for(1)
    caller.simulator.wait_until(lambda one: one.deliveries())

    (job,) = control(caller, "get", "jobs").json()["jobs"]
    (delivery,) = control(caller, "get", "deliveries").json()["deliveries"]
    health = control(caller, "get", "health").json()

    assert (job["id"], job["status"], job["webhook_host"]) == (job_id, "COMPLETED", "127.0.0.1")
    assert (delivery["job_id"], delivery["http_status"], delivery["attempt"]) == (job_id, 200, 1)
    assert (health["status"], health["requests"]) == ("ok", {"run": 1})

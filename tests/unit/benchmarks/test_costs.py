"""Dollars and limits: each is what one transcript takes, times a price, or beside a limit."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.costs.dollars import fixed, gb_seconds, lines, prices, template
from benchmarks.costs.limits import Reached, limits, per_job, reached
from benchmarks.costs.usage import OWN_SECONDS, Usage, latency, usage_of

USAGE = Usage(
    words=10_000,
    calls=19,
    rounds=3,
    requests={"s3.PutObject": 25, "s3.GetObject": 49, "sqs.SendMessage": 3},
    requests_of={
        "submitter": {"s3.GetObject": 49, "runpod.run": 19},
        "webhook_receiver": {"s3.PutObject": 19},
        "notifier": {"events.PutEvents": 1},
    },
    invocations={"submitter": 4, "webhook_receiver": 19, "notifier": 1},
    write_units={"table": 160, "due": 196, "by-state": 3},
    read_units=55,
    stored_bytes={"transcripts": 56_000, "summaries": 38_000, "work": 171_000, "table": 17_000},
    sent_bytes=444_000,
    log_bytes=18_500,
    largest_item_bytes=1_776,
)


def dollars(usage: Usage, what: str = "") -> float:
    return sum(line.dollars for line in lines(usage) if what in line.what)


def test_a_line_is_so_many_of_what_was_counted_at_its_price() -> None:
    units = 160 + 196 + 3
    found = dollars(USAGE, "write units")

    assert found == pytest.approx(1_000 * units * prices()["dynamodb"]["write_unit"])


def test_what_a_job_no_longer_asks_is_no_longer_paid_for() -> None:
    fewer = replace(USAGE, write_units={"table": 80}, requests={"s3.PutObject": 6})

    assert dollars(fewer) < dollars(USAGE)


def test_functions_are_billed_by_the_memory_that_they_are_shipped_with() -> None:
    resources = template()["Resources"]
    memory_mb = resources["SubmitterFunction"]["Properties"]["MemorySize"]

    assert gb_seconds(USAGE) > USAGE.seconds["submitter"] * memory_mb / 1024


def test_the_seconds_of_a_function_follow_from_what_it_asks() -> None:
    receiver = OWN_SECONDS["webhook_receiver"]

    assert USAGE.seconds["webhook_receiver"] == pytest.approx(
        19 * receiver.an_invocation + 19 * latency("s3.PutObject")
    )


def test_a_stack_costs_something_without_a_transcript() -> None:
    assert all(each.dollars > 0 for each in fixed())


def test_every_limit_says_what_is_counted_whose_it_is_and_what_to_turn() -> None:
    counted = per_job(USAGE)

    for each in limits():
        assert each["per_job"] in counted
        assert each["whose"] in {"parameter", "quota", "fixed"}
        assert each["turn"]
        assert each["most"] > 0


def test_parameters_are_limits_as_they_are_shipped() -> None:
    ours = {each["parameter"]: each["most"] for each in limits() if "parameter" in each}

    assert set(ours) == {"CallbackRatePerSecond", "SubmitterMaxConcurrency"}
    assert ours == {name: template()["Parameters"][name]["Default"] for name in ours}


def test_a_rate_is_reached_at_a_day_of_it_divided_by_what_one_takes() -> None:
    one = Reached(name="x", most=100, per_job=20, whose="fixed", turn="y")

    assert one.a_day == 5 * 86_400
    assert one.a_day_in_busy_hours == one.a_day / 3


def test_what_is_reached_first_is_at_the_top() -> None:
    found = [each.a_day for each in reached(per_job(USAGE))]

    assert found == sorted(found)


def test_half_the_units_of_an_index_let_twice_as_many_through() -> None:
    def at(usage: Usage) -> float:
        return next(each.a_day for each in reached(per_job(usage)) if "index" in each.name)

    halved = replace(USAGE, write_units={**USAGE.write_units, "due": 98})

    assert math.isclose(at(halved), 2 * at(USAGE))


def test_a_job_is_counted_while_its_handlers_make_a_summary_of_it() -> None:
    usage = usage_of(600)

    assert (usage.calls, usage.rounds) == (1, 1)
    assert usage.invocations["webhook_receiver"] == usage.calls
    assert usage.requests_of["submitter"]["runpod.run"] == usage.calls
    asked = Counter[str]()
    for requests in usage.requests_of.values():
        asked.update(requests)
    assert asked - Counter({"runpod.run": 1, "events.PutEvents": 1}) == Counter(usage.requests)
    assert all(usage.write_units[name] > 0 for name in ("table", "due", "by-state"))
    assert {"transcripts", "summaries", "table"} <= usage.stored_bytes.keys()
    assert usage.log_bytes > 0
    assert usage.sent_bytes > usage.stored_bytes["transcripts"]

"""`show` tells the story of a job, by its id, the beginning of it, or the key of its file."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.jobs.job import JobState
from tests.builders import API_KEY, SECRET, minutes
from tests.fakes.model import a_transcript
from tests.fakes.operated import Operated, operated

KEY = "calls/board.txt"


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as operator:
        yield operator


def test_the_story_of_a_summary_has_its_rounds_calls_checks_and_cost(operator: Operated) -> None:
    job = operator.summarised(KEY, a_transcript(12_000))

    told = operator.told("show", KEY)

    assert (told["job_id"], told["state"]) == (job.id, "succeeded")
    assert told["rounds"][0]["asks"] == "outline"
    calls = [call for each in told["rounds"] for call in each["calls"]]
    assert all(call["completion_tokens"] > 0 and call["words_out"] for call in calls)
    assert told["cost"]["requests"] == len(calls)
    assert told["cost"]["gpu_seconds"]["by_request"] == pytest.approx(0.02 * len(calls))
    assert {check["code"] for check in told["checks"]} >= {"length", "quote", "coverage"}


def test_the_time_is_told_to_the_last_second(operator: Operated) -> None:
    job = operator.summarised(KEY, a_transcript(12_000))

    told = operator.told("show", job.id[:8])

    assert job.finished_at
    whole = (job.finished_at - job.created_at).total_seconds() + told["seconds"]["arriving"]
    assert sum(told["seconds"].values()) == pytest.approx(whole, abs=0.01)


def test_people_read_it_at_80_columns(operator: Operated) -> None:
    operator.summarised(KEY, a_transcript(12_000))

    told = operator.run("show", KEY, COLUMNS="80").stdout

    assert max(map(len, told.splitlines())) <= 80
    for word in (
        "Timeline",
        "Round 1",
        "Where the time went",
        "Checks",
        "Cost",
        "thrown away",
        "ours",
    ):
        assert word in told


def test_a_failed_job_says_its_reason_in_full(operator: Operated) -> None:
    job = operator.recorded(1, ago=minutes(90), state=JobState.FAILED)

    told = operator.done("show", job.source.key)

    assert "deadline: RunPod lost it" in told
    assert "sweeper  active -> failed" in told  # who moved it


def test_a_job_under_way_is_told_as_far_as_it_is(operator: Operated) -> None:
    operator.uploaded(KEY, a_transcript(12_000))

    told = operator.done("show", KEY)

    assert "active" in told
    assert "under way" in told
    assert "waiting for a worker" in told or "ours" in told


def test_a_job_that_nobody_knows_is_exit_code_3(operator: Operated) -> None:
    result = operator.run("show", "calls/nothing.txt")

    assert result.exit_code == 3
    assert "there is no job calls/nothing.txt" in result.output


def test_it_holds_no_secret_and_no_words_of_the_transcript(operator: Operated) -> None:
    operator.summarised(KEY, "Mara: The pump holds.\n" * 40)

    for output in (operator.done("show", KEY), operator.run("show", KEY, "--json").stdout):
        for secret in (SECRET.decode(), API_KEY, "hooks.invalid", "pump"):
            assert secret not in output


def test_what_a_job_costs_is_told_in_dollars_where_the_model_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with operated(monkeypatch, MODEL_NAME="", MODEL_PROFILE="mistral-small-3.1-24b") as operator:
        operator.summarised(KEY, "Mara: The pump holds.\n" * 40)

        dollars = operator.told("show", KEY)["cost"]["dollars"]

    assert 0 < dollars["low"] < dollars["high"] < 0.01


def test_ids_need_their_first_six_letters_only(operator: Operated) -> None:
    job = operator.recorded(0xABCDEF, ago=timedelta(days=3))

    assert operator.told("show", "abcdef")["job_id"] == job.id

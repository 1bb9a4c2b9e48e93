"""`cost` adds up what jobs have used, what failed ones wasted, and RunPod's own bill beside it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.jobs.job import JobState
from tests.builders import API_KEY, minutes
from tests.fakes.model import a_transcript
from tests.fakes.operated import Operated, operated

BILLING = "https://runpod.invalid/v2/billing/serverless"
URL = ("--management-url", "https://runpod.invalid")


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch, MODEL_NAME="", MODEL_PROFILE="mistral-small-3.1-24b") as operator:
        yield operator


def refuses_billing(operator: Operated, status: int = 403) -> None:
    operator.cloud.runpod.get(BILLING, status=status, json={"title": "Forbidden"})


def test_days_and_the_whole_are_summed(operator: Operated) -> None:
    refuses_billing(operator)
    for number, ago in enumerate((minutes(2), minutes(3), timedelta(days=2))):
        operator.recorded(number, ago=ago, state=JobState.SUCCEEDED)

    told = operator.told("cost", *URL)

    assert told["in_all"]["jobs"] == 3
    assert told["in_all"]["gpu_seconds"] == 183
    assert told["in_all"]["prompt_tokens"] == 42_000
    assert sum(day["jobs"] for day in told["days"]) == 3
    assert operator.told("cost", "--within", "1d", *URL)["in_all"]["jobs"] == 2


def test_dollars_go_by_the_prices_file(operator: Operated) -> None:
    refuses_billing(operator)
    job = operator.summarised("calls/board.txt", "Mara: The pump holds.\n" * 40)

    told = operator.told("cost", *URL)

    (dearest,) = told["jobs"]
    assert dearest["job_id"] == job.id
    assert dearest["dollars"]["low"] < dearest["dollars"]["high"]
    assert told["in_all"]["dollars"] == dearest["dollars"]


def test_a_model_without_a_price_has_no_dollars_and_says_so(operator: Operated) -> None:
    refuses_billing(operator)
    operator.recorded(1, ago=minutes(5), state=JobState.SUCCEEDED)

    assert operator.told("cost", *URL)["in_all"]["dollars"] is None
    assert "models.toml has no price" in operator.done("cost", *URL)


def test_what_a_failed_job_used_was_thrown_away(operator: Operated) -> None:
    refuses_billing(operator)
    job = operator.uploaded("calls/board.txt", a_transcript(12_000))
    operator.answer_all()  # the outline comes, and then the deadline
    store = operator.cloud.store()
    job = store.load_job(job.id)
    event = operator.ending()
    store.save_job(job.with_failure("deadline", event))

    whole = operator.told("cost", *URL)["in_all"]

    assert (whole["jobs"], whole["failed"], whole["requests"]) == (1, 1, 1)
    assert whole["discarded_tokens"] == whole["completion_tokens"] > 0


def test_runpods_own_bill_stands_beside_it(operator: Operated) -> None:
    operator.recorded(1, ago=minutes(5), state=JobState.SUCCEEDED)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    records = [
        {"startTime": f"{today}T00:00:00Z", "serverlessId": "e", "totalAmount": amount}
        for amount in (1.5, 0.25)
    ]
    operator.cloud.runpod.get(BILLING, json={"records": records, "metadata": {}})

    told = operator.told("cost", *URL)

    assert told["endpoint"]["billed_by_day"] == {today: 1.75}
    assert "endpoint e: $1.75" in operator.done("cost", *URL)


def test_a_key_that_may_not_see_the_bill_is_told_and_the_rest_as_well(operator: Operated) -> None:
    refuses_billing(operator)
    operator.recorded(1, ago=minutes(5), state=JobState.SUCCEEDED)

    result = operator.run("cost", "--json", *URL)

    assert result.exit_code == 0
    assert "give a key that may read billing in RUNPOD_API_KEY" in result.stdout
    assert API_KEY not in result.output + operator.done("cost", *URL)


def test_a_time_without_jobs_is_said_to_be_one(operator: Operated) -> None:
    refuses_billing(operator)

    assert "No job has ended" in operator.done("cost", *URL)

"""`stop` and `resume` over moto: two switches, turned in the right order, and everything else as it was."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.builders import a_call, a_job
from tests.cli.operating.operated import Operated, operated
from tests.fakes.fake_stack import FEED, SCHEDULE
from tests.template.cloudformation import deployed, of_type

KEPT = ("ScheduleExpression", "FlexibleTimeWindow", "Target", "Description", "GroupName")


@pytest.fixture(name="stack")
def _stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as stack:
        (schedule,) = of_type(deployed(), "AWS::Scheduler::Schedule").values()
        arn = "arn:aws:lambda:us-east-1:123456789012:function:sweeper"
        role = "arn:aws:iam::123456789012:role/sweep"
        target = schedule["Target"] | {"Arn": arn, "RoleArn": role}
        boto3.client("scheduler").create_schedule(Name=SCHEDULE, **schedule | {"Target": target})
        yield stack


def schedule() -> dict[str, Any]:
    return dict(boto3.client("scheduler").get_schedule(Name=SCHEDULE))


def is_fed(stack: Operated) -> bool:
    return stack.stack.feeds[0]["State"] == "Enabled"


def test_both_are_stopped_and_both_go_on_as_they_were(stack: Operated) -> None:
    before = schedule()

    stopped = stack.json("stop", "--yes")
    assert (is_fed(stack), schedule()["State"]) == (False, "DISABLED")
    resumed = stack.json("resume", "--yes")

    after = schedule()
    assert (is_fed(stack), after["State"]) == (True, "ENABLED")
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert stopped["turned"] == ["queue", "sweep"]
    assert resumed["turned"] == ["sweep", "queue"]


def test_the_sweep_may_go_on_while_nothing_new_begins(stack: Operated) -> None:
    stack.json("stop", "--keep-sweeping", "--yes")

    assert (is_fed(stack), schedule()["State"]) == (False, "ENABLED")


def test_what_is_stopped_already_is_left_alone_and_nobody_is_asked(stack: Operated) -> None:
    stack.json("stop", "--yes")

    again = stack.json("stop")

    assert again["turned"] == []
    assert "Nothing to do" in stack.run("stop").stdout


def test_a_dry_run_says_what_would_be_held_up_and_turns_nothing(stack: Operated) -> None:
    stack.cloud.holding(a_job(), a_call())
    stack.sqs.send_message(QueueUrl=stack.cloud.queue_url, MessageBody="x")

    told = stack.run("stop", "--dry-run").stdout

    assert "messages in the queue: 1; active jobs: 1" in told
    assert "queue and sweep would be switched off" in told
    assert (is_fed(stack), schedule()["State"]) == (True, "ENABLED")


def test_it_asks_and_a_no_changes_nothing(stack: Operated) -> None:
    result = stack.run("stop", answer="n\n")

    assert result.exit_code == 1
    assert "Stop the queue and the sweep" in result.stderr
    assert is_fed(stack)


def test_an_answer_of_yes_stops_it_and_says_what_waits_where(stack: Operated) -> None:
    told = stack.run("stop", answer="y\n").stdout

    assert "up to 4 days" in told
    assert (
        f"{deployed()['UploadQueue']['Properties']['MessageRetentionPeriod'] // 86400} days" in told
    )
    assert "30 minutes" in told


def test_another_queues_mapping_is_not_touched(stack: Operated) -> None:
    other = {"UUID": "u-2", "EventSourceArn": f"{FEED}-of-notices", "State": "Enabled"}
    stack.stack.feeds.insert(0, other)

    stack.json("stop", "--yes")

    assert [each["State"] for each in stack.stack.feeds] == ["Enabled", "Disabling"]


def test_a_change_that_lambda_is_still_at_is_told_with_what_to_do(stack: Operated) -> None:
    stack.stack.is_busy = True

    result = stack.run("stop", "--yes")

    assert result.exit_code == 1
    assert "run it again in a minute" in result.stderr


@pytest.mark.parametrize("gone", ["queue", "sweep"])
def test_a_switch_that_is_gone_is_the_doctors_to_explain(stack: Operated, gone: str) -> None:
    if gone == "queue":
        stack.stack.feeds.clear()
    else:
        boto3.client("scheduler").delete_schedule(Name=SCHEDULE)

    result = stack.run("resume", "--yes")

    assert result.exit_code == 1
    assert "`doctor` says what to do" in result.stderr

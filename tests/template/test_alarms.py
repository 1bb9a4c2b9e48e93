"""Which alarms the deployed template has, and whom they reach."""

from typing import Any

import pytest

from tests.template.cloudformation import deployed, of_type


@pytest.fixture(name="stack", scope="module")
def _stack() -> dict[str, Any]:
    return {name: resource.get("Properties", {}) for name, resource in deployed().items()}


def test_held_calls_raise_an_alarm_on_the_metric_as_powertools_publishes_it(stack: dict) -> None:
    variables = stack["SubmitterFunction"]["Environment"]["Variables"]
    (dimension,) = stack["CallsHeldAlarm"]["Dimensions"]

    assert stack["CallsHeldAlarm"]["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert dimension == {"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}


def watched(alarm: dict[str, Any]) -> tuple[str, str, str]:
    (dimension,) = alarm["Dimensions"]
    return alarm["Namespace"], alarm["MetricName"], dimension["Value"]


def test_the_alarms_watch_what_can_lose_a_job() -> None:
    alarms = of_type(deployed(), "AWS::CloudWatch::Alarm")

    assert {watched(alarm) for alarm in alarms.values()} == {
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "${UploadDeadLetterQueue.QueueName}",
        ),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "${NoticeDeadEnd.QueueName}"),
        ("AWS/Lambda", "Errors", "${SweeperFunction}"),
        ("AWS/Lambda", "Invocations", "${SweeperFunction}"),
        ("AWS/ApiGateway", "5xx", "${HttpApi}"),
        ("TranscriptSummaries", "CallsHeld", "submitter"),
    }


def test_a_sweeper_that_does_not_run_raises_the_alarm_although_it_sends_no_figures(
    stack: dict,
) -> None:
    assert stack["SweeperSilentAlarm"]["TreatMissingData"] == "breaching"
    assert stack["SweeperSilentAlarm"]["ComparisonOperator"] == "LessThanThreshold"


def test_alarms_are_mailed_only_where_an_address_is_given() -> None:
    silent, mailed = deployed(), deployed(AlarmEmail="ops@example.org")

    assert not of_type(silent, "AWS::SNS::Topic")
    assert mailed["AlarmSubscription"]["Properties"]["Endpoint"] == "ops@example.org"
    for alarm in of_type(silent, "AWS::CloudWatch::Alarm").values():
        assert "AlarmActions" not in alarm
    for alarm in of_type(mailed, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["${AlarmTopic}"]

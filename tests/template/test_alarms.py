"""Which alarms the deployed template has, what they say, and whom they reach."""

import re

import click
import pytest

from cli.__main__ import main
from core.telemetry import SERVICE, Metric
from tests.template.cloudformation import FUNCTIONS, ROOT, deployed, environment, of_type, source
from tests.template.dashboard import Watched, alarms, watched_by

NAMESPACE = environment("SubmitterFunction")["POWERTOOLS_METRICS_NAMESPACE"]
ALARMS = alarms()
# What tells of jobs may be slow: it has a dead end with an alarm.
MOVING_JOBS = ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction")
OPERATING = (ROOT / "docs" / "operating.md").read_text()


def ours(metric: Metric) -> Watched:
    return Watched(NAMESPACE, metric.value, (("service", SERVICE),))


def of_function(metric: str, function: str) -> Watched:
    return Watched("AWS/Lambda", metric, (("FunctionName", f"${{{function}}}"),))


def of_api(metric: str) -> Watched:
    return Watched("AWS/ApiGateway", metric, (("ApiId", "${HttpApi}"),))


def test_the_alarms_watch_what_can_lose_a_job_delay_it_or_cost_too_much() -> None:
    dead_ends = ("${UploadDeadLetterQueue.QueueName}", "${NoticeDeadEnd.QueueName}")

    assert {watched_by(alarm) for alarm in ALARMS.values()} == {
        *(
            Watched("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", queue),))
            for queue in dead_ends
        ),
        ours(Metric.JOBS_FAILED_UNEXPECTEDLY),
        ours(Metric.OLDEST_ACTIVE_JOB_SECONDS),
        ours(Metric.CALLBACKS_LOST),
        of_api("4xx"),
        of_api("5xx"),
        ours(Metric.CALLS_HELD),
        ours(Metric.SUBMIT_ERRORS),
        ours(Metric.ENDPOINT_JOBS_WITHOUT_WORKER),
        *(of_function("Duration", function) for function in MOVING_JOBS),
        of_function("Errors", "SweeperFunction"),
        of_function("Invocations", "SweeperFunction"),
        ours(Metric.SUMMARIES_WITH_DOUBTS),
        ours(Metric.TOKENS_DISCARDED_PERCENT),
    }


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_happened_and_names_a_section_of_the_operators_page(name: str) -> None:
    description = ALARMS[name]["AlarmDescription"]
    headings = re.findall(r"^## (.+)$", OPERATING, re.M)

    named = re.findall(r'"([^"]+)"', description)

    assert len(description) <= 1024  # CloudWatch's limit
    assert "docs/operating.md" in description
    assert named
    assert set(named) <= set(headings)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_names_commands_that_there_are(name: str) -> None:
    commands = re.findall(r"`summaries (\w+)", ALARMS[name]["AlarmDescription"])

    assert set(commands) <= set(main.list_commands(click.Context(main)))


def test_every_function_takes_the_deployments_own_namespace() -> None:
    """Two deployments of one account would otherwise raise each other's alarms."""
    assert NAMESPACE == "TranscriptSummaries/summaries-test"
    for function in FUNCTIONS:
        assert environment(function)["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE


@pytest.mark.parametrize("function", MOVING_JOBS)
def test_a_function_is_slow_at_four_fifths_of_its_timeout(function: str) -> None:
    slow = ALARMS[function.removesuffix("Function") + "SlowAlarm"]
    timeout_seconds = deployed()[function]["Properties"]["Timeout"]

    assert slow["ExtendedStatistic"] == "p99"
    assert slow["Threshold"] == timeout_seconds * 1000 * 4 // 5
    assert f"{timeout_seconds} seconds" in slow["AlarmDescription"]


@pytest.mark.parametrize(
    "minutes", source()["Parameters"]["JobDeadlineMinutes"]["AllowedValues"], ids=str
)
def test_a_job_is_old_at_three_quarters_of_its_deadline(minutes: int) -> None:
    old = alarms(JobDeadlineMinutes=minutes, MaxPollingAttempts=20)["OldestJobAlarm"]

    assert old["Threshold"] == minutes * 60 * 3 / 4


def test_no_alarm_rings_for_what_a_run_of_the_doctor_adds() -> None:
    """Its look at the callback URL is one request with a wrong token."""
    refusals = ALARMS["CallbackRefusalAlarm"]

    assert refusals["Statistic"] == "Sum"
    assert refusals["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert refusals["Threshold"] > 5
    assert Metric.CALLBACKS_UNAUTHORIZED not in {each["MetricName"] for each in ALARMS.values()}


RATES = (Metric.CALLBACKS_LOST, Metric.SUBMIT_ERRORS, Metric.SUMMARIES_WITH_DOUBTS)


@pytest.mark.parametrize("metric", RATES)
def test_a_rate_is_the_average_of_samples_of_0_and_1(metric: Metric) -> None:
    (alarm,) = [each for each in ALARMS.values() if each["MetricName"] == metric]

    assert alarm["Statistic"] == "Average"
    assert 0 < alarm["Threshold"] < 1


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_can_be_evaluated(name: str) -> None:
    """CloudWatch takes no alarm over more than a day, and the local emulator none of several metrics."""
    alarm = ALARMS[name]

    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 86_400
    assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"]
    assert "Metrics" not in alarm


def test_a_sweeper_that_does_not_run_raises_the_alarm_although_it_sends_no_figures() -> None:
    assert ALARMS["SweeperSilentAlarm"]["TreatMissingData"] == "breaching"
    assert ALARMS["SweeperSilentAlarm"]["ComparisonOperator"] == "LessThanThreshold"
    others = [alarm for name, alarm in ALARMS.items() if name != "SweeperSilentAlarm"]
    assert {alarm["TreatMissingData"] for alarm in others} == {"notBreaching"}


@pytest.mark.parametrize("minutes", [1, 2, 5])
def test_a_sweep_of_every_schedule_is_heard_of_in_each_period_of_the_alarms_about_it(
    minutes: int,
) -> None:
    told = [
        alarm
        for alarm in alarms(SweepScheduleMinutes=minutes).values()
        if alarm["MetricName"].startswith(("Endpoint", "OldestActive"))
    ]

    assert len(told) == 2
    assert all(alarm["Period"] >= minutes * 60 for alarm in told)


def test_alarms_are_mailed_only_where_an_address_is_given() -> None:
    silent, mailed = deployed(), deployed(AlarmEmail="ops@example.org")

    assert not of_type(silent, "AWS::SNS::Topic")
    assert mailed["AlarmSubscription"]["Properties"]["Endpoint"] == "ops@example.org"
    for alarm in of_type(silent, "AWS::CloudWatch::Alarm").values():
        assert "AlarmActions" not in alarm
    for alarm in of_type(mailed, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["${AlarmTopic}"]

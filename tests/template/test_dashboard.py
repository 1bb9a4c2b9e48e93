"""What the deployed dashboard shows is there to be seen, and what is there to be seen is shown."""

import re
from typing import Any

import pytest

from core.telemetry import SERVICE, Metric
from tests.template.cloudformation import deployed, environment, of_type
from tests.template.dashboard import Watched, alarms, dashboard, shown_in, watched_by, widgets

NAMESPACE = environment("SubmitterFunction")["POWERTOOLS_METRICS_NAMESPACE"]
SHOWN = {metric for widget in widgets("metric") for metric in shown_in(widget)}
# What the services themselves publish, by whom it is about.
OF_AWS = {
    "AWS/Lambda": {"Duration", "Errors", "Throttles", "Invocations"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
    "AWS/ApiGateway": {"4xx", "5xx"},
}
DIMENSION_OF_AWS = {"AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/ApiGateway": "ApiId"}
# What is printed and neither shown nor watched, and why.
UNSEEN = {
    Metric.DUPLICATE_UPLOADS: "S3 says things twice; nothing is to be done about it",
    Metric.WORK_FILES_EXPIRED: "housekeeping in a bucket of the operator's own",
}


@pytest.mark.parametrize(
    "metric",
    sorted(SHOWN | {watched_by(alarm) for alarm in alarms().values()}, key=str),
    ids=lambda metric: f"{metric.namespace} {metric.name}",
)
def test_what_is_shown_or_watched_is_something_that_is_published(metric: Watched) -> None:
    if metric.namespace == NAMESPACE:
        assert metric.name in set(Metric)
        assert metric.dimensions == (("service", SERVICE),)
        return
    assert metric.name in OF_AWS[metric.namespace]
    ((name, value),) = metric.dimensions
    assert name == DIMENSION_OF_AWS[metric.namespace]
    resource = re.fullmatch(r"\$\{(\w+)(\.QueueName)?\}", value)
    assert resource
    assert resource[1] in deployed()


def test_what_functions_print_is_seen_or_excused() -> None:
    seen = {metric.name for metric in SHOWN if metric.namespace == NAMESPACE}
    seen |= {alarm["MetricName"] for alarm in alarms().values()}

    assert set(Metric) - seen == UNSEEN.keys()


def test_it_asks_four_questions_in_order() -> None:
    texts = [widget["markdown"] for widget in widgets("text")]

    assert [text.removeprefix("## ").split("?")[0] for text in texts] == [
        "Is it working",
        "How long does a summary take",
        "What does it cost",
        "Are the summaries good",
    ]


def test_it_shows_every_alarm() -> None:
    (widget,) = widgets("alarm")

    assert {arn.removeprefix("${").removesuffix(".Arn}") for arn in widget["alarms"]} == set(
        alarms()
    )


def test_no_two_widgets_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard()["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)  # and none leaves a hole


@pytest.mark.parametrize("widget", widgets("metric"), ids=lambda widget: widget["title"])
def test_an_expression_names_metrics_of_its_widget(widget: dict[str, Any]) -> None:
    ids = {options["id"] for *names, options in widget["metrics"] if names and "id" in options}
    for *names, options in widget["metrics"]:
        if not names:
            asked = set(re.findall(r"\b[a-z]\w*", options["expression"]))
            assert asked <= ids
        elif not options.get("visible", True):
            assert options["id"]  # hidden, so an expression's


def test_a_line_is_drawn_where_an_alarm_rings() -> None:
    drawn = {
        (metric.name, note["value"])
        for widget in widgets("metric", JobDeadlineMinutes=30)
        for note in widget.get("annotations", {}).get("horizontal", [])
        for metric in shown_in(widget)
    }

    stack = alarms(JobDeadlineMinutes=30)
    assert (Metric.OLDEST_ACTIVE_JOB_SECONDS, stack["OldestJobAlarm"]["Threshold"]) in drawn
    assert (
        Metric.TOKENS_DISCARDED_PERCENT,
        stack["DiscardedTokensAlarm"]["Threshold"],
    ) in drawn
    assert (Metric.SUMMARIES_WITH_DOUBTS, 100 * stack["DoubtAlarm"]["Threshold"]) in drawn
    assert ("Duration", stack["WebhookReceiverSlowAlarm"]["Threshold"]) in drawn
    assert ("Duration", stack["SubmitterSlowAlarm"]["Threshold"]) in drawn


def test_its_name_is_one_in_the_whole_account() -> None:
    (properties,) = of_type(deployed(), "AWS::CloudWatch::Dashboard").values()

    assert properties["DashboardName"] == "summaries-test-eu-central-1"


def test_the_log_that_it_shows_is_that_of_the_functions_that_can_end_a_job() -> None:
    groups = of_type(deployed(), "AWS::Logs::LogGroup")
    functions = {
        groups[f"{name}LogGroup"]["LogGroupName"]
        for name in ("Submitter", "WebhookReceiver", "Sweeper")
    }
    (widget,) = widgets("log")

    assert set(re.findall(r"SOURCE '([^']+)'", widget["query"])) == functions
    assert "filter message = 'job failed'" in widget["query"]

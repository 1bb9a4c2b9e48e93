"""How a job's end is told: from the stream to the bus, from there by mail and webhook, and the dead end."""

import json
import re
from typing import Any

import pytest

from core.notices.notice import FAILED, PUBLISHED, SOURCE
from tests.fakes.notices import EXAMPLES, fits
from tests.template.cloudformation import deployed, is_accepted, of_type, source
from webhook_sender.schedule import MOST_TRIES, pause_after

MAIL = {"NoticeEmail": "desk@example.org"}
WEBHOOK_PARTS = ("NoticeQueue", "NoticeWebhookRule", "NoticeWebhookSecret", "WebhookSenderFunction")
MAIL_PARTS = ("NoticeTopic", "NoticeSubscription", "FailureMailRule", "SummaryMailRule")


@pytest.fixture(name="stack", scope="module")
def _stack() -> dict[str, Any]:
    everything = deployed(**MAIL, NoticeEmailAbout="all")
    return {name: resource.get("Properties", {}) for name, resource in everything.items()}


# ---- from the stream -----------------------------------------------------------------------------


def change(kind: str, item: str, before: str, after: str) -> dict[str, Any]:
    images = {"OldImage": before, "NewImage": after}
    return {
        "eventName": kind,
        "dynamodb": {
            "Keys": {"job_id": {"S": "0"}, "item": {"S": item}},
            **{name: {"state": {"S": state}} for name, state in images.items() if state},
        },
    }


@pytest.mark.parametrize(
    ("record", "is_told"),
    [
        (change("MODIFY", "job", "active", "succeeded"), True),
        (change("MODIFY", "job", "active", "failed"), True),
        (change("INSERT", "job", "", "failed"), True),
        (change("INSERT", "job", "", "active"), False),
        (change("MODIFY", "job", "active", "active"), False),
        (change("MODIFY", "job", "failed", "failed"), False),  # its open calls were cancelled
        (change("REMOVE", "job", "succeeded", ""), False),  # it has expired
        (change("MODIFY", "call#1-0", "publishing", "succeeded"), False),
        (change("INSERT", "call#1-0", "", "failed"), False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else json.dumps(value)[:90],
)
def test_only_a_job_that_has_just_ended_starts_the_notifier(
    stack: dict, record: dict[str, Any], is_told: bool
) -> None:
    filters = stack["NotifierFunctionEndedJobs"]["FilterCriteria"]["Filters"]

    matching = [each for each in filters if fits(record, json.loads(each["Pattern"]))]
    assert len(matching) == is_told


def test_the_stream_shows_a_job_before_and_after_the_change(stack: dict) -> None:
    assert stack["JobsTable"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_a_record_that_breaks_the_notifier_is_kept_and_does_not_stop_the_others(
    stack: dict,
) -> None:
    mapping = stack["NotifierFunctionEndedJobs"]

    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] <= 100
    assert 0 < mapping["MaximumRecordAgeInSeconds"] < 24 * 3600  # as long as the stream has it
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "${NoticeDeadEnd.Arn}"}}
    assert mapping["BatchSize"] == 10
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_the_dead_end_keeps_what_it_has_for_two_weeks_and_raises_an_alarm(stack: dict) -> None:
    alarm = stack["NoticeDeadEndAlarm"]

    assert stack["NoticeDeadEnd"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "${NoticeDeadEnd.QueueName}"}]
    assert "Notices that did not arrive" in alarm["AlarmDescription"]
    assert "summaries notices" in alarm["AlarmDescription"]


# ---- to mail and webhook -------------------------------------------------------------------------


def test_without_parameters_there_is_the_event_alone() -> None:
    resources = deployed(NoticeWebhookUrl="")

    assert "NotifierFunction" in resources
    assert not {*WEBHOOK_PARTS, *MAIL_PARTS, "WebhookSenderRole"} & resources.keys()
    assert of_type(resources, "AWS::Events::Rule") == {}


@pytest.mark.parametrize(
    ("about", "rules"),
    [("failures", {"FailureMailRule"}), ("all", {"FailureMailRule", "SummaryMailRule"})],
)
def test_mail_is_about_failures_or_about_all(about: str, rules: set[str]) -> None:
    resources = deployed(**MAIL, NoticeEmailAbout=about)

    assert {name for name in resources if name.endswith("MailRule")} == rules
    subscription = resources["NoticeSubscription"]["Properties"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "desk@example.org")


def test_all_is_no_reason_for_a_rule_where_no_address_is_given() -> None:
    assert not {*MAIL_PARTS} & deployed(NoticeEmailAbout="all").keys()


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("FailureMailRule", {FAILED}),
        ("SummaryMailRule", {PUBLISHED}),
        ("NoticeWebhookRule", {PUBLISHED, FAILED}),
    ],
)
def test_a_rule_takes_the_notices_of_its_kinds_and_of_this_stack(
    stack: dict, rule: str, kinds: set[str]
) -> None:
    pattern = stack[rule]["EventPattern"]

    for kind, example in EXAMPLES.items():
        ours = {**example, "detail": {**example["detail"], "stack": "summaries-test"}}
        assert fits(ours, pattern) == (kind in kinds)
        assert not fits(example | {"detail": {**ours["detail"], "stack": "another"}}, pattern)
        assert not fits(ours | {"source": "another"}, pattern)
    assert pattern["source"] == [SOURCE]


@pytest.mark.parametrize("rule", ["FailureMailRule", "SummaryMailRule", "NoticeWebhookRule"])
def test_what_a_rule_cannot_hand_on_is_kept(stack: dict, rule: str) -> None:
    (target,) = stack[rule]["Targets"]

    assert target["DeadLetterConfig"] == {"Arn": "${NoticeDeadEnd.Arn}"}


def mail(rule: dict[str, Any], event: dict[str, Any]) -> str:
    """Return what EventBridge makes of an event: paths that are not there are left empty."""
    (target,) = rule["Targets"]
    transformer = target["InputTransformer"]

    def value(name: str) -> str:
        found: Any = event
        for part in transformer["InputPathsMap"][name].removeprefix("$.").split("."):
            found = found[part]
        return str(found)

    return re.sub("<(.+?)>", lambda match: value(match[1]), transformer["InputTemplate"])


def test_a_mail_reads_as_a_sentence(stack: dict) -> None:
    failed = mail(stack["FailureMailRule"], EXAMPLES[FAILED])
    published = mail(stack["SummaryMailRule"], EXAMPLES[PUBLISHED])

    assert failed.splitlines()[0] == (
        '"There is no summary of calls/harbour board.pdf (bucket transcripts): the PDF has pages but'
        ' no text (scanned-pdf)."'
    )
    assert published.splitlines()[0] == (
        '"The summary of calls/harbour board.vtt is there: 4012 words in'
        " s3://summaries-of-ours/summaries/calls/harbour board.vtt.txt;"
        ' checks that ended in doubt: 2."'
    )
    for text in (failed, published):
        assert all(line[0] == line[-1] == '"' for line in text.splitlines())  # as EventBridge wants


# ---- the webhook ---------------------------------------------------------------------------------


def test_a_notice_is_hidden_for_six_times_the_senders_timeout(stack: dict) -> None:
    assert (
        stack["NoticeQueue"]["VisibilityTimeout"] >= 6 * stack["WebhookSenderFunction"]["Timeout"]
    )


def test_the_sender_gives_a_notice_up_before_the_queue_does(stack: dict) -> None:
    redrive = stack["NoticeQueue"]["RedrivePolicy"]
    waits = [pause_after(tries, chance=1.0) for tries in range(1, MOST_TRIES)]
    in_all = sum(each.total_seconds() for each in waits if each)

    assert redrive["deadLetterTargetArn"] == "${NoticeDeadEnd.Arn}"
    assert redrive["maxReceiveCount"] > MOST_TRIES
    assert stack["NoticeQueue"]["MessageRetentionPeriod"] > 2 * in_all


def test_a_slow_receiver_takes_two_executions_at_most_and_one_message_each(stack: dict) -> None:
    mapping = stack["WebhookSenderFunctionNotices"]

    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_secret_is_random_letters_and_digits_which_are_base64(stack: dict) -> None:
    generate = stack["NoticeWebhookSecret"]["GenerateSecretString"]
    punctuation = {chr(code) for code in range(33, 127) if not chr(code).isalnum()}

    assert json.loads(generate["SecretStringTemplate"]) == {"previous": ""}
    assert generate["GenerateStringKey"] == "current"
    assert generate["PasswordLength"] % 4 == 0
    assert 24 <= generate["PasswordLength"] * 6 / 8 <= 64  # bytes, as Standard Webhooks wants
    assert set(generate["ExcludeCharacters"]) == punctuation


def test_a_given_secret_takes_the_place_of_the_stacks() -> None:
    assert "NoticeWebhookSecret" not in deployed(NoticeWebhookSecretName="team/hook")


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://hooks.example", True),
        ("https://hooks.example/services/T0/B0/x9?y=1&z=%20", True),
        ("https://hooks.example:8443/", True),
        ("http://127.0.0.1:9000/hook", True),
        ("http://localhost/hook", True),
        ("http://hooks.example/", False),
        ("https://user:pass@hooks.example/", False),
        ("https://hooks.example/#part", False),
        ("https://hooks.example/a b", False),
        ("http://127.0.0.1.hooks.example/", False),
        ("ftp://hooks.example/", False),
    ],
)
def test_a_webhook_is_https_or_on_this_machine(url: str, is_allowed: bool) -> None:
    assert is_accepted(NoticeWebhookUrl=url) == is_allowed


def test_the_webhooks_url_is_shown_to_nobody_who_describes_the_stack() -> None:
    template = source()

    assert template["Parameters"]["NoticeWebhookUrl"]["NoEcho"] is True
    assert "NoticeWebhookUrl" not in json.dumps(
        {name: each["Value"] for name, each in template["Outputs"].items()}
    )

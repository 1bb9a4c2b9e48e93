"""Who may do what: single actions on single resources, listed in full."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.aws.names import WORK_PREFIX
from tests.template.cloudformation import deployed, of_type

# Of the functions that move jobs.
ROLES = ("SubmitterRole", "WebhookReceiverRole", "SweeperRole")
OF_NOTICES = {"NotifierRole": "dynamodb", "WebhookSenderRole": "secretsmanager"}
QUEUE = "${UploadQueue.Arn}"
TABLE = "${JobsTable.Arn}"
CALLBACK_SECRET = "${CallbackSecret.Id}"
RUNPOD_KEY = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:runpod/api-key-??????"
TRANSCRIPTS = "${TranscriptsBucket.Arn}"
SUMMARIES_BUCKET = "${SummariesBucket.Arn}"
SUMMARIES = f"{SUMMARIES_BUCKET}/summaries/*"
WORK = f"{SUMMARIES_BUCKET}/work/*"
RESULTS = {
    ("s3:PutObject", SUMMARIES),
    ("s3:GetObject", SUMMARIES),
    ("s3:PutObject", WORK),
    ("s3:GetObject", WORK),
    ("s3:ListBucket", SUMMARIES_BUCKET),
}

SUBMITTER = {
    ("sqs:ReceiveMessage", QUEUE),
    ("sqs:DeleteMessage", QUEUE),
    ("sqs:GetQueueAttributes", QUEUE),
    ("sqs:SendMessage", QUEUE),
    ("s3:GetObjectVersion", f"{TRANSCRIPTS}/*"),
    ("s3:GetObject", f"{TRANSCRIPTS}/*_glossary.txt"),
    ("s3:ListBucket", TRANSCRIPTS),
    *RESULTS,
    ("dynamodb:PutItem", TABLE),
    ("dynamodb:Query", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("dynamodb:BatchGetItem", TABLE),
    ("secretsmanager:GetSecretValue", CALLBACK_SECRET),
    ("secretsmanager:GetSecretValue", RUNPOD_KEY),
    ("logs:CreateLogStream", "${SubmitterLogGroup.Arn}"),
    ("logs:PutLogEvents", "${SubmitterLogGroup.Arn}"),
}
RECEIVER = {
    ("secretsmanager:GetSecretValue", CALLBACK_SECRET),
    ("dynamodb:BatchGetItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    *RESULTS,
    ("sqs:SendMessage", QUEUE),
    ("logs:CreateLogStream", "${WebhookReceiverLogGroup.Arn}"),
    ("logs:PutLogEvents", "${WebhookReceiverLogGroup.Arn}"),
}
SWEEPER = {
    ("dynamodb:Query", "${JobsTable.Arn}/index/due"),
    ("dynamodb:Query", TABLE),
    ("dynamodb:Query", "${JobsTable.Arn}/index/by-state"),
    ("dynamodb:BatchGetItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("secretsmanager:GetSecretValue", RUNPOD_KEY),
    *RESULTS,
    ("sqs:SendMessage", QUEUE),
    ("logs:CreateLogStream", "${SweeperLogGroup.Arn}"),
    ("logs:PutLogEvents", "${SweeperLogGroup.Arn}"),
}
NOTIFIER = {
    ("dynamodb:DescribeStream", "${JobsTable.StreamArn}"),
    ("dynamodb:GetRecords", "${JobsTable.StreamArn}"),
    ("dynamodb:GetShardIterator", "${JobsTable.StreamArn}"),
    ("dynamodb:ListStreams", "${JobsTable.Arn}/stream/*"),
    ("events:PutEvents", "arn:aws:events:eu-central-1:123456789012:event-bus/default"),
    ("sqs:SendMessage", "${NoticeDeadEnd.Arn}"),
    ("logs:CreateLogStream", "${NotifierLogGroup.Arn}"),
    ("logs:PutLogEvents", "${NotifierLogGroup.Arn}"),
}
WEBHOOK_SENDER = {
    ("sqs:ReceiveMessage", "${NoticeQueue.Arn}"),
    ("sqs:DeleteMessage", "${NoticeQueue.Arn}"),
    ("sqs:GetQueueAttributes", "${NoticeQueue.Arn}"),
    ("sqs:ChangeMessageVisibility", "${NoticeQueue.Arn}"),
    ("sqs:SendMessage", "${NoticeDeadEnd.Arn}"),
    ("secretsmanager:GetSecretValue", "${NoticeWebhookSecret.Id}"),
    ("logs:CreateLogStream", "${WebhookSenderLogGroup.Arn}"),
    ("logs:PutLogEvents", "${WebhookSenderLogGroup.Arn}"),
}
SCHEDULE = {("lambda:InvokeFunction", "${SweeperFunction.Arn}")}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(role: str, **given: object) -> set[tuple[str, str]]:
    """The (action, resource) pairs that a role's own policies allow."""
    policies = deployed(**given)[role]["Properties"]["Policies"]
    return {
        (action, resource)
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if statement["Effect"] == "Allow"
    }


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        pytest.param("SubmitterRole", SUBMITTER, id="submitter"),
        pytest.param("WebhookReceiverRole", RECEIVER, id="webhook receiver"),
        pytest.param("SweeperRole", SWEEPER, id="sweeper"),
        pytest.param("NotifierRole", NOTIFIER, id="notifier"),
        pytest.param("WebhookSenderRole", WEBHOOK_SENDER, id="webhook sender"),
        pytest.param("SweepScheduleRole", SCHEDULE, id="schedule"),
    ],
)
def test_a_role_allows_what_its_function_does_and_nothing_else(
    role: str, allowed: set[tuple[str, str]]
) -> None:
    assert grants(role) == allowed


def test_the_receiver_may_read_the_runpod_key_only_to_verify_callbacks() -> None:
    verifying = grants("WebhookReceiverRole", VerifyCallbacks="true")

    assert verifying == RECEIVER | {("secretsmanager:GetSecretValue", RUNPOD_KEY)}


TRACES = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}


@pytest.mark.parametrize("function", of_type(deployed(), "AWS::Lambda::Function"))
def test_a_function_may_write_traces_exactly_where_it_is_traced(function: str) -> None:
    """Lambda refuses to trace a function whose role may not write traces."""
    for traced, mode in (("false", "PassThrough"), ("true", "Active")):
        properties = deployed(TraceRequests=traced)[function]["Properties"]
        role = properties["Role"].removeprefix("${").removesuffix(".Arn}")

        assert properties["TracingConfig"] == {"Mode": mode}
        assert grants(role, TraceRequests=traced) & TRACES == (
            TRACES if traced == "true" else set()
        )


def test_a_given_secret_of_the_webhook_is_the_one_that_may_be_read() -> None:
    given = grants("WebhookSenderRole", NoticeWebhookSecretName="team/hook")
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:team/hook-??????"

    assert given - WEBHOOK_SENDER == {("secretsmanager:GetSecretValue", secret)}


def test_given_buckets_are_opened_no_wider_than_their_prefixes() -> None:
    given = {
        "InputBucketName": "given-in",
        "InputPrefix": "calls/transcripts/",
        "OutputBucketName": "given-out",
        "OutputPrefix": "results/",
    }

    results = {
        (action, f"arn:aws:s3:::given-out/{prefix}*")
        for action in ("s3:PutObject", "s3:GetObject")
        for prefix in ("results/", WORK_PREFIX)
    } | {("s3:ListBucket", "arn:aws:s3:::given-out")}
    assert {pair for pair in grants("SubmitterRole", **given) if pair[0].startswith("s3:")} == {
        ("s3:GetObject", "arn:aws:s3:::given-in/calls/transcripts/*"),
        ("s3:GetObjectVersion", "arn:aws:s3:::given-in/calls/transcripts/*"),
        ("s3:GetObject", "arn:aws:s3:::given-in/calls/transcripts/*_glossary.txt"),
        ("s3:ListBucket", "arn:aws:s3:::given-in"),
        *results,
    }
    results_and_deletion = results | {("s3:DeleteObject", f"arn:aws:s3:::given-out/{WORK_PREFIX}*")}
    for role, expected in (
        ("WebhookReceiverRole", results),
        ("SweeperRole", results_and_deletion),
    ):
        assert {pair for pair in grants(role, **given) if pair[0].startswith("s3:")} == expected


KMS_KEY = "arn:aws:kms:eu-central-1:123456789012:key/0b1c"


@pytest.mark.parametrize(
    ("role", "parameter", "expected"),
    [
        ("SubmitterRole", "InputBucketKmsKeyArn", {"kms:Decrypt"}),
        ("WebhookReceiverRole", "InputBucketKmsKeyArn", set()),
        ("SweeperRole", "InputBucketKmsKeyArn", set()),
        ("SubmitterRole", "OutputBucketKmsKeyArn", {"kms:GenerateDataKey", "kms:Decrypt"}),
        ("WebhookReceiverRole", "OutputBucketKmsKeyArn", {"kms:GenerateDataKey", "kms:Decrypt"}),
        ("SweeperRole", "OutputBucketKmsKeyArn", {"kms:GenerateDataKey", "kms:Decrypt"}),
    ],
)
def test_a_key_of_a_bucket_is_opened_to_who_reads_and_writes_there(
    role: str, parameter: str, expected: set[str]
) -> None:
    added = grants(role, **{parameter: KMS_KEY}) - grants(role)

    assert added == {(action, KMS_KEY) for action in expected}


OF_TABLE = {
    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"),
    *("kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
}


def test_who_uses_table_queue_or_secret_may_use_the_key_of_them_through_these_alone() -> None:
    for role in ROLES:
        added = grants(role, KmsKeyArn=KMS_KEY) - grants(role)
        assert added == {(action, KMS_KEY) for action in OF_TABLE}, role
        (policy,) = deployed(KmsKeyArn=KMS_KEY)[role]["Properties"]["Policies"]
        used_through = {
            service: set(as_list(statement["Action"]))
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Resource"] == KMS_KEY
            for service in as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])
        }
        assert used_through == {
            "dynamodb.eu-central-1.amazonaws.com": OF_TABLE,
            "sqs.eu-central-1.amazonaws.com": {"kms:GenerateDataKey", "kms:Decrypt"},
            "secretsmanager.eu-central-1.amazonaws.com": {"kms:GenerateDataKey", "kms:Decrypt"},
        }


@pytest.mark.parametrize(("role", "service"), OF_NOTICES.items())
def test_who_tells_of_jobs_may_use_the_key_of_what_it_reads_and_writes(
    role: str, service: str
) -> None:
    added = grants(role, KmsKeyArn=KMS_KEY) - grants(role)
    (policy,) = deployed(KmsKeyArn=KMS_KEY)[role]["Properties"]["Policies"]
    (statement,) = (
        each for each in policy["PolicyDocument"]["Statement"] if each["Resource"] == KMS_KEY
    )

    assert added == {("kms:GenerateDataKey", KMS_KEY), ("kms:Decrypt", KMS_KEY)}
    assert statement["Condition"]["StringEquals"]["kms:ViaService"] == [
        "sqs.eu-central-1.amazonaws.com",
        f"{service}.eu-central-1.amazonaws.com",
    ]


@pytest.mark.parametrize("role", ROLES)
def test_a_key_is_used_through_s3_alone(role: str) -> None:
    resources = deployed(InputBucketKmsKeyArn=KMS_KEY, OutputBucketKmsKeyArn=KMS_KEY)
    (policy,) = resources[role]["Properties"]["Policies"]
    kms = [each for each in policy["PolicyDocument"]["Statement"] if each["Resource"] == KMS_KEY]

    assert kms
    for statement in kms:
        assert statement["Condition"] == {
            "StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
        }


def test_notes_are_deleted_only_from_a_given_bucket_and_only_by_the_sweeper() -> None:
    given = {"OutputBucketName": "given-out"}
    delete = ("s3:DeleteObject", "arn:aws:s3:::given-out/work/*")

    assert delete in grants("SweeperRole", **given)
    for role in ("SubmitterRole", "WebhookReceiverRole"):
        assert delete not in grants(role, **given)
    assert "s3:DeleteObject" not in {action for action, _ in grants("SweeperRole")}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "given", [{}, {"InputBucketName": "given-in", "OutputBucketName": "given-out"}]
)
def test_a_bucket_of_the_same_name_in_another_account_is_not_used(
    role: str, given: dict[str, str]
) -> None:
    """A bucket that is deleted leaves its name to anybody."""
    (policy,) = deployed(**given)[role]["Properties"]["Policies"]
    on_buckets = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if any(action.startswith("s3:") for action in as_list(statement["Action"]))
    ]

    assert len(on_buckets) >= 2
    for statement in on_buckets:
        assert statement["Condition"] == {"StringEquals": {"aws:ResourceAccount": "123456789012"}}


@pytest.mark.parametrize(
    "given", [{}, {"InputBucketName": "given-in", "VerifyCallbacks": "true"}], ids=["own", "given"]
)
def test_a_role_has_no_policy_but_its_own_and_trusts_one_service(given: dict[str, str]) -> None:
    roles = of_type(deployed(**given), "AWS::IAM::Role")

    assert len(roles) == 6
    for role in roles.values():
        assert "ManagedPolicyArns" not in role
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Action"] == "sts:AssumeRole"
        assert list(trust["Principal"]) == ["Service"]


def test_no_two_functions_share_a_role() -> None:
    functions = of_type(deployed(), "AWS::Lambda::Function")

    assert len({function["Role"] for function in functions.values()}) == len(functions) == 5


def resource_policies(**given: object) -> Iterator[dict[str, Any]]:
    resources = deployed(NoticeEmail="desk@example.org", **given)
    for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"):
        for policy in of_type(resources, kind).values():
            yield from policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("given", [{}, {"InputBucketName": "given-in"}], ids=["own", "given"])
def test_no_resource_is_opened_to_everybody(given: dict[str, str]) -> None:
    allowing = [policy for policy in resource_policies(**given) if policy["Effect"] == "Allow"]

    assert len(allowing) == 4
    for statement in allowing:
        assert statement["Principal"].keys() == {"Service"}
        # EventBridge gives SNS nothing to hold a condition against: with one, no mail would ever be sent.
        assert ("Condition" in statement) == (statement["Action"] != "sns:Publish")


def test_only_the_stacks_own_bucket_may_notify_the_queue() -> None:
    resources = deployed()
    (statement,) = resources["UploadQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    bucket = resources["TranscriptsBucket"]["Properties"]["BucketName"]

    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", QUEUE)
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
    }


def test_for_a_given_bucket_only_the_rule_may_send_to_the_queue() -> None:
    resources = deployed(InputBucketName="given-in")
    (statement,) = resources["UploadQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", QUEUE)
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "${UploadRule.Arn}"}}


def test_only_the_callback_route_of_this_api_may_call_the_receiver() -> None:
    (permission,) = of_type(deployed(), "AWS::Lambda::Permission").values()

    assert permission == {
        "FunctionName": "${WebhookReceiverFunction}",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:eu-central-1:123456789012:${HttpApi}/*/POST/webhook/*",
    }

"""The properties a job's safety hangs on: nothing lost, nothing public, nothing secret in a log."""

import json
import re
from datetime import timedelta
from itertools import accumulate, count, takewhile
from typing import Any
from urllib.parse import unquote_plus

import pytest

from core.aws.names import WORK_PREFIX
from core.jobs.call import retry_delay
from tests.template.cloudformation import FUNCTIONS, ROOT, deployed, of_type, source


@pytest.fixture(name="stack", scope="module")
def _stack() -> dict[str, Any]:
    return {name: resource.get("Properties", {}) for name, resource in deployed().items()}


# ---- arrival -----------------------------------------------------------------------------------


def test_the_stacks_own_bucket_notifies_the_queue_of_every_new_object(stack: dict) -> None:
    (notification,) = stack["TranscriptsBucket"]["NotificationConfiguration"]["QueueConfigurations"]

    assert notification == {"Event": "s3:ObjectCreated:*", "Queue": "${UploadQueue.Arn}"}


@pytest.mark.parametrize("prefix", ["calls/", "summary-words=2500/", "a+b/", "team@north/"])
def test_a_notification_filters_by_nothing_that_s3_wants_percent_encoded(prefix: str) -> None:
    """S3 compares a filter with the encoded key: `a=b/` would silently never match."""
    bucket = deployed(InputPrefix=prefix)["TranscriptsBucket"]["Properties"]
    (notification,) = bucket["NotificationConfiguration"]["QueueConfigurations"]
    rules = notification.get("Filter", {}).get("S3Key", {}).get("Rules", [])

    for rule in rules:
        assert re.fullmatch(r"([A-Za-z0-9/!_.*'()-]|%[0-9A-F]{2}|\+)*", rule["Value"])
        assert unquote_plus(rule["Value"]) == prefix


def test_the_bucket_waits_for_the_policy_that_lets_it_notify() -> None:
    assert source()["Resources"]["TranscriptsBucket"]["DependsOn"] == "UploadQueuePolicy"


@pytest.mark.parametrize(
    ("prefix", "detail"),
    [
        ("", {"bucket": {"name": ["given-in"]}}),
        ("a/b/", {"bucket": {"name": ["given-in"]}, "object": {"key": [{"prefix": "a/b/"}]}}),
    ],
)
def test_a_given_bucket_reaches_the_queue_through_eventbridge(prefix: str, detail: dict) -> None:
    resources = deployed(InputBucketName="given-in", InputPrefix=prefix)

    assert "TranscriptsBucket" not in resources
    rule = resources["UploadRule"]["Properties"]
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": detail,
    }
    assert [target["Arn"] for target in rule["Targets"]] == ["${UploadQueue.Arn}"]


# ---- queue -------------------------------------------------------------------------------------


def test_a_message_stays_hidden_for_six_times_the_submitters_timeout(stack: dict) -> None:
    timeout_seconds = stack["SubmitterFunction"]["Timeout"]

    assert stack["UploadQueue"]["VisibilityTimeout"] >= 6 * timeout_seconds


def test_a_message_that_failed_five_times_is_kept_for_two_weeks(stack: dict) -> None:
    assert stack["UploadQueue"]["RedrivePolicy"] == {
        "deadLetterTargetArn": "${UploadDeadLetterQueue.Arn}",
        "maxReceiveCount": 5,
    }
    assert stack["UploadDeadLetterQueue"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_every_queue_is_encrypted(stack: dict) -> None:
    queues = of_type(deployed(), "AWS::SQS::Queue")

    assert len(queues) == 4
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


def test_the_submitter_reports_each_failed_message_and_never_floods_runpod(stack: dict) -> None:
    mapping = stack["SubmitterFunctionWork"]

    assert mapping["EventSourceArn"] == "${UploadQueue.Arn}"
    assert mapping["FunctionName"] == "${SubmitterFunction}"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


@pytest.mark.parametrize("maximum", [2, 5, 10, 20, 40])
def test_the_submitters_concurrency_is_a_number(maximum: int) -> None:
    mapping = deployed(SubmitterMaxConcurrency=maximum)["SubmitterFunctionWork"]["Properties"]

    assert mapping["ScalingConfig"]["MaximumConcurrency"] == maximum


LONGEST_CHAIN_OF_LAMBDA = (
    16  # invocations through one queue, then its loop detection drops a message
)


def test_no_chain_of_messages_is_dropped_by_lambdas_loop_detection(stack: dict) -> None:
    """Each 429 of RunPod sends the call's message back to the queue that the submitter reads."""
    deadline = timedelta(minutes=max(source()["Parameters"]["JobDeadlineMinutes"]["AllowedValues"]))
    waits = accumulate(retry_delay(attempts) for attempts in count(1))
    longest_chain = len(list(takewhile(lambda waited: waited < deadline, waits)))
    is_stopped = stack["SubmitterFunction"].get("RecursiveLoop", "Terminate") == "Terminate"

    assert longest_chain < LONGEST_CHAIN_OF_LAMBDA or not is_stopped


# ---- table -------------------------------------------------------------------------------------


def test_the_table_has_the_keys_the_store_uses(stack: dict) -> None:
    table = stack["JobsTable"]

    assert keys(table) == {"job_id": "HASH", "item": "RANGE"}
    assert {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} == {
        "job_id": "S",
        "item": "S",
        "due_group": "S",
        "due_at": "S",
        "state": "S",
        "created_at": "S",
    }


def test_due_items_have_an_index_of_their_own(stack: dict) -> None:
    index = index_of(stack["JobsTable"], "due")

    assert keys(index) == {"due_group": "HASH", "due_at": "RANGE"}
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_people_list_jobs_by_an_index_that_holds_no_text_of_a_job(stack: dict) -> None:
    index = index_of(stack["JobsTable"], "by-state")

    assert keys(index) == {"state": "HASH", "created_at": "RANGE"}
    assert set(index["Projection"]["NonKeyAttributes"]) == {
        "source",
        "deadline",
        "finished_at",
        "reason_code",
        "summary",
        "words_in",
    }


def test_the_table_is_encrypted_restorable_and_forgets_old_jobs(stack: dict) -> None:
    table = stack["JobsTable"]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


@pytest.mark.parametrize(("asked", "protected"), [("true", True), ("false", False)])
def test_the_table_is_protected_from_deletion_on_request(asked: str, protected: bool) -> None:
    table = deployed(TableDeletionProtection=asked)["JobsTable"]["Properties"]

    assert table["DeletionProtectionEnabled"] is protected


def index_of(table: dict[str, Any], name: str) -> dict[str, Any]:
    (index,) = (one for one in table["GlobalSecondaryIndexes"] if one["IndexName"] == name)
    return dict(index)


def keys(described: dict[str, Any]) -> dict[str, str]:
    return {key["AttributeName"]: key["KeyType"] for key in described["KeySchema"]}


@pytest.mark.parametrize("name", ["JobsTable", "TranscriptsBucket", "SummariesBucket"])
def test_what_holds_data_outlives_the_stack(name: str) -> None:
    resource = source()["Resources"][name]

    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


# ---- buckets -----------------------------------------------------------------------------------

BUCKETS = pytest.mark.parametrize("name", ["TranscriptsBucket", "SummariesBucket"])


@BUCKETS
def test_a_bucket_is_private_and_encrypted(stack: dict, name: str) -> None:
    bucket = stack[name]

    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"] == {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }


@BUCKETS
def test_a_bucket_keeps_versions_for_a_while_and_no_abandoned_uploads(
    stack: dict, name: str
) -> None:
    rules = stack[name]["LifecycleConfiguration"]["Rules"]

    assert stack[name]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert {"NoncurrentDays": "30"} in [rule.get("NoncurrentVersionExpiration") for rule in rules]
    assert {"DaysAfterInitiation": 7} in [
        rule.get("AbortIncompleteMultipartUpload") for rule in rules
    ]


@BUCKETS
def test_a_bucket_refuses_plain_http_from_anywhere_but_this_machine(stack: dict, name: str) -> None:
    (statement,) = stack[f"{name}Policy"]["PolicyDocument"]["Statement"]

    assert stack[f"{name}Policy"]["Bucket"] == f"${{{name}}}"
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "s3:*"
    assert statement["Resource"] == [f"${{{name}.Arn}}", f"${{{name}.Arn}}/*"]
    assert statement["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"},
        "NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"},
    }


def test_no_bucket_is_made_where_both_are_given() -> None:
    resources = deployed(InputBucketName="given-in", OutputBucketName="given-out")

    assert of_type(resources, "AWS::S3::Bucket") == {}
    assert of_type(resources, "AWS::S3::BucketPolicy") == {}


# ---- functions and logs ------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "folder"), FUNCTIONS.items())
def test_a_handler_is_a_file_of_its_own_folder(stack: dict, function: str, folder: str) -> None:
    handler = stack[function]["Handler"]

    assert handler == f"{folder}.app.handler"
    assert (ROOT / folder / "app.py").is_file()


@pytest.mark.parametrize(
    ("function", "timeout_seconds", "memory_mb"),
    [
        ("SubmitterFunction", 60, 1769),
        ("WebhookReceiverFunction", 15, 512),
        ("SweeperFunction", 120, 1769),
        ("NotifierFunction", 30, 512),
        ("WebhookSenderFunction", 30, 512),
    ],
)
def test_a_function_runs_on_the_runtime_it_was_built_for(
    stack: dict, function: str, timeout_seconds: int, memory_mb: int
) -> None:
    properties = stack[function]

    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]
    assert properties["Timeout"] == timeout_seconds
    assert properties["MemorySize"] == memory_mb


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_json_to_a_group_of_its_own(stack: dict, function: str) -> None:
    group = function.replace("Function", "LogGroup")

    assert stack[function]["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "LogGroup": f"${{{group}}}",
    }
    assert group in stack


def test_every_log_line_is_dropped_in_time() -> None:
    groups = of_type(deployed(LogRetentionDays=7), "AWS::Logs::LogGroup")

    assert len(groups) == 6
    assert {group["RetentionInDays"] for group in groups.values()} == {"7"}


# ---- callbacks ---------------------------------------------------------------------------------


def test_the_one_route_is_the_callback_and_leads_to_the_receiver(stack: dict) -> None:
    (route,) = of_type(deployed(), "AWS::ApiGatewayV2::Route").values()
    integration = stack["CallbackIntegration"]

    assert route["RouteKey"] == "POST /webhook/{job_id}/{call_id}/{attempt}/{token}"
    assert route["Target"] == "integrations/${CallbackIntegration}"
    assert integration["IntegrationUri"] == "${WebhookReceiverFunction.Arn}"
    assert integration["IntegrationType"] == "AWS_PROXY"
    assert integration["PayloadFormatVersion"] == "2.0"


def test_the_api_outwaits_the_receiver(stack: dict) -> None:
    timeout_seconds = stack["WebhookReceiverFunction"]["Timeout"]

    assert stack["CallbackIntegration"]["TimeoutInMillis"] > 1000 * timeout_seconds


def test_the_access_log_never_holds_the_path_of_a_callback(stack: dict) -> None:
    settings = stack["CallbackStage"]["AccessLogSettings"]
    variables = set(re.findall(r"\$context\.([A-Za-z.]+)", settings["Format"]))

    assert settings["DestinationArn"] == "${CallbackLogGroup.Arn}"
    assert variables == {
        "requestId",
        "requestTime",
        "identity.sourceIp",
        "routeKey",
        "status",
        "responseLatency",
        "integrationLatency",
        "integrationStatus",
        "integrationErrorMessage",
    }
    assert list(json.loads(settings["Format"])) == [
        "requestId",
        "requestTime",
        "sourceIp",
        "routeKey",
        "status",
        "responseLatencyMs",
        "integrationLatencyMs",
        "integrationStatus",
        "integrationError",
    ]


def test_strangers_cannot_flood_the_receiver() -> None:
    stage = deployed(CallbackRatePerSecond=7, CallbackBurstRequests=9)["CallbackStage"]

    assert stage["Properties"]["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": "7",
        "ThrottlingBurstLimit": "9",
    }


def test_the_callback_secret_is_random_and_safe_in_a_url(stack: dict) -> None:
    generate = stack["CallbackSecret"]["GenerateSecretString"]
    punctuation = {chr(code) for code in range(33, 127) if not chr(code).isalnum()}

    assert json.loads(generate["SecretStringTemplate"]) == {"previous": ""}
    assert generate["GenerateStringKey"] == "current"
    assert generate["PasswordLength"] == 64
    assert set(generate["ExcludeCharacters"]) == punctuation
    assert "SecretString" not in stack["CallbackSecret"]


# ---- sweep -------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", source()["Parameters"]["SweepScheduleMinutes"]["AllowedValues"])
def test_the_schedule_is_one_that_eventbridge_understands(minutes: int) -> None:
    (schedule,) = of_type(
        deployed(SweepScheduleMinutes=minutes), "AWS::Scheduler::Schedule"
    ).values()

    unit = "minute" if minutes == 1 else "minutes"
    assert schedule["ScheduleExpression"] == f"rate({minutes} {unit})"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["Arn"] == "${SweeperFunction.Arn}"
    assert schedule["Target"]["RoleArn"] == "${SweepScheduleRole.Arn}"


def test_a_sweep_that_failed_is_not_repeated_later(stack: dict) -> None:
    (late,) = of_type(deployed(), "AWS::Lambda::EventInvokeConfig").values()

    assert late["FunctionName"] == "${SweeperFunction}"
    assert late["MaximumRetryAttempts"] == 0
    assert late["MaximumEventAgeInSeconds"] == 60


# ---- alarms ------------------------------------------------------------------------------------


def lifecycle(bucket: str, **given: object) -> list[dict[str, Any]]:
    properties = deployed(**given)[bucket]["Properties"]
    return list(properties["LifecycleConfiguration"]["Rules"])


def expiring(bucket: str, **given: object) -> dict[str, str]:
    """Return after how many days a bucket deletes what lies under a prefix."""
    return {
        rule["Prefix"]: str(rule["ExpirationInDays"])
        for rule in lifecycle(bucket, **given)
        if "ExpirationInDays" in rule
    }


def test_texts_between_a_transcript_and_its_summary_expire_and_nothing_else_does() -> None:
    assert expiring("SummariesBucket") == {WORK_PREFIX: "7"}
    assert expiring("SummariesBucket", WorkFileRetentionDays=2) == {WORK_PREFIX: "2"}
    assert expiring("TranscriptsBucket") == {}


def test_transcripts_and_summaries_expire_on_request_under_their_own_prefixes() -> None:
    given = {"InputPrefix": "calls/", "OutputPrefix": "results/"}
    asked = given | {"TranscriptRetentionDays": 30, "SummaryRetentionDays": 365}

    assert expiring("TranscriptsBucket", **asked) == {"calls/": "30"}
    assert expiring("SummariesBucket", **asked) == {"results/": "365", WORK_PREFIX: "7"}
    assert expiring("TranscriptsBucket", TranscriptRetentionDays=7) == {"": "7"}


@BUCKETS
def test_what_was_replaced_or_deleted_is_gone_for_good_after_a_while(name: str) -> None:
    (rule,) = (
        rule for rule in lifecycle(name, OldVersionRetentionDays=60) if rule["Id"] == "OldVersions"
    )

    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": "60"}
    assert rule["ExpiredObjectDeleteMarker"] is True


def test_records_and_log_lines_are_kept_as_long_as_is_asked() -> None:
    logs = of_type(deployed(LogRetentionDays=7, RetentionDays=8), "AWS::Logs::LogGroup")

    assert {group["RetentionInDays"] for group in logs.values()} == {"7"}


# ---- keys of one's own -------------------------------------------------------------------------

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0b1c"


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("TranscriptsBucket", "InputBucketKmsKeyArn"),
        ("SummariesBucket", "OutputBucketKmsKeyArn"),
    ],
)
def test_a_bucket_of_the_stack_encrypts_with_the_key_that_is_given(
    name: str, parameter: str
) -> None:
    bucket = deployed(**{parameter: KEY})[name]["Properties"]

    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
        "BucketKeyEnabled": True,
    }


def test_a_key_for_the_rest_encrypts_table_queues_secret_and_logs() -> None:
    resources = deployed(KmsKeyArn=KEY)

    (table,) = of_type(resources, "AWS::DynamoDB::Table").values()
    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": KEY,
    }
    for queue in of_type(resources, "AWS::SQS::Queue").values():
        assert (queue["KmsMasterKeyId"], queue["SqsManagedSseEnabled"]) == (KEY, False)
    for kind in ("AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"):
        found = of_type(resources, kind)
        assert found
        assert {each["KmsKeyId"] for each in found.values()} == {KEY}

"""What the deployment really made, read back. The emulator drops the table's TTL, its point-in-time
recovery and the buckets' lifecycle; those are asserted on the translated template in tests/template."""

import json
from typing import Any

import pytest

from local.stack.deploy import STACK_NAME
from local.stack.simulator import CALLBACK_ANSWER_SECONDS
from tests.local.conftest import Local


def test_the_input_bucket_announces_every_new_object_to_the_work_queue(local: Local) -> None:
    configuration = local.stack.client("s3").get_bucket_notification_configuration(
        Bucket=local.stack.outputs["InputBucket"]
    )

    [announced] = configuration["QueueConfigurations"]
    assert announced["QueueArn"] == queue(local, "UploadQueueUrl")["QueueArn"]
    assert announced["Events"] == ["s3:ObjectCreated:*"]
    assert "Filter" not in announced


@pytest.mark.parametrize("output", ["InputBucket", "OutputBucket"])
def test_a_bucket_is_private_versioned_encrypted_and_takes_tls_only(
    local: Local, output: str
) -> None:
    s3, bucket = local.stack.client("s3"), {"Bucket": local.stack.outputs[output]}

    blocked = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    [rule] = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    [owned] = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
    [statement] = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]

    assert set(blocked.values()) == {True}
    assert len(blocked) == 4
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert owned["ObjectOwnership"] == "BucketOwnerEnforced"
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"]["Bool"] == {"aws:SecureTransport": "false"}


def test_the_work_queue_takes_from_the_bucket_alone_and_sets_poison_aside(local: Local) -> None:
    work, dead = queue(local, "UploadQueueUrl"), queue(local, "UploadDeadLetterQueueUrl")

    redrive = json.loads(work["RedrivePolicy"])
    [statement] = json.loads(work["Policy"])["Statement"]

    assert redrive["deadLetterTargetArn"] == dead["QueueArn"]
    assert int(redrive["maxReceiveCount"]) == 5
    assert int(work["VisibilityTimeout"]) == 6 * timeout_seconds(local, "SubmitterFunction")
    assert int(dead["MessageRetentionPeriod"]) > int(work["MessageRetentionPeriod"])
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    bucket = local.stack.outputs["InputBucket"]
    assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}


def test_the_submitter_is_fed_one_message_at_a_time_and_reports_failures_singly(
    local: Local,
) -> None:
    mappings = local.stack.client("lambda").list_event_source_mappings(
        FunctionName=local.stack.outputs["SubmitterFunction"]
    )

    [mapping] = mappings["EventSourceMappings"]
    assert mapping["EventSourceArn"] == queue(local, "UploadQueueUrl")["QueueArn"]
    assert mapping["State"] == "Enabled"
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_notifier_is_fed_by_the_stream_with_ends_of_jobs_alone(local: Local) -> None:
    table = local.stack.client("dynamodb").describe_table(
        TableName=local.stack.outputs["JobsTable"]
    )["Table"]
    mappings = local.stack.client("lambda").list_event_source_mappings(
        FunctionName=local.stack.outputs["NotifierFunction"]
    )

    [mapping] = mappings["EventSourceMappings"]
    assert mapping["EventSourceArn"] == table["LatestStreamArn"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert mapping["State"] == "Enabled"
    assert len(mapping["FilterCriteria"]["Filters"]) == 2
    dead_end = queue(local, "NoticeDeadEndUrl")["QueueArn"]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == dead_end


def test_the_table_has_its_keys_and_its_sparse_indexes(local: Local) -> None:
    described = local.stack.client("dynamodb").describe_table(
        TableName=local.stack.outputs["JobsTable"]
    )["Table"]

    assert keys(described) == [("job_id", "HASH"), ("item", "RANGE")]
    indexes = {index["IndexName"]: index for index in described["GlobalSecondaryIndexes"]}
    assert {name: keys(index) for name, index in indexes.items()} == {
        "due": [("due_group", "HASH"), ("due_at", "RANGE")],
        "by-state": [("state", "HASH"), ("created_at", "RANGE")],
    }
    assert indexes["due"]["Projection"]["ProjectionType"] == "KEYS_ONLY"
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_schedule_starts_the_sweeper(local: Local) -> None:
    scheduler = local.stack.client("scheduler")

    [listed] = scheduler.list_schedules(NamePrefix=f"{STACK_NAME}-")["Schedules"]
    schedule = scheduler.get_schedule(Name=listed["Name"])

    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"].endswith(f":function:{local.stack.outputs['SweeperFunction']}")


@pytest.mark.parametrize(
    "output",
    ["SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction", "NotifierFunction"],
)
def test_a_function_keeps_its_log_for_30_days_in_a_group_of_its_own(
    local: Local, output: str
) -> None:
    name = f"/aws/lambda/{local.stack.outputs[output]}"

    groups = local.stack.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]

    assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [(name, 30)]


def test_no_environment_holds_a_secret(local: Local) -> None:
    listed = local.stack.client("lambda").list_functions()["Functions"]
    functions = [each for each in listed if each["FunctionName"].startswith(f"{STACK_NAME}-")]
    secret = local.stack.client("secretsmanager").get_secret_value(
        SecretId=local.stack.outputs["CallbackSecret"]
    )

    environments = str([function["Environment"]["Variables"] for function in functions])

    assert len(functions) == 4
    assert local.simulator.api_key not in environments
    assert json.loads(secret["SecretString"])["current"] not in environments


def test_the_callback_secret_is_long_and_random(local: Local) -> None:
    value = local.stack.client("secretsmanager").get_secret_value(
        SecretId=local.stack.outputs["CallbackSecret"]
    )

    keys = json.loads(value["SecretString"])
    assert keys["previous"] == ""
    assert len(keys["current"]) == 64
    assert keys["current"].isalnum()


def test_the_receiver_may_take_long_to_start_because_the_emulator_counts_that(local: Local) -> None:
    assert timeout_seconds(local, "WebhookReceiverFunction") == CALLBACK_ANSWER_SECONDS


def queue(local: Local, output: str) -> dict[str, str]:
    attributes = local.stack.client("sqs").get_queue_attributes(
        QueueUrl=local.stack.outputs[output], AttributeNames=["All"]
    )
    return dict(attributes["Attributes"])


def timeout_seconds(local: Local, output: str) -> int:
    function = local.stack.client("lambda").get_function_configuration(
        FunctionName=local.stack.outputs[output]
    )
    return int(function["Timeout"])


def keys(described: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in described["KeySchema"]]

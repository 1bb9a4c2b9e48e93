"""What each function's own credentials are refused: everything that its role does not grant."""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stack.stack import API_KEY_SECRET, local_session
from tests.local.conftest import Local
from tests.local.grants import FUNCTIONS, role_of

SUBMITTER, RECEIVER, SWEEPER = FUNCTIONS
ALL = frozenset(FUNCTIONS)
NOBODY = frozenset[str]()

# Whoever is let through changes nothing: what these name is not there, or can't be.
KEY = {"job_id": {"S": "nobody"}, "item": {"S": "nothing"}}
NEVER = {"ConditionExpression": "attribute_exists(job_id)"}
PUT = {"Body": b"", "IfMatch": '"0"'}
LINES = [{"timestamp": 0, "message": "-"}]


@dataclass(frozen=True)
class Attempt:
    service: str
    operation: str
    parameters: Mapping[str, Any]
    may: frozenset[str] = NOBODY


def attempts(local: Local) -> dict[str, Attempt]:
    """Requests that are right in all but the right to make them, and who has that."""
    out = local.stack.outputs
    transcripts, summaries = {"Bucket": out["InputBucket"]}, {"Bucket": out["OutputBucket"]}
    table = {"TableName": out["JobsTable"]}
    work, dead = {"QueueUrl": out["UploadQueueUrl"]}, {"QueueUrl": out["UploadDeadLetterQueueUrl"]}
    message = {"MessageBody": "{}", "DelaySeconds": 901}  # a second more than SQS can
    callback_secret, key = {"SecretId": out["CallbackSecret"]}, {"SecretId": API_KEY_SECRET}
    due = {
        "IndexName": "due",
        "KeyConditionExpression": "due_group = :group",
        "ExpressionAttributeValues": {":group": {"S": "nobody"}},
    }
    job = {
        "KeyConditionExpression": "job_id = :job",
        "ExpressionAttributeValues": {":job": {"S": "nobody"}},
    }
    callbacks_log = f"/aws/vendedlogs/{out[SUBMITTER].replace('-submitter', '-callbacks')}"
    s3, ddb = "s3", "dynamodb"
    return {
        "read a transcript": Attempt(s3, "get_object", {**transcripts, "Key": "a.txt"}),
        "read a version": Attempt(
            s3,
            "get_object",
            {**transcripts, "Key": "a.txt", "VersionId": "0"},
            frozenset({SUBMITTER}),
        ),
        "list transcripts": Attempt(s3, "list_objects_v2", transcripts, frozenset({SUBMITTER})),
        "write a transcript": Attempt(s3, "put_object", {**transcripts, **PUT, "Key": "a.png"}),
        "delete a transcript": Attempt(s3, "delete_object", {**transcripts, "Key": "a.txt"}),
        "write a summary": Attempt(
            s3, "put_object", {**summaries, **PUT, "Key": "summaries/a"}, ALL
        ),
        "write notes": Attempt(s3, "put_object", {**summaries, **PUT, "Key": "work/a"}, ALL),
        "write beside them": Attempt(s3, "put_object", {**summaries, **PUT, "Key": "a"}),
        "write almost there": Attempt(
            s3, "put_object", {**summaries, **PUT, "Key": "summaries-of/a"}
        ),
        "read beside them": Attempt(s3, "get_object", {**summaries, "Key": "a"}),
        "delete a summary": Attempt(s3, "delete_object", {**summaries, "Key": "summaries/none"}),
        "delete notes": Attempt(s3, "delete_object", {**summaries, "Key": "work/none"}),
        "list all buckets": Attempt(s3, "list_buckets", {}),
        "read a bucket's policy": Attempt(s3, "get_bucket_policy", summaries),
        "record": Attempt(ddb, "put_item", {**table, "Item": KEY, **NEVER}, frozenset({SUBMITTER})),
        "update": Attempt(
            ddb,
            "update_item",
            {**table, "Key": KEY, "UpdateExpression": "REMOVE nothing", **NEVER},
            ALL,
        ),
        "read jobs": Attempt(
            ddb, "batch_get_item", {"RequestItems": {out["JobsTable"]: {"Keys": [KEY]}}}, ALL
        ),
        "read a job's items": Attempt(
            ddb, "query", {**table, **job}, frozenset({SUBMITTER, SWEEPER})
        ),
        "find what is due": Attempt(ddb, "query", {**table, **due}, frozenset({SWEEPER})),
        "delete a record": Attempt(ddb, "delete_item", {**table, "Key": KEY}),
        "delete a record by transaction": Attempt(
            ddb, "transact_write_items", {"TransactItems": [{"Delete": {**table, "Key": KEY}}]}
        ),
        "scan": Attempt(ddb, "scan", table),
        "describe the table": Attempt(ddb, "describe_table", table),
        "send to the queue": Attempt("sqs", "send_message", {**work, **message}, ALL),
        "send to another queue": Attempt("sqs", "send_message", {**dead, **message}),
        "take from another queue": Attempt("sqs", "receive_message", dead),
        "read the callback secret": Attempt(
            "secretsmanager", "get_secret_value", callback_secret, frozenset({SUBMITTER, RECEIVER})
        ),
        "read the RunPod key": Attempt(
            "secretsmanager", "get_secret_value", key, frozenset({SUBMITTER, SWEEPER})
        ),
        "tag the RunPod key": Attempt("secretsmanager", "tag_resource", {**key, "Tags": []}),
        "list secrets": Attempt("secretsmanager", "list_secrets", {}),
        "start the sweeper": Attempt(
            "lambda", "invoke", {"FunctionName": out[SWEEPER], "InvocationType": "DryRun"}
        ),
        "read a function's settings": Attempt(
            "lambda", "get_function_configuration", {"FunctionName": out[RECEIVER]}
        ),
        "list roles": Attempt("iam", "list_roles", {}),
        "write another log": Attempt(
            "logs",
            "put_log_events",
            {"logGroupName": callbacks_log, "logStreamName": "nobody", "logEvents": LINES},
        ),
        "read a log": Attempt(
            "logs", "filter_log_events", {"logGroupName": f"/aws/lambda/{out[SUBMITTER]}"}
        ),
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_refused_all_that_its_role_does_not_grant(
    local: Local, function: str
) -> None:
    refused = refused_to(role_of(local.stack, function).session(), local)

    assert refused == {name for name, each in attempts(local).items() if function not in each.may}


def test_the_accounts_owner_is_refused_none_of_it(local: Local) -> None:
    """So a refusal is due to the role, and not to a malformed request."""
    assert refused_to(local_session(), local) == set()


def refused_to(session: boto3.Session, local: Local) -> set[str]:
    refused = set()
    tried = attempts(local)
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    with ExitStack() as stack:
        clients: dict[str, Any] = {
            service: stack.enter_context(
                closing(
                    session.client(service, endpoint_url=local.stack.endpoint_url, config=config)
                )
            )
            for service in {each.service for each in tried.values()}
        }
        for name, each in tried.items():
            try:
                getattr(clients[each.service], each.operation)(**each.parameters)
            except ClientError as exc:
                if exc.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
                    refused.add(name)
    return refused

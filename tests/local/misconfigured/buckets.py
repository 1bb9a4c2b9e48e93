"""The webhook URL, and the buckets at both ends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cli.doctor.readings import SUBMITTER
from tests.local.misconfigured.world import (
    GIVEN,
    World,
    environment,
    physical,
    planted,
)


class _Redirecting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(301)
        self.send_header("Location", "https://example.org/webhook")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@planted("the webhook URL redirects", "webhook-url", "webhook-answers")
def redirecting(world: World) -> Iterator[None]:
    with HTTPServer(("127.0.0.1", 0), _Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/webhook"
        with environment(world, of=("SubmitterFunction",), WEBHOOK_URL=url):
            yield
        server.shutdown()


@planted("the webhook URL leads nowhere", "webhook-url", "webhook-answers")
def nowhere(world: World) -> Iterator[None]:
    url = "http://127.0.0.1:1/webhook"  # nobody may listen there
    with environment(world, of=("SubmitterFunction",), WEBHOOK_URL=url):
        yield


@planted("the webhook URL has a stage that there is not", "webhook-url", "webhook-answers")
def wrong_stage(world: World) -> Iterator[None]:
    url = world.output("WebhookUrl").replace("/webhook", "/prod/webhook")
    with environment(world, of=("SubmitterFunction",), WEBHOOK_URL=url):
        yield


@planted("recorded: the webhook URL is in another Region", "webhook-url")
def wrong_region(world: World) -> Iterator[None]:
    readings = world.readings()
    submitter = readings.functions[SUBMITTER]
    url = "https://abc123.execute-api.eu-west-3.amazonaws.com/webhook"
    changed = replace(submitter, environment={**submitter.environment, "WEBHOOK_URL": url})
    world.recorded = {"functions": {**readings.functions, SUBMITTER: changed}}
    yield
    world.recorded = {}


@contextmanager
def notification(
    world: World, bucket: str, configuration: dict[str, Any], *, keeps: bool = False
) -> Iterator[None]:
    s3 = world.client("s3")
    before = s3.get_bucket_notification_configuration(Bucket=bucket)
    before.pop("ResponseMetadata")
    configuration = {**before, **configuration} if keeps else configuration
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    yield
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=before)


def to_the_queue(world: World, **more: Any) -> dict[str, Any]:
    arn = world.client("sqs").get_queue_attributes(
        QueueUrl=world.output("UploadQueueUrl"), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    return {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], **more}]}


@planted("somebody replaced the bucket's notification", "uploads-announced")
def no_notification(world: World) -> Iterator[None]:
    with notification(world, world.output("InputBucket"), {}):
        yield


@planted("somebody filtered the bucket's notification", "uploads-announced")
def filtered_notification(world: World) -> Iterator[None]:
    only = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "calls/"}]}}
    with notification(world, world.output("InputBucket"), to_the_queue(world, Filter=only)):
        yield


@planted("the bucket of summaries feeds the queue", "own-output")
def fed_by_output(world: World) -> Iterator[None]:
    # Only what the queue's policy allows is taken, so AWS asks for that too.
    s3_bucket = world.output("OutputBucket")
    sqs, url = world.client("sqs"), world.output("UploadQueueUrl")
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"][
        "Policy"
    ]
    source = world.output("InputBucket")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy.replace(source, s3_bucket)})
    with notification(world, s3_bucket, to_the_queue(world)):
        yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@planted("the bucket has a key of its own", "bucket-keys")
def own_key(world: World) -> Iterator[None]:
    s3, bucket = world.client("s3"), world.output("InputBucket")
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    before = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": by_key}]
        },
    )
    yield
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=before)


@planted("a given bucket does not tell EventBridge", "uploads-announced", on=GIVEN)
def no_eventbridge(world: World) -> Iterator[None]:
    with notification(world, world.given.outputs["InputBucket"], {}):
        yield


@planted("the rule for a given bucket is disabled", "upload-rule", on=GIVEN)
def disabled_rule(world: World) -> Iterator[None]:
    events, name = world.client("events"), physical(world, "UploadRule")
    events.disable_rule(Name=name)
    yield
    events.enable_rule(Name=name)

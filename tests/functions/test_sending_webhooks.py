"""A webhook is delivered, or put off and tried again, or given up and kept."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from standardwebhooks import Webhook

from core import wiring
from core.notices.notice import FAILED, PUBLISHED
from tests.fakes.cloud import Cloud
from tests.fakes.notices import EXAMPLES
from tests.fakes.webhook_receiver import Listening, listening
from webhook_sender import app
from webhook_sender.schedule import MOST_TRIES

SECRET = "whsec_" + "c2VjcmV0" * 6
PATH = "/hook/T0KEN-in-the-path"


@pytest.fixture(name="server")
def _server() -> Iterator[Listening]:
    with listening() as server:
        yield server


@pytest.fixture(name="queues")
def _queues(cloud: Cloud, server: Listening, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    sqs, secrets = boto3.client("sqs"), boto3.client("secretsmanager")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("notices", "dead-end")}
    secrets.create_secret(Name="webhook", SecretString=SECRET)
    monkeypatch.setenv("NOTICE_QUEUE_URL", urls["notices"])
    monkeypatch.setenv("NOTICE_DEAD_END_URL", urls["dead-end"])
    monkeypatch.setenv("NOTICE_WEBHOOK_SECRET", "webhook")
    monkeypatch.setenv("NOTICE_WEBHOOK_URL", f"http://127.0.0.1:{server.port}{PATH}")
    return urls


def received(queue: str) -> list[dict[str, Any]]:
    answer = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return list(answer.get("Messages", []))


def handed(cloud: Cloud, queues: dict[str, str], body: Any, *, tries: int = 1) -> dict[str, Any]:
    """Put a message on the queue and hand it to the function, as Lambda would for the so-manieth time."""
    sqs = boto3.client("sqs")
    text = body if isinstance(body, str) else json.dumps(body)
    sqs.send_message(QueueUrl=queues["notices"], MessageBody=text)
    (message,) = received(queues["notices"])
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": str(tries)},
    }
    answer = cloud.invoke("webhook_sender", {"Records": [record]})
    put_off = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert put_off in ([], [message["MessageId"]])
    return {"is_put_off": bool(put_off)}


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_receiver_verifies_what_it_gets(
    cloud: Cloud, queues: dict[str, str], server: Listening, kind: str, status: int
) -> None:
    server.answers = [status]

    assert not handed(cloud, queues, EXAMPLES[kind])["is_put_off"]

    (got,) = server.received
    verified = Webhook(SECRET).verify(got.body, got.headers)
    assert verified["data"] == EXAMPLES[kind]["detail"]
    assert got.headers["webhook-id"] == EXAMPLES[kind]["detail"]["id"]
    assert got.headers["content-type"] == "application/json"
    assert got.path == PATH
    assert received(queues["dead-end"]) == []


@pytest.mark.parametrize("status", [300, 302, 400, 401, 404, 429, 500, 503])
def test_another_answer_than_success_puts_it_off(
    cloud: Cloud, queues: dict[str, str], server: Listening, status: int
) -> None:
    server.answers = [status]
    hidden: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        hidden.append(params["VisibilityTimeout"])

    events = wiring.client("sqs").meta.events
    events.register("before-parameter-build.sqs.ChangeMessageVisibility", note)
    try:
        is_put_off = handed(cloud, queues, EXAMPLES[FAILED], tries=4)["is_put_off"]
    finally:
        events.unregister("before-parameter-build.sqs.ChangeMessageVisibility", note)

    assert is_put_off
    assert 600 <= hidden[0] <= 660
    assert received(queues["dead-end"]) == []


def test_a_message_that_is_put_off_is_hidden_in_the_queue(
    cloud: Cloud, queues: dict[str, str], server: Listening
) -> None:
    server.answers = [500]
    before = cloud.requests["sqs.ChangeMessageVisibility"]

    assert handed(cloud, queues, EXAMPLES[FAILED])["is_put_off"]

    assert cloud.requests["sqs.ChangeMessageVisibility"] == before + 1
    assert received(queues["notices"]) == []


def test_the_same_id_and_body_come_again_with_another_time(
    cloud: Cloud, queues: dict[str, str], server: Listening
) -> None:
    server.answers = [500, 204]
    for tries in (1, 2):
        handed(cloud, queues, EXAMPLES[PUBLISHED], tries=tries)

    first, second = server.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize(("status", "tries"), [(410, 1), (500, MOST_TRIES)])
def test_what_is_given_up_is_kept_with_why_and_how_often(
    cloud: Cloud,
    queues: dict[str, str],
    server: Listening,
    log: io.StringIO,
    status: int,
    tries: int,
) -> None:
    server.answers = [status]

    assert not handed(cloud, queues, EXAMPLES[FAILED], tries=tries)["is_put_off"]

    (letter,) = [json.loads(each["Body"]) for each in received(queues["dead-end"])]
    assert letter["event"] == EXAMPLES[FAILED]
    assert (letter["kind"], letter["tries"]) == ("undelivered", tries)
    assert letter["why"] == f"127.0.0.1 answered {status}"
    assert "webhook given up" in log.getvalue()


@pytest.mark.parametrize("body", ["no json", "[]", {"source": "aws.s3"}])
def test_what_is_no_notice_is_kept_and_not_sent(
    cloud: Cloud, queues: dict[str, str], server: Listening, body: Any
) -> None:
    assert not handed(cloud, queues, body)["is_put_off"]

    assert server.received == []
    assert len(received(queues["dead-end"])) == 1


def test_without_a_usable_secret_it_is_put_off_and_nothing_is_sent_unsigned(
    cloud: Cloud, queues: dict[str, str], server: Listening, log: io.StringIO
) -> None:
    cloud.put_secret("webhook", "whsec_c2hvcnQ=")

    assert handed(cloud, queues, EXAMPLES[FAILED])["is_put_off"]

    assert server.received == []
    assert "whsec_ and" in log.getvalue()


def test_neither_secret_nor_path_reach_the_log_whatever_happens(
    cloud: Cloud, queues: dict[str, str], server: Listening, log: io.StringIO
) -> None:
    server.answers = [204, 500, 410, 302]
    for tries in (1, 2, 3, MOST_TRIES):
        handed(cloud, queues, EXAMPLES[PUBLISHED], tries=tries)

    text = log.getvalue()
    assert "127.0.0.1 answered 500" in text
    for secret in (PATH, "T0KEN", SECRET, SECRET.removeprefix("whsec_")):
        assert secret not in text
    assert PATH not in repr(app._wiring())


@pytest.mark.parametrize(("status", "why"), [(204, ""), (404, "127.0.0.1 answered 404")])
def test_a_test_is_sent_once_and_says_what_came_of_it(
    cloud: Cloud, queues: dict[str, str], server: Listening, status: int, why: str
) -> None:
    server.answers = [status]

    answer = cloud.invoke("webhook_sender", {"test": "42"})

    assert answer == {"host": "127.0.0.1", "why": why}
    (got,) = server.received
    assert Webhook(SECRET).verify(got.body, got.headers)["type"] == "notice.test"
    assert received(queues["dead-end"]) == []

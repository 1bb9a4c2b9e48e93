"""A job's end on the local stack: from the table's stream to a webhook's receiver, a mail, the dead end."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from standardwebhooks import Webhook

from cli.__main__ import main
from cli.deployment import History
from core.summaries.options import Mode
from local.waiting import wait_for
from tests.fakes.notices import problems
from tests.fakes.webhook_receiver import Listening, Received, listening
from tests.local.conftest import Local, short_transcript
from tests.local.grants import GET_SECRET, Refusals, forget_what_it_remembers, role_of

PATH = "/hook/T0KEN-in-the-path"
STACK = "told"


@pytest.fixture(scope="module", name="receiver")
def _receiver() -> Iterator[Listening]:
    with listening() as receiver:
        yield receiver


@pytest.fixture(scope="module", name="told")
def _told(local: Local, receiver: Listening) -> Iterator[Local]:
    """A deployment that posts to the receiver, and mails."""
    parameters = {
        "NoticeWebhookUrl": f"http://127.0.0.1:{receiver.port}{PATH}",
        "NoticeEmail": "desk@example.org",
        "NoticeEmailAbout": "all",
    }
    with closing(local.stack.deploy_another(STACK, parameters)) as stack:
        yield replace(local, stack=stack)


@pytest.fixture(name="secret")
def _secret(told: Local) -> str:
    name = told.stack.outputs["NoticeWebhookSecret"]
    value = told.stack.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return f"whsec_{json.loads(value)['current']}"


def summarised(told: Local, marker: str, text: str = "") -> History:
    stored = told.upload(text or short_transcript(marker), f"{marker}.txt", mode=Mode.PUSH)
    return told.stack.wait_for_job(stored)


def received(receiver: Listening, job_id: str, *, count: int = 1) -> list[Received]:
    """Return what the receiver was sent of a job, once that is so much."""

    def enough() -> list[Received] | None:
        found = [each for each in receiver.received if job_id in each.headers["webhook-id"]]
        return found if len(found) >= count else None

    return wait_for(enough, what=f"{count} webhooks of {job_id}", timeout_seconds=180)


@contextmanager
def mails(told: Local) -> Iterator[Callable[[str], str | None]]:
    """Read what is mailed: a queue of ours has subscribed as well."""
    sqs, sns = told.stack.client("sqs"), told.stack.client("sns")
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    url = sqs.create_queue(QueueName="mails", Attributes={"Policy": policy})["QueueUrl"]
    described = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    topic = told.stack.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="NoticeTopic"
    )["StackResourceDetail"]["PhysicalResourceId"]
    subscribed = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=described["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )

    def mailed(marker: str) -> str | None:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        texts = [str(each["Body"]) for each in answer.get("Messages", [])]
        return next((text for text in texts if marker in text), None)

    yield mailed
    sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


def run(told: Local, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """Run a command of `notices` on this deployment and return its document."""
    monkeypatch.setattr("cli.operating.desk._LOCAL_STACK", STACK)
    environment = {
        "SUMMARIES_STACK": "local",
        "LOCAL_PORT": str(urlsplit(told.stack._endpoint_url).port),
    }
    result = CliRunner(mix_stderr=False).invoke(
        main, ["notices", *arguments, "--json"], env=environment
    )
    return json.loads(result.stdout)


def test_a_summary_is_posted_and_the_receiver_verifies_it(
    told: Local, receiver: Listening, secret: str, marker: str
) -> None:
    job = summarised(told, marker).job
    (got,) = received(receiver, job.id)

    body = Webhook(secret).verify(got.body, got.headers)
    assert problems(body, "webhook") == []
    assert (body["type"], body["data"]["stack"]) == ("summary.published", STACK)
    assert body["data"]["summary"]["key"] == job.summary_key
    assert got.headers["webhook-id"] == f"{job.id}-succeeded"
    assert got.path == PATH


def test_a_file_that_cannot_be_read_is_posted_and_mailed(
    told: Local, receiver: Listening, secret: str, marker: str
) -> None:
    with mails(told) as mailed:
        job = summarised(told, marker, " \n ").job
        (got,) = received(receiver, job.id)
        text = wait_for(lambda: mailed(marker), what="the mail", timeout_seconds=180)

    body = Webhook(secret).verify(got.body, got.headers)
    assert problems(body, "webhook") == []
    assert body["data"]["reason"]["code"] == "empty"
    assert text.startswith(f'"There is no summary of {marker}.txt (bucket ')
    assert f"summaries show {job.id} --stack {STACK}." in text


def test_what_is_not_taken_comes_again_then_waits_in_the_dead_end_and_is_replayed(
    told: Local,
    receiver: Listening,
    secret: str,
    marker: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.answers, receiver.about = [500, 410], marker
    job = summarised(told, marker).job
    received(receiver, job.id, count=2)

    def kept() -> dict[str, Any] | None:
        messages = run(told, monkeypatch, "list")["messages"]
        return messages[0] if messages else None

    letter = wait_for(kept, what="a message in the dead end", timeout_seconds=180)
    assert letter["job_ids"] == [job.id]
    assert (letter["why"], letter["tries"]) == ("127.0.0.1 answered 410", 2)
    replayed = run(told, monkeypatch, "replay", job.id[:8], "--yes")["messages"]

    assert [each["done"] for each in replayed] == ["told to the webhook"]
    first, second, third = received(receiver, job.id, count=3)
    assert first.body == second.body == third.body
    assert {each.headers["webhook-id"] for each in (first, second, third)} == {
        f"{job.id}-succeeded"
    }
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert Webhook(secret).verify(third.body, third.headers)
    assert run(told, monkeypatch, "list")["messages"] == []


def test_a_test_arrives_and_says_so(
    told: Local, receiver: Listening, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = run(told, monkeypatch, "test")

    assert (answer["host"], answer["problem"]) == ("127.0.0.1", None)
    (got,) = [each for each in receiver.received if each.headers["webhook-id"] == answer["id"]]
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "notice.test"


def test_neither_the_secret_nor_the_path_stands_in_a_log(
    told: Local, receiver: Listening, secret: str, marker: str
) -> None:
    received(receiver, summarised(told, marker).job.id)

    for function in ("NotifierFunction", "WebhookSenderFunction"):
        told.wait_for_log(function, "notice" if function == "NotifierFunction" else "webhook")
        lines = "\n".join(told.stack.logs(function))
        for hidden in (secret.removeprefix("whsec_"), "T0KEN", marker[:8] + " committee"):
            assert hidden not in lines


@pytest.mark.parametrize(
    ("function", "action", "answer"),
    [
        ("NotifierFunction", "events:PutEvents", 204),
        ("WebhookSenderFunction", GET_SECRET, 204),
        ("WebhookSenderFunction", "sqs:ChangeMessageVisibility", 500),
        ("WebhookSenderFunction", "sqs:SendMessage", 410),
    ],
)
def test_a_function_without_a_grant_is_refused_what_it_needs(
    told: Local, receiver: Listening, marker: str, function: str, action: str, answer: int
) -> None:
    role = role_of(told.stack, function)
    (grant,) = [each for each in role.arns if each.action == action]
    refusals = Refusals(told.stack, function)
    forget_what_it_remembers(told.stack, function)
    receiver.answers, receiver.about = [answer], marker
    with role.without(grant):
        summarised(told, marker, " \n ")
        wait_for(
            lambda: action in refusals.actions(role) or None,
            what=f"a refusal of {action}",
            timeout_seconds=180,
        )
    receiver.answers = []
    forget_what_it_remembers(told.stack, function)

    assert refusals.actions(role) == {action}

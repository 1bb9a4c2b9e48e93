"""`notices` over moto: what could not be told, and told again with the same ids."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from standardwebhooks import Webhook

from core.jobs.audit import AuditEvent
from core.jobs.job import Job
from core.notices.dead_end import DeadEnd
from core.notices.notice import FAILED, PUBLISHED
from tests.builders import a_call, a_job, a_source, a_summary
from tests.cli.operating.operated import Operated, operated
from tests.fakes.notices import EXAMPLES, Bus, problems, recorded_bus
from tests.fakes.webhook_receiver import listening

SECRET = "whsec_" + "c2VjcmV0" * 6
NOW = datetime.now(UTC)
JOB_OF_EXAMPLES = EXAMPLES[FAILED]["detail"]["job_id"]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    monkeypatch.setattr("cli.operating.queues._WAIT_SECONDS", 0)
    with operated(monkeypatch) as stack:
        yield stack


@pytest.fixture
def bus(stack: Operated) -> Iterator[Bus]:
    with recorded_bus(boto3.client("events")) as bus:
        yield bus


@pytest.fixture
def dead_end(stack: Operated) -> DeadEnd:
    return DeadEnd(stack.sqs, stack.stack.dead_end)


def left(stack: Operated) -> int:
    asked = stack.sqs.get_queue_attributes(
        QueueUrl=stack.stack.dead_end, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def sent_to_webhook(stack: Operated) -> list[dict[str, Any]]:
    answer = stack.sqs.receive_message(QueueUrl=stack.stack.notices, MaxNumberOfMessages=10)
    return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


def ended(stack: Operated, number: int, *, at: datetime, fails: bool = False) -> Job:
    """Record a job that has ended."""
    job_id = f"{number:06x}{'0' * 26}"
    began = at - timedelta(minutes=5)
    job = a_job(id=job_id, source=a_source(key=f"calls/{number}.txt"), created_at=began)
    stack.cloud.store().create(job, [a_call(job_id=job_id)])
    event = AuditEvent(at=at, by="test", why="RunPod lost it")
    job = job.with_failure("deadline", event) if fails else job.with_success(a_summary(), event)
    return stack.cloud.store().save_job(job)


def undelivered(dead_end: DeadEnd, kind: str = FAILED) -> None:
    dead_end.keep_undelivered(
        EXAMPLES[kind], why="hooks.example answered 500", tries=11, at=NOW - timedelta(hours=2)
    )


# ---- a look --------------------------------------------------------------------------------------


def test_an_empty_dead_end_is_fine(stack: Operated) -> None:
    assert stack.json("notices", "list")["messages"] == []


def test_a_look_says_of_which_job_when_why_and_after_how_many_tries(
    stack: Operated, dead_end: DeadEnd
) -> None:
    undelivered(dead_end)

    (told,) = stack.json("notices", "list", exit_code=1)["messages"]

    assert told["job_ids"] == [JOB_OF_EXAMPLES]
    assert told["what"] == "Summary Failed: calls/harbour board.pdf"
    assert told["why"] == "hooks.example answered 500"
    assert (told["tries"], told["to"]) == (11, "the webhook")
    assert datetime.fromisoformat(told["at"]) == NOW - timedelta(hours=2)
    assert left(stack) == 1


def test_a_person_reads_it_in_sentences(stack: Operated, dead_end: DeadEnd) -> None:
    undelivered(dead_end)

    shown = stack.run("notices", "list").stdout

    assert "Summary Failed: calls/harbour board.pdf" in shown
    assert re.search(r"7f3c0a4b  2h[ \dms]* ago, after 11 tries", shown)
    assert "replayed, it goes to the webhook" in shown


def test_a_dry_run_changes_nothing(stack: Operated, dead_end: DeadEnd, bus: Bus) -> None:
    undelivered(dead_end)

    stack.json("notices", "replay", "--dry-run")

    assert (left(stack), sent_to_webhook(stack), bus.events) == (1, [], [])


def test_without_leave_nothing_is_told(stack: Operated, dead_end: DeadEnd) -> None:
    undelivered(dead_end)

    result = stack.run("notices", "replay", answer="n\n")

    assert "Tell 1 again?" in result.stderr
    assert (left(stack), sent_to_webhook(stack)) == (1, [])


# ---- told again ----------------------------------------------------------------------------------


def test_what_the_webhook_did_not_take_goes_to_the_webhook_as_it_was(
    stack: Operated, dead_end: DeadEnd, bus: Bus
) -> None:
    undelivered(dead_end)
    undelivered(dead_end, PUBLISHED)

    told = stack.json("notices", "replay", "--yes")

    assert {each["done"] for each in told["messages"]} == {"told to the webhook"}
    again = sent_to_webhook(stack)
    assert {each["detail"]["id"] for each in again} == {
        each["detail"]["id"] for each in EXAMPLES.values()
    }
    assert EXAMPLES[FAILED] in again
    assert (left(stack), bus.events) == (0, [])


def test_a_job_that_nobody_was_told_of_is_told_to_everybody(
    stack: Operated, dead_end: DeadEnd, bus: Bus
) -> None:
    job = ended(stack, 1, at=NOW)
    dead_end.keep_untold(job.id, why="EventBridge refuses it (MalformedDetail)", at=NOW)

    stack.json("notices", "replay", "--yes")

    (event,) = bus.events
    assert problems(event, "event") == []
    assert event["detail"]["id"] == f"{job.id}-succeeded"
    assert event["detail"]["stack"] == "a-stack"
    assert left(stack) == 0


@pytest.mark.parametrize("name", ["id", "beginning", "key"])
def test_one_job_is_told_of_and_the_others_stay(
    stack: Operated, dead_end: DeadEnd, bus: Bus, name: str
) -> None:
    first, second = (ended(stack, number, at=NOW, fails=True) for number in (1, 2))
    for job in (first, second):
        dead_end.keep_untold(job.id, why="down", at=NOW)
    names = {"id": second.id, "beginning": second.id[:8], "key": second.source.key}

    stack.json("notices", "replay", names[name], "--yes")

    assert [event["detail"]["job_id"] for event in bus.events] == [second.id]
    assert left(stack) == 1


def test_a_job_of_which_nothing_is_in_the_dead_end_is_told_of_again(
    stack: Operated, bus: Bus
) -> None:
    job = ended(stack, 1, at=NOW)

    (told,) = stack.json("notices", "replay", job.source.key, "--yes")["messages"]

    assert "it was told before" in told["why"]
    assert [event["detail"]["id"] for event in bus.events] == [f"{job.id}-succeeded"]


def test_a_job_that_goes_on_is_not_told_of(stack: Operated, bus: Bus) -> None:
    job = a_job()
    stack.cloud.store().create(job, [a_call()])

    result = stack.run("notices", "replay", job.id, "--yes")

    assert result.exit_code == 1
    assert "has not ended yet" in result.stderr


def test_a_job_that_nobody_knows_is_no_such_job(stack: Operated) -> None:
    assert stack.run("notices", "replay", "f" * 32, "--yes").exit_code == 3


def test_while_eventbridge_is_down_nothing_is_lost(
    stack: Operated, dead_end: DeadEnd, bus: Bus
) -> None:
    bus.is_down = True
    dead_end.keep_untold(ended(stack, 1, at=NOW).id, why="down", at=NOW)

    result = stack.run("notices", "replay", "--yes")

    assert result.exit_code == 1
    assert "EventBridge did not take notices" in result.stderr
    assert left(stack) == 1


# ---- what AWS keeps there itself -----------------------------------------------------------------


def lambdas_account(first: datetime, last: datetime) -> dict[str, Any]:
    """What Lambda keeps of records that a function could not take: all about them but themselves."""
    return {
        "requestContext": {
            "requestId": "r",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:a-stack-notifier",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 21,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}.717Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-1",
            "startSequenceNumber": "1",
            "endSequenceNumber": "2",
            "approximateArrivalOfFirstRecord": f"{first:%Y-%m-%dT%H:%M:%SZ}",
            "approximateArrivalOfLastRecord": f"{last:%Y-%m-%dT%H:%M:%SZ}",
            "batchSize": 2,
            "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/jobs/stream/1",
        },
    }


def keep(stack: Operated, body: object, **attributes: str) -> None:
    stack.sqs.send_message(
        QueueUrl=stack.stack.dead_end,
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )


def test_lambdas_account_of_records_means_the_jobs_that_ended_then(
    stack: Operated, bus: Bus
) -> None:
    early, first, last, late = (
        ended(stack, number, at=NOW - timedelta(minutes=minutes), fails=number == 2)
        for number, minutes in ((1, 60), (2, 31), (3, 29), (4, 1))
    )
    keep(stack, lambdas_account(NOW - timedelta(minutes=31), NOW - timedelta(minutes=29)))

    (shown,) = stack.json("notices", "list", exit_code=1)["messages"]
    assert re.fullmatch(r"what ended between .*: 2 jobs", shown["what"])
    assert "RetryAttemptsExhausted" in shown["why"]
    stack.json("notices", "replay", "--yes")

    assert {event["detail"]["job_id"] for event in bus.events} == {first.id, last.id}
    assert {early.id, late.id}.isdisjoint(shown["job_ids"])
    assert left(stack) == 0


@pytest.mark.parametrize(
    ("target", "to"), [("sqs:us-east-1:1:q", "the webhook"), ("sns:us-east-1:1:t", "everybody")]
)
def test_what_eventbridge_could_not_hand_on_goes_where_it_was_to_go(
    stack: Operated, bus: Bus, target: str, to: str
) -> None:
    job = ended(stack, 1, at=NOW)
    event = json.loads(json.dumps(EXAMPLES[PUBLISHED]).replace(JOB_OF_EXAMPLES, job.id))
    keep(
        stack,
        event,
        ERROR_CODE="NO_PERMISSIONS",
        ERROR_MESSAGE="no",
        RULE_ARN="arn:aws:events:us-east-1:1:rule/r",
        TARGET_ARN=f"arn:aws:{target}",
    )

    (told,) = stack.json("notices", "replay", "--yes")["messages"]

    assert told["to"] == to
    assert "NO_PERMISSIONS" in told["why"]
    again = sent_to_webhook(stack) if to == "the webhook" else bus.events
    assert [each["detail"]["id"] for each in again] == [f"{job.id}-succeeded"]


def test_what_the_webhooks_queue_gave_up_by_itself_goes_to_the_webhook(stack: Operated) -> None:
    keep(stack, EXAMPLES[FAILED])

    (told,) = stack.json("notices", "replay", "--yes")["messages"]

    assert "could not run" in told["why"]
    assert sent_to_webhook(stack) == [EXAMPLES[FAILED]]


@pytest.mark.parametrize("body", ["no JSON", {"kind": "untold", "job_id": "0" * 32}])
def test_what_can_be_told_no_more_stays_until_it_is_dropped(
    stack: Operated, dead_end: DeadEnd, body: Any
) -> None:
    if isinstance(body, dict):
        dead_end.keep_untold(body["job_id"], why="down", at=NOW)  # its record has expired
    else:
        keep(stack, body)

    stack.json("notices", "replay", "--yes", exit_code=1)
    assert left(stack) == 1
    stack.json("notices", "drop", "--dry-run")
    assert left(stack) == 1
    stack.json("notices", "drop", "--yes")
    assert left(stack) == 0


def test_what_was_for_a_webhook_that_is_no_more_stays(stack: Operated, dead_end: DeadEnd) -> None:
    undelivered(dead_end)
    del stack.stack.outputs["NoticeQueueUrl"]

    (told,) = stack.json("notices", "replay", "--yes", exit_code=1)["messages"]

    assert "no webhook any more" in told["why"]
    assert left(stack) == 1


def test_a_stack_from_before_there_were_notices_says_so(stack: Operated) -> None:
    del stack.stack.outputs["NoticeDeadEndUrl"]

    result = stack.run("notices", "list")

    assert result.exit_code == 1
    assert "deploy again" in result.stderr


# ---- a test --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "problem"), [(204, None), (404, "127.0.0.1 answered 404")])
def test_a_test_says_what_the_receiver_made_of_it(
    stack: Operated, monkeypatch: pytest.MonkeyPatch, status: int, problem: str | None
) -> None:
    boto3.client("secretsmanager").create_secret(Name="webhook", SecretString=SECRET)
    with listening() as server:
        server.answers = [status]
        monkeypatch.setenv("NOTICE_WEBHOOK_URL", f"http://127.0.0.1:{server.port}/hook")

        told = stack.json("notices", "test", exit_code=1 if problem else 0)

        (got,) = server.received
    assert told["problem"] == problem
    assert got.headers["webhook-id"] == told["id"]
    assert Webhook(SECRET).verify(got.body, got.headers)["type"] == "notice.test"


def test_without_a_webhook_there_is_nothing_to_test(stack: Operated) -> None:
    del stack.stack.outputs["WebhookSenderFunction"]

    assert "NoticeWebhookUrl" in stack.run("notices", "test").stderr

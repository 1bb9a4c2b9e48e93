"""`redrive` over moto: a look at the dead letters, and back to work with them."""

import json
from collections.abc import Iterator

import pytest

from core.jobs.job import JobState
from tests.builders import a_call, a_job
from tests.cli.operating.operated import Operated, operated
from tests.fakes.lambda_events import s3_notification

KEY = "calls/board.txt"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    monkeypatch.setattr("cli.operating.queues._WAIT_SECONDS", 0)
    with operated(monkeypatch) as stack:
        yield stack


def dead(stack: Operated, *bodies: object) -> None:
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)
        stack.sqs.send_message(QueueUrl=stack.stack.dead_letters, MessageBody=text)


def left(stack: Operated) -> int:
    asked = stack.sqs.get_queue_attributes(
        QueueUrl=stack.stack.dead_letters, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def test_a_look_says_what_each_message_is_and_leaves_it_there(stack: Operated) -> None:
    dead(stack, s3_notification(KEY, "e1"))

    told = stack.json("redrive", "--dry-run")

    assert told["messages"][0]["means"] == f"an upload: {KEY}"
    assert told["messages"][0]["will"] == "it becomes a job"
    assert left(stack) == 1


def test_messages_go_back_to_the_queue_they_came_from(stack: Operated) -> None:
    event = s3_notification(KEY, "e1")
    dead(stack, event)

    told = stack.json("redrive", "--yes")

    assert told["messages"][0]["done"] == "sent back"
    assert stack.cloud.messages() == [event]
    assert left(stack) == 0


def test_what_nobody_can_take_stays_and_is_an_error(stack: Operated) -> None:
    dead(stack, "no JSON")

    told = stack.json("redrive", "--yes", exit_code=1)

    assert "no message of ours" in told["messages"][0]["means"]
    assert stack.cloud.messages() == []
    assert left(stack) == 1


def test_what_nobody_can_take_is_deleted_if_told_so(stack: Operated) -> None:
    dead(stack, "no JSON")

    stack.json("redrive", "--drop-unknown", "--yes")

    assert left(stack) == 0


@pytest.mark.parametrize(
    ("job", "will"),
    [
        (a_job(), "the job goes on"),
        (a_job(state=JobState.FAILED, reason_code="deadline"), "nothing: 01234567, it failed"),
        (None, "nothing: the job's record has expired"),
    ],
    ids=["active", "failed", "gone"],
)
def test_of_a_job_that_it_is_about_a_message_says_how_it_stands(
    stack: Operated, job, will: str
) -> None:
    if job:
        stack.cloud.holding(job, a_call())
    dead(stack, {"next_stage_requested": {"job_id": a_job().id}})

    told = stack.json("redrive", "--dry-run")

    assert told["messages"][0]["will"].startswith(will)


def test_an_upload_that_has_its_job_already_needs_nothing(stack: Operated) -> None:
    job = stack.upload(KEY)
    dead(stack, s3_notification(KEY, job.source.etag, sequencer=job.source.sequencer))

    told = stack.json("redrive", "--dry-run")

    assert told["messages"][0]["will"].startswith(f"nothing: it has its job {job.id[:8]}")


def test_a_transcript_whose_name_begins_with_a_sign_becomes_a_job(stack: Operated) -> None:
    dead(stack, s3_notification("calls/_board.txt", "e1"), s3_notification("_SUCCESS", "e2"))

    told = stack.json("redrive", "--dry-run")

    will = {each["means"]: each["will"] for each in told["messages"]}
    assert will["an upload: calls/_board.txt"] == "it becomes a job"
    assert will["an upload: _SUCCESS"].startswith("nothing: it is no transcript")


def test_all_of_many_are_moved(stack: Operated) -> None:
    dead(stack, *(s3_notification(f"calls/{number}.txt", "e") for number in range(25)))

    told = stack.json("redrive", "--yes")

    assert len(told["messages"]) == 25
    assert left(stack) == 0


def test_an_empty_queue_is_fine(stack: Operated) -> None:
    result = stack.run("redrive")

    assert result.exit_code == 0
    assert "no dead letters" in result.stdout


def test_a_no_at_the_terminal_hands_every_message_back(stack: Operated) -> None:
    dead(stack, s3_notification(KEY, "e1"))

    assert stack.run("redrive", answer="n\n").exit_code == 1
    assert left(stack) == 1

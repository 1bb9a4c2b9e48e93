"""Uploads become summaries: SQS, the three handlers, callbacks over HTTP, DynamoDB and S3."""

import re
from collections.abc import Callable
from contextlib import closing

import pytest

from core.jobs.job import JobState
from core.summaries.options import Mode
from local.stack.needs import ROOT
from tests.local.checks import assert_audit_is_whole, assert_summarised, sentences_of
from tests.local.conftest import Local, notification, short_transcript

MEETING = ROOT / "samples/product-planning-meeting.txt"


def test_a_transcript_of_10000_words_becomes_a_summary_of_about_4000(
    local: Local, mode: Mode
) -> None:
    upload = local.upload(MEETING, f"{mode}/planning.txt", mode=mode)

    history = local.stack.wait_for_job(upload)

    stored = assert_summarised(local.stack, upload, history)
    assert_audit_is_whole(history)
    assert stored.key == f"summaries/{mode}/planning.txt"
    assert stored.facts_key == f"summaries/{mode}/planning.json"
    assert history.job.words_in > 9_500  # without the speakers' names
    assert 3_400 <= len(stored.text.split()) <= 4_600
    said = sentences_of(MEETING.read_text(encoding="utf-8"))
    told = re.sub(r" \([^()]+\)", "", stored.text)  # without who said it
    assert len(sentences_of(told) & said) > 50  # it is about this meeting


def test_an_upload_is_one_runpod_request_with_the_prompt_and_the_limits(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    upload = local.stack.upload(transcript(marker), f"{marker}.txt")

    history = local.stack.wait_for_job(upload)

    [request] = local.runpod_jobs(marker)
    asked = request.input["openai_input"]
    assert request.input["openai_route"] == "/v1/chat/completions"
    assert 75 <= asked["max_tokens"] <= 300  # what its words need, and no more
    assert asked["stream"] is False
    assert f"about {history.job.target_words} words" in asked["messages"][1]["content"]
    assert request.webhook.startswith(local.stack.outputs["WebhookUrl"] + "/")


def test_a_repeated_upload_event_costs_no_second_runpod_request(
    local: Local, transcript: Callable[[str], str], marker: str, mode: Mode
) -> None:
    upload = local.upload(transcript(marker), f"twice/{marker}.txt", mode=mode)
    before = local.stack.wait_for_job(upload)
    told_before = duplicates_told(local)

    local.send_to_queue(notification(upload))

    assert local.stack.history(upload) == before
    assert len(local.runpod_jobs(marker)) == 1
    assert duplicates_told(local) == told_before + 1


def test_an_order_holds_neither_the_transcript_nor_a_key_and_no_function_reads_the_file(
    local: Local, marker: str
) -> None:
    talk = short_transcript("nowhere-but-in-the-file")
    upload = local.upload(talk, f"{marker}.txt", mode=Mode.PULL)

    history = local.stack.wait_for_job(upload)

    [request] = local.runpod_jobs(marker)
    assert_summarised(local.stack, upload, history)
    assert list(request.input) == ["work_order"]
    assert "nowhere-but-in-the-file" not in str(request.input)
    assert list(request.output) == ["manifest"]
    assert not request.output["manifest"]["text"]
    # Without the four marks of time and the four speakers' names, of two words each.
    assert history.job.words_in == len(talk.split()) - 4 - 8
    assert local.model.prompts("nowhere-but-in-the-file")


def test_a_bucket_that_exists_already_feeds_a_stack_through_eventbridge(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    """No versions in this one: the job is named by the object's ETag and the order of writes."""
    s3 = local.stack.client("s3")
    s3.create_bucket(Bucket="talks")
    s3.put_bucket_notification_configuration(
        Bucket="talks", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    parameters = {"InputBucketName": "talks", "InputPrefix": "new/", "OutputBucketName": "talks"}
    stack = local.stack.deploy_another("one-bucket", parameters)
    with closing(stack):
        outside = stack.upload(transcript(f"{marker} outside"), "old/talk.txt")
        upload = stack.upload(transcript(f"{marker} inside"), "new/a talk+1.txt")

        history = stack.wait_for_job(upload)

        pulled = stack.upload(
            transcript(f"{marker} pulled"), "new/pulled.txt", metadata={"summary-mode": "pull"}
        )
        assert_summarised(stack, pulled, stack.wait_for_job(pulled))
        stored = assert_summarised(stack, upload, history)
        assert (stored.bucket, stored.key) == ("talks", "summaries/new/a talk+1.txt")
        assert stack.history(outside) is None
        assert len(stack.job_ids()) == 2
    assert len(local.runpod_jobs(marker)) == 1
    assert local.stack.job_ids().count(history.job.id) == 0


def test_inputs_that_differ_in_folder_or_ending_have_summaries_of_their_own(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    keys = [f"{marker}/a/talk.txt", f"{marker}/b/talk.txt", f"{marker}/a/talk.md"]
    uploads = [local.stack.upload(transcript(f"{marker} {key}"), key) for key in keys]

    jobs = [local.stack.wait_for_job(upload) for upload in uploads]

    stored = [assert_summarised(local.stack, *pair) for pair in zip(uploads, jobs, strict=True)]
    assert len({each.key for each in stored}) == len(keys)
    assert len({each.facts_key for each in stored}) == len(keys)


@pytest.mark.parametrize(
    "name",
    ["two words.txt", "a+b.txt", "100 %25 sure.txt", "Gespräch – 東京.txt", "UPPER.TXT"],
    ids=["space", "plus", "percent", "unicode", "capitals"],
)
def test_a_key_of_unusual_characters_reaches_the_summary_unchanged(
    local: Local, transcript: Callable[[str], str], marker: str, name: str, mode: Mode
) -> None:
    upload = local.upload(transcript(marker), f"{marker}/{name}", mode=mode)

    history = local.stack.wait_for_job(upload)

    stored = assert_summarised(local.stack, upload, history)
    ending = "" if name.endswith(".txt") else ".txt"
    assert stored.key == f"summaries/{marker}/{name}{ending}"


def test_a_file_that_is_no_transcript_by_its_name_is_a_failed_job(
    local: Local, marker: str
) -> None:
    upload = local.stack.upload(b"\x89PNG", f"{marker}.png")

    history = local.stack.wait_for_job(upload)

    assert history.job.reason_code == "unlisted-suffix"
    assert not local.runpod_jobs(marker)


def test_a_file_that_a_system_left_is_left_alone(local: Local, marker: str) -> None:
    upload = local.stack.upload(b"\0", f"{marker}/.DS_Store")

    local.send_to_queue(notification(upload))

    assert local.stack.history(upload) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "empty"), (b" \n\n\t", "empty"), (bytes(range(256)) * 20, "not-text")],
    ids=["no bytes", "no words", "binary"],
)
def test_an_upload_that_is_no_text_is_a_failed_job_with_a_reason(
    local: Local, marker: str, body: bytes, code: str
) -> None:
    requests_before = local.simulator.requests().get("run", 0)
    upload = local.stack.upload(body, f"{marker}.txt")

    history = local.stack.wait_for_job(upload)

    assert history.job.state is JobState.FAILED
    assert history.job.reason_code == code
    assert history.job.reason
    assert history.calls == []
    assert [event.what for event in history.events] == ["recorded", "active -> failed"]
    assert local.simulator.requests().get("run", 0) == requests_before


def duplicates_told(local: Local) -> int:
    return sum('"DuplicateUploads"' in line for line in local.stack.logs("SubmitterFunction"))

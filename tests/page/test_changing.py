"""What the page changes, and what it won't: conflicts say why, and uploads are checked."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from core.jobs.job import JobState
from tests.page.world import World, a_meeting


def test_a_failed_job_is_started_anew_as_a_new_version(world: World) -> None:
    world.runpod_cancels()
    job = world.uploaded(turns=12)
    world.posted(f"/api/jobs/{job.id}/cancel")

    planned = world.posted(f"/api/jobs/{job.id}/retry", dry_run=1)
    done = world.posted(f"/api/jobs/{job.id}/retry")

    assert planned["did"] == "would start anew"
    assert done["conflict"] is None
    assert world.operator.noticed(job.source.key).id == done["new_job_id"]


def test_a_dry_run_changes_nothing(world: World) -> None:
    job = world.uploaded(turns=12)

    planned = world.posted(f"/api/jobs/{job.id}/cancel", dry_run=1)

    assert planned["did"] == "would be cancelled"
    assert world.operator.cloud.store().load_job(job.id).state is JobState.ACTIVE


def test_a_cancelled_job_has_failed_and_its_request_is_cancelled_at_runpod(world: World) -> None:
    world.runpod_cancels()
    job = world.uploaded(turns=12)

    done = world.posted(f"/api/jobs/{job.id}/cancel")

    assert done["did"] == "cancelled"
    assert done["cancelled_requests"] == ["rp-1"]
    assert world.operator.cloud.store().load_job(job.id).reason_code == "cancelled-by-operator"


def test_what_conflicts_says_why_and_changes_nothing(world: World) -> None:
    succeeded = world.summarised("calls/done.txt", turns=12)
    active = world.uploaded("calls/active.txt", turns=12)

    retry = world.posted(f"/api/jobs/{active.id}/retry")
    cancel = world.posted(f"/api/jobs/{succeeded.id}/cancel")

    assert "it is active since" in retry["conflict"]
    assert "nothing to cancel: it has succeeded" in cancel["conflict"]
    assert world.operator.cloud.store().load_job(active.id).state is JobState.ACTIVE


def test_a_job_that_succeeded_is_summarised_again_only_if_that_was_meant(world: World) -> None:
    job = world.summarised(turns=12)

    assert world.posted(f"/api/jobs/{job.id}/retry", dry_run=1)["conflict"]
    assert world.posted(f"/api/jobs/{job.id}/retry", dry_run=1, again=1)["did"]


def test_a_job_that_is_not_there_can_not_be_changed(world: World) -> None:
    assert world.ask("POST", "/api/jobs/no-such/cancel").status_code == 404


def uploaded(world: World, body: bytes | str, **asked: Any) -> Any:
    return world.ask("POST", "/api/uploads", query_string=asked, data=body)


def test_an_upload_reaches_the_bucket_with_what_was_chosen(world: World) -> None:
    answer = uploaded(
        world, a_meeting(12), name="board.txt", prefix="calls", words="700", language="German"
    )

    stored = boto3.client("s3").get_object(Bucket="transcripts", Key="calls/board.txt")
    assert answer.status_code == 201
    assert stored["Body"].read().decode() == a_meeting(12)
    assert stored["Metadata"] == {"summary-words": "700", "summary-language": "German"}
    assert world.operator.noticed("calls/board.txt").id == answer.json["job_id"]


def test_a_file_of_the_same_name_is_replaced_only_if_that_was_meant(world: World) -> None:
    uploaded(world, "Ann: one.", name="board.txt")

    refused = uploaded(world, "Ann: two.", name="board.txt")
    replaced = uploaded(world, "Ann: two.", name="board.txt", replace=1)

    assert (refused.status_code, refused.json["error"]["code"]) == (409, "is-there")
    assert replaced.status_code == 201


@pytest.mark.parametrize(
    ("body", "asked", "status", "says"),
    [
        ("x", {"name": "board.exe"}, 400, "InputSuffixes"),
        ("x", {"name": ""}, 400, "needs a name"),
        ("x", {"name": "a\u202etxt.exe"}, 400, "needs a name"),
        ("x", {"name": "board.txt", "words": "7"}, 400, "summary-words"),
        ("x", {"name": "board.txt", "mode": "drag"}, 400, "summary-mode"),
        ("x", {"name": "board.txt", "prefix": "../up"}, 400, "folder"),
        ("x", {"name": "_glossary.txt"}, 400, "no transcript"),
        ("x" * 1_000_001, {"name": "board.txt"}, 413, "MaxTranscriptBytes allows 1,000,000"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_the_submitter_would_refuse_is_refused_before_anything_is_uploaded(
    world: World, body: str, asked: dict[str, str], status: int, says: str
) -> None:
    answer = uploaded(world, body, **asked)

    assert answer.status_code == status
    assert says in answer.json["error"]["message"]
    assert boto3.client("s3").list_objects_v2(Bucket="transcripts")["KeyCount"] == 0


def test_only_the_files_own_name_is_taken(world: World) -> None:
    answer = uploaded(world, "Ann: one.", name="C:\\fakepath\\..\\board.txt")

    assert answer.json["key"] == "board.txt"


def test_an_old_job_is_found_by_the_beginning_of_its_id(world: World) -> None:
    job = world.operator.recorded(1, ago=timedelta(hours=2), state=JobState.FAILED)

    assert (
        "file" in world.posted(f"/api/jobs/{job.id[:8]}/retry", dry_run=1)["conflict"]
    )  # it was never uploaded


def test_a_file_is_read_before_anything_is_uploaded(world: World) -> None:
    read = world.ask(
        "POST", "/api/reading", query_string={"name": "board.txt"}, data=a_meeting(12)
    ).json

    assert (read["is_readable"], read["turns"], read["speakers"]) == (True, 12, 3)
    assert read["has_times"]
    assert {"name": "Mara", "share": 0.33} in read["most"]
    assert boto3.client("s3").list_objects_v2(Bucket="transcripts")["KeyCount"] == 0


def test_a_file_that_would_fail_says_why(world: World) -> None:
    read = world.ask(
        "POST", "/api/reading", query_string={"name": "board.json"}, data='{"a": 1}'
    ).json

    assert (read["is_readable"], read["code"]) == (False, "unknown-format")
    assert read["message"]

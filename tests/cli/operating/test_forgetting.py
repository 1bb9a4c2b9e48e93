"""`forget` over moto: nothing of a transcript is left, nothing of another is touched."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.jobs.job import JobState
from tests.cli.operating.operated import Operated, operated

KEY = "calls/board.txt"
SUMMARY = "# A\n\nMara said that the pump holds, and Ilse wants to buy a second one."


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as stack:
        stack.with_versions()
        yield stack


def done(stack: Operated, key: str = KEY, *, runpod_id: str = "rp-1") -> str:
    job = stack.upload(key, runpod_id=runpod_id)
    stack.call_back(SUMMARY, runpod_id=runpod_id)
    assert stack.job(job.id).state is JobState.SUCCEEDED
    return job.id


def versions(stack: Operated, bucket: str) -> list[str]:
    listed: Any = stack.s3.list_object_versions(Bucket=bucket)
    return [each["Key"] for kind in ("Versions", "DeleteMarkers") for each in listed.get(kind, [])]


def test_nothing_is_left_of_any_version(stack: Operated) -> None:
    done(stack)
    stack.s3.delete_object(Bucket="transcripts", Key=KEY)
    stack.put(KEY, "   ")
    stack.announce(KEY)

    told = stack.json("forget", KEY, "--yes")

    assert told["done"]
    assert len(told["jobs"]) == 2
    assert versions(stack, "transcripts") == []
    assert versions(stack, "out") == []
    assert stack.cloud.job_ids() == []


def test_a_neighbour_whose_key_begins_alike_is_left_alone(stack: Operated) -> None:
    done(stack)
    neighbour = done(stack, KEY + ".old.txt")

    stack.json("forget", KEY, "--yes")

    assert stack.cloud.job_ids() == [neighbour]
    assert versions(stack, "transcripts") == [KEY + ".old.txt"]
    assert all(neighbour in key or ".old." in key for key in versions(stack, "out"))
    assert any(key.startswith("summaries/") for key in versions(stack, "out"))


def test_a_job_whose_file_has_no_version_left_is_found_all_the_same(stack: Operated) -> None:
    done(stack)
    for each in stack.s3.list_object_versions(Bucket="transcripts")["Versions"]:
        stack.s3.delete_object(Bucket="transcripts", Key=KEY, VersionId=each["VersionId"])

    stack.json("forget", KEY, "--yes")

    assert stack.cloud.job_ids() == []


def test_a_dry_run_lists_all_and_erases_nothing(stack: Operated) -> None:
    job_id = done(stack)

    told = stack.json("forget", KEY, "--dry-run")

    assert told["jobs"] == [job_id]
    assert {each["key"] for each in told["made"]} == set(versions(stack, "out"))
    assert versions(stack, "transcripts") == [KEY]


def test_it_says_what_it_could_not_reach(stack: Operated) -> None:
    done(stack)

    result = stack.run("forget", KEY, "--dry-run")

    for place in ("logs", "RunPod", "backups", "messages"):
        assert f"{place}:" in result.stdout


def test_a_job_that_goes_on_stands_in_the_way(stack: Operated) -> None:
    stack.upload(KEY)

    told = stack.json("forget", KEY, "--yes", exit_code=1)

    assert "`cancel` it first" in told["conflicts"][0]
    assert versions(stack, "transcripts") == [KEY]


def test_an_upload_whose_job_is_still_to_come_stands_in_the_way(stack: Operated) -> None:
    stack.put(KEY)

    told = stack.json("forget", KEY, "--yes", exit_code=1)

    assert "has no job yet" in told["conflicts"][0]


def test_so_does_a_new_version_of_a_file_that_has_an_older_job(stack: Operated) -> None:
    done(stack)
    stack.put(KEY, "   ")

    told = stack.json("forget", KEY, "--yes", exit_code=1)

    assert "has no job yet" in told["conflicts"][0]


def test_what_s3_keeps_is_an_error_and_the_record_stays_to_begin_again_by(
    stack: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = done(stack)
    monkeypatch.setattr(
        "cli.operating.forgetting.erase_versions",
        lambda _s3, _bucket, found: [(each, "AccessDenied") for each in found],
    )

    told = stack.json("forget", KEY, "--yes", exit_code=1)

    assert told["kept"][0]["code"] == "AccessDenied"
    assert stack.cloud.job_ids() == [job_id]


def test_of_a_key_that_nobody_knows_nothing_is_kept(stack: Operated) -> None:
    assert stack.run("forget", "calls/nobody.txt", "--yes").exit_code == 3


def test_in_a_bucket_without_versions_the_one_object_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    with operated(monkeypatch) as stack:
        done(stack)

        stack.json("forget", KEY, "--yes")

        assert versions(stack, "transcripts") == []
        assert stack.cloud.job_ids() == []

"""`retry` over moto: a failed job's file becomes a new version, and that a new job."""

from collections.abc import Iterator

import pytest

from core.jobs.job import Job, JobState
from tests.cli.operating.operated import Operated, operated

KEY = "calls/board.txt"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as stack:
        stack.with_versions()
        yield stack


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    """Buckets without versions."""
    with operated(monkeypatch) as stack:
        yield stack


def failed(stack: Operated, key: str = KEY, **metadata: str) -> Job:
    stack.put(key, "   ", **metadata)
    return stack.announce(key)


def test_the_file_becomes_a_new_version_with_a_job_of_its_own(stack: Operated) -> None:
    job = failed(stack)

    told = stack.json("retry", job.id, "--yes")

    new = stack.announce(KEY)
    assert told["jobs"][0]["new_job_id"] == new.id != job.id


def test_the_options_it_was_uploaded_with_stay_with_it(stack: Operated) -> None:
    failed(stack, **{"summary-words": "700", "summary-language": "German"})

    stack.json("retry", KEY, "--yes")

    head = stack.s3.head_object(Bucket="transcripts", Key=KEY)
    assert head["Metadata"]["summary-words"] == "700"
    assert head["Metadata"]["summary-language"] == "German"


def test_the_old_jobs_audit_says_what_it_was_started_anew_as(stack: Operated) -> None:
    job = failed(stack)

    told = stack.json("retry", job.id, "--yes")

    last = stack.cloud.history(job.id)[2][-1]
    assert (last.by, last.note) == ("operator", "started anew")
    assert last.detail["new_job"] == told["jobs"][0]["new_job_id"]
    assert stack.job(job.id).state is JobState.FAILED


def test_in_a_bucket_without_versions_the_copy_has_a_job_of_its_own(plain: Operated) -> None:
    job = failed(plain)

    plain.json("retry", job.id, "--yes")

    assert plain.announce(KEY).id != job.id


def test_a_job_is_not_started_anew_twice(plain: Operated) -> None:
    job = failed(plain)
    plain.json("retry", job.id, "--yes")

    told = plain.json("retry", job.id, "--yes", exit_code=1)

    assert "started anew already" in told["jobs"][0]["conflict"]


def test_without_versions_a_later_job_of_the_same_bytes_stands_in_the_way(plain: Operated) -> None:
    job = failed(plain)
    later = failed(plain)

    told = plain.json("retry", job.id, "--yes", exit_code=1)

    assert later.id in told["jobs"][0]["conflict"]


def test_an_active_job_is_left_to_run(stack: Operated) -> None:
    job = stack.upload(KEY)

    told = stack.json("retry", job.id, "--yes", exit_code=1)

    assert "it has been active" in told["jobs"][0]["conflict"]
    assert "last moved by the submitter" in told["jobs"][0]["conflict"]


def test_a_job_that_succeeded_is_done_again_only_if_told_so(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.call_back("# A\n\nMara said that the pump holds, and Ilse wants to buy a second one.")
    assert stack.job(job.id).state is JobState.SUCCEEDED

    told = stack.json("retry", job.id, "--yes", exit_code=1)
    again = stack.json("retry", job.id, "--again", "--yes")

    assert "--again" in told["jobs"][0]["conflict"]
    assert again["jobs"][0]["new_job_id"]


def test_a_job_whose_file_is_gone_is_explained(stack: Operated) -> None:
    job = failed(stack)
    stack.s3.delete_object(Bucket="transcripts", Key=KEY)

    told = stack.json("retry", job.id, "--yes", exit_code=1)

    assert "its file is gone" in told["jobs"][0]["conflict"]


def test_a_job_whose_file_was_replaced_names_the_newer_job(stack: Operated) -> None:
    job = failed(stack)
    newer = stack.upload(KEY)

    told = stack.json("retry", job.id, "--yes", exit_code=1)

    assert newer.id[:8] in told["jobs"][0]["conflict"]
    assert "it has been active" in told["jobs"][0]["conflict"]


def test_all_that_failed_for_a_reason_start_anew(stack: Operated) -> None:
    jobs = [failed(stack, f"calls/{name}.txt") for name in "abc"]
    failed(stack, "letters/d.txt")

    told = stack.json("retry", "--reason", "empty", "--since", "1h", "--key", "calls/", "--yes")

    assert {each["job_id"] for each in told["jobs"]} == {job.id for job in jobs}
    assert all(each["new_job_id"] for each in told["jobs"])


def test_it_waits_for_the_new_jobs_and_says_what_became_of_them(
    stack: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = failed(stack, "calls/a.txt"), failed(stack, "calls/b.txt")
    waits: list[float] = []

    def meanwhile(seconds: float) -> None:
        waits.append(seconds)
        for key in ("calls/a.txt", "calls/b.txt"):
            stack.announce(key)

    monkeypatch.setattr("cli.operating.awaiting._pause", meanwhile)

    told = stack.json("retry", first.id, second.id, "--wait", "--yes", exit_code=1)

    assert len(waits) == 1
    assert [each["new_state"] for each in told["jobs"]] == ["failed", "failed"]
    assert "it failed (empty)" in told["jobs"][0]["notes"][-2]


def test_several_reasons_are_taken_together(stack: Operated) -> None:
    empty = failed(stack, "calls/a.txt")
    cancelled = stack.upload("calls/b.txt")
    stack.runpod_cancels()
    stack.json("cancel", cancelled.id, "--yes")
    stack.upload("calls/c.txt")

    told = stack.json("retry", "--reason", "empty", "--reason", "cancelled-by-operator", "--yes")

    assert {each["job_id"] for each in told["jobs"]} == {empty.id, cancelled.id}


def test_all_summaries_of_a_span_are_written_again(stack: Operated) -> None:
    job = stack.upload(KEY)
    stack.call_back("# A\n\nMara said that the pump holds, and Ilse wants to buy a second one.")
    failed(stack, "calls/d.txt")

    elsewhere = stack.json("retry", "--succeeded", "--key", "letters/", "--yes")
    told = stack.json("retry", "--succeeded", "--since", "1h", "--yes")

    assert elsewhere["jobs"] == []
    assert [each["job_id"] for each in told["jobs"]] == [job.id]
    assert told["jobs"][0]["new_job_id"]


@pytest.mark.parametrize(
    "arguments", [(), (KEY, "--succeeded"), ("--reason", "empty", "--succeeded")]
)
def test_it_is_one_of_name_reason_and_success(stack: Operated, arguments: tuple[str, ...]) -> None:
    assert stack.run("retry", *arguments, "--yes").exit_code == 2


def test_of_many_those_that_were_replaced_are_left_out_without_an_error(stack: Operated) -> None:
    failed(stack)
    failed(stack)

    told = stack.json("retry", "--reason", "empty", "--yes")

    assert sorted(bool(each["conflict"]) for each in told["jobs"]) == [False, True]


def test_more_than_the_limit_are_left_for_the_next_time(stack: Operated) -> None:
    for name in "abc":
        failed(stack, f"calls/{name}.txt")

    told = stack.json("retry", "--reason", "empty", "--limit", "2", "--yes")

    assert told["has_more"]
    assert len(told["jobs"]) == 2


def test_a_dry_run_makes_no_version(stack: Operated) -> None:
    job = failed(stack)

    told = stack.json("retry", job.id, "--dry-run")

    assert told["jobs"][0]["did"] == "would start anew"
    assert len(stack.s3.list_object_versions(Bucket="transcripts")["Versions"]) == 1


def test_a_reason_that_does_not_exist_is_wrong_usage(stack: Operated) -> None:
    assert stack.run("retry", "--reason", "bad-luck", "--yes").exit_code == 2
    assert stack.run("retry").exit_code == 2


def test_a_person_sees_why_it_failed_before_being_asked(stack: Operated) -> None:
    job = failed(stack)

    result = stack.run("retry", job.id, answer="y\n")

    assert "the file holds no words" in result.stdout
    assert "started anew" in result.stdout

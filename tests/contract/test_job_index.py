"""A person finds jobs by state and age, newest first, whatever else is in the table."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.aws.job_index import JobIndex
from core.aws.job_store import DynamoJobStore
from core.jobs.audit import AuditEvent
from core.jobs.job import Job, JobState
from tests.builders import NOON, a_call, a_job, a_source, a_summary, minutes
from tests.fakes.aws import create_jobs_table


@pytest.fixture(name="table")
def _table() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_jobs_table(client)
        yield client


def recorded(table: Any, number: int, at: datetime, end: JobState = JobState.ACTIVE) -> Job:
    store = DynamoJobStore(table, "jobs")
    job_id = f"{number:032x}"
    job = a_job(id=job_id, source=a_source(key=f"calls/{number}.txt"), created_at=at, due_at=None)
    store.create(job, [a_call(job_id=job_id)])
    event = AuditEvent(at=at + minutes(5), by="sweeper", why="no")
    if end is JobState.FAILED:
        job = store.save_job(job.with_failure("deadline", event))
    if end is JobState.SUCCEEDED:
        job = store.save_job(job.with_success(a_summary(), event))
    return job


def keys(index: JobIndex, state: JobState, **options: Any) -> list[str]:
    return [job.key for job in index.jobs(state, **options)]


def test_jobs_are_listed_by_state_the_newest_first(table: Any) -> None:
    for number, end in enumerate([JobState.FAILED, JobState.SUCCEEDED, JobState.FAILED]):
        recorded(table, number, NOON + minutes(number), end)
    index = JobIndex(table, "jobs")

    assert keys(index, JobState.FAILED) == ["calls/2.txt", "calls/0.txt"]
    assert keys(index, JobState.FAILED, oldest_first=True) == ["calls/0.txt", "calls/2.txt"]
    assert keys(index, JobState.SUCCEEDED) == ["calls/1.txt"]
    assert keys(index, JobState.ACTIVE) == []
    assert index.read_units > 0


def test_a_listed_job_says_how_it_ended(table: Any) -> None:
    job = recorded(table, 1, NOON, JobState.SUCCEEDED)
    recorded(table, 2, NOON, JobState.FAILED)
    index = JobIndex(table, "jobs")

    (succeeded,) = index.jobs(JobState.SUCCEEDED)
    (failed,) = index.jobs(JobState.FAILED)

    assert (succeeded.id, succeeded.summary) == (job.id, a_summary())
    assert (failed.reason_code, failed.finished_at) == ("deadline", NOON + minutes(5))


def test_only_what_was_recorded_in_the_time_asked_for_is_listed(table: Any) -> None:
    for number in range(5):
        recorded(table, number, NOON + timedelta(days=number))

    listed = keys(
        JobIndex(table, "jobs"),
        JobState.ACTIVE,
        since=NOON + timedelta(days=1),
        until=NOON + timedelta(days=3),
    )

    assert listed == ["calls/3.txt", "calls/2.txt", "calls/1.txt"]


def test_pages_follow_each_other_and_are_read_as_they_are_wanted(table: Any) -> None:
    for number in range(5):
        recorded(table, number, NOON + minutes(number))
    index = JobIndex(table, "jobs")

    jobs = index.jobs(JobState.ACTIVE, page_size=2)
    next(jobs)
    after_one_page = index.read_units
    assert [job.key for job in jobs] == [f"calls/{number}.txt" for number in (3, 2, 1, 0)]
    assert index.read_units > after_one_page

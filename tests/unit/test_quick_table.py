"""The quick table answers the job store as moto's does, and refuses what it does not know."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from benchmarks.account import asked_of
from benchmarks.quick_table import QuickTable
from core.aws.job_store import DynamoJobStore
from core.errors import Conflict, JobExists
from core.jobs.call import Call
from core.jobs.job import Job
from tests.builders import JOB_ID, NOON, a_call, a_job, an_event, minutes
from tests.fakes.aws import create_jobs_table

CALLS = 130  # more than one transaction takes


def lived_through(store: DynamoJobStore) -> list[Any]:
    """Do with a job what happens to one; return all that was read and raised."""
    calls = [a_call(id=f"1-{number}") for number in range(CALLS)]
    job = a_job(stage_calls=CALLS, group_size=2)
    store.create(job, calls)
    seen: list[Any] = [_raised(lambda: store.create(job, calls))]
    call = store.save_call(calls[0].with_event(an_event(what="noted")).with_due_at(NOON))
    seen += [call, _raised(lambda: store.save_call(calls[0]))]
    done = [store.count_done(job, each, due_at=NOON + minutes(2)) for each in calls[:3]]
    of_another_stage = replace(calls[0], stage=2)
    seen += [*done, _raised(lambda: store.count_done(job, of_another_stage, due_at=NOON))]
    seen += [store.record_calls([a_call(id="2-0", stage=2)]) for _ in range(2)]
    job = store.load_job(JOB_ID)
    job = store.begin_stage(replace(job, stage=2, stage_calls=2))
    job, call = store.save(job.with_failure("deadline", an_event()), call)
    seen += [job, call, _raised(lambda: store.save_job(a_job()))]
    seen += [store.load_many([(JOB_ID, "1-1"), (JOB_ID, "9-9")]), store.history(JOB_ID)]
    return seen


def _raised(write: Any) -> str:
    with suppress(Conflict):
        try:
            write()
        except JobExists:
            return "exists"
        return "written"
    return "conflict"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_jobs_table(client)
        yield client


def test_a_job_fares_as_over_moto(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    over_moto = lived_through(DynamoJobStore(client, "jobs"))
    table = QuickTable()

    monkeypatch.setattr(
        BaseClient, "_make_api_call", lambda client, *asked: asked_of(table, client, *asked)
    )

    assert lived_through(DynamoJobStore(client, "jobs")) == over_moto
    assert {type(each) for each in over_moto} >= {Job, Call, str}


@pytest.mark.parametrize(
    "asked",
    [
        {"UpdateExpression": "SET a = upside_down(a, :b)"},
        {"UpdateExpression": "SET a = :b", "ConditionExpression": "a = :b OR a = :c"},
        {"UpdateExpression": "SET a = :b", "ReturnItemCollectionMetrics": "SIZE"},
    ],
    ids=lambda asked: " ".join(asked.values()),
)
def test_what_it_does_not_know_is_refused(asked: dict[str, str]) -> None:
    values = {":b": {"S": "b"}, ":c": {"S": "c"}}
    key = {"job_id": {"S": "a"}, "item": {"S": "job"}}
    write = {"TableName": "jobs", "Key": key, "ExpressionAttributeValues": values, **asked}

    with pytest.raises(AssertionError):
        QuickTable().answer("UpdateItem", write)

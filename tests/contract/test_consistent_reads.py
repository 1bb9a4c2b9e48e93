"""Every read of a job is strongly consistent. moto would not notice if one was not."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.aws.job_store import DynamoJobStore
from tests.builders import JOB_ID, a_call, a_job
from tests.fakes.aws import create_jobs_table

READS: dict[str, Callable[[DynamoJobStore], object]] = {
    "load": lambda store: store.load(JOB_ID, "1-0"),
    "load_job": lambda store: store.load_job(JOB_ID),
    "load_many": lambda store: store.load_many([(JOB_ID, "1-0")]),
    "history": lambda store: store.history(JOB_ID),
}


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_jobs_table(client)
        yield client


@pytest.mark.parametrize("name", READS)
def test_a_job_is_read_consistently(client: Any, name: str) -> None:
    store = DynamoJobStore(client, "jobs")
    store.create(a_job(), [a_call()])
    asked: list[bool] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        tables = params.get("RequestItems", {"": params})
        asked.extend(bool(table.get("ConsistentRead")) for table in tables.values())

    client.meta.events.register("provide-client-params.dynamodb", note)
    READS[name](store)

    assert asked == [True]

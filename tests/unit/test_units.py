"""DynamoDB's units, as its documentation counts them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from benchmarks.units import TABLE_KEY, Index, Item, Meter, size_of, units_of
from tests.fakes.aws import create_jobs_table

KB = "x" * 1024
KEY = {"job_id": {"S": "a"}, "item": {"S": "job"}}
NAME = ("a", "job")


def stored_by_moto(table: str, key: Item) -> Item | None:
    """Return an item as moto holds it."""
    stored = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[table]
    item = stored.get_item(*(DynamoType(key[name]) for name in TABLE_KEY))
    if item is None:
        return None
    found: Item = item.to_json()["Attributes"]
    return found


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_jobs_table(client)
        yield client


@pytest.fixture
def meter(client: Any) -> Iterator[Meter]:
    meter = Meter(stored_by_moto)
    with meter.watching():
        yield meter


def put(client: Any, **values: Any) -> None:
    client.put_item(
        TableName="jobs", Item=KEY | {name: {"S": value} for name, value in values.items()}
    )


class TestAWrite:
    def test_costs_a_unit_for_each_kilobyte_begun(self, client: Any, meter: Meter) -> None:
        put(client, text=KB * 2)

        assert meter.write_units[NAME] == 3

    def test_costs_what_the_larger_one_of_before_and_after_does(
        self, client: Any, meter: Meter
    ) -> None:
        put(client, text=KB * 2)
        put(client, text="short")

        assert meter.write_units[NAME] == 6

    def test_costs_twice_as_much_in_a_transaction(self, client: Any, meter: Meter) -> None:
        item = KEY | {"text": {"S": KB * 2}}
        client.transact_write_items(TransactItems=[{"Put": {"TableName": "jobs", "Item": item}}])

        assert meter.write_units[NAME] == 6

    def test_costs_the_same_if_its_condition_is_false(self, client: Any, meter: Meter) -> None:
        put(client, text=KB * 2)
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(
                TableName="jobs", Item=KEY, ConditionExpression="attribute_not_exists(job_id)"
            )

        assert meter.write_units[NAME] == 6
        assert meter.refused == {"ConditionalCheckFailedException": 1}

    def test_counts_for_the_partition_of_its_key(self, client: Any, meter: Meter) -> None:
        put(client, text=KB)
        client.put_item(TableName="jobs", Item=KEY | {"item": {"S": "call#1-0"}})

        assert meter.partition_units() == {"a": 3}


class TestAnIndex:
    def test_costs_nothing_where_it_holds_nothing_of_an_item(
        self, client: Any, meter: Meter
    ) -> None:
        put(client, text=KB)

        assert meter.index_units.total() == 0

    def test_costs_a_write_for_an_entry_that_comes_or_goes(self, client: Any, meter: Meter) -> None:
        put(client, due_group="open", due_at="1")
        put(client)

        assert meter.index_units["due"] == 2

    def test_costs_two_for_an_entry_whose_key_changes(self, client: Any, meter: Meter) -> None:
        put(client, due_group="open", due_at="1")
        put(client, due_group="open", due_at="2")

        assert meter.index_units["due"] == 1 + 2

    def test_costs_nothing_for_what_it_does_not_hold(self, client: Any, meter: Meter) -> None:
        put(client, due_group="open", due_at="1")
        put(client, due_group="open", due_at="1", text=KB)

        assert meter.index_units["due"] == 1

    def test_costs_by_what_it_holds(self) -> None:
        index = Index("by-state", ("state",), ("text",))

        entry = index.entry(KEY | {"state": {"S": "active"}, "text": {"S": KB}}, ("job_id", "item"))

        assert units_of(size_of(entry or {})) == 2


class TestARead:
    def test_costs_a_unit_for_each_four_kilobytes_of_each_item(
        self, client: Any, meter: Meter
    ) -> None:
        put(client, text=KB * 4)
        client.get_item(TableName="jobs", Key=KEY, ConsistentRead=True)

        assert meter.read_units == 2

    def test_costs_half_where_it_may_be_stale(self, client: Any, meter: Meter) -> None:
        put(client)
        client.get_item(TableName="jobs", Key=KEY)

        assert meter.read_units == 0.5

    def test_of_many_costs_for_each(self, client: Any, meter: Meter) -> None:
        put(client)
        keys = {"jobs": {"Keys": [KEY, KEY | {"item": {"S": "x"}}], "ConsistentRead": True}}
        client.batch_get_item(RequestItems=keys)

        assert meter.read_units == 1


def test_every_request_is_counted_by_its_name(client: Any, meter: Meter) -> None:
    put(client)
    boto3.client("s3").create_bucket(Bucket="out")

    assert meter.requests == {"dynamodb.PutItem": 1, "s3.CreateBucket": 1}


def test_a_set_is_as_large_as_what_is_in_it() -> None:
    assert size_of({"done": {"SS": ["1-0", "1-10"]}}) == 4 + 3 + 4

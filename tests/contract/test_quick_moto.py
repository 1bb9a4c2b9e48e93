"""moto answers the same made quick (tests/fakes/quick_moto.py) as it does by itself."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.fakes.aws import create_jobs_table
from tests.fakes.quick_moto import SLOW

KEY = {"job_id": {"S": "j"}, "item": {"S": "job"}}
ITEM = {
    **KEY,
    "revision": {"N": "1"},
    "state": {"S": "active"},
    "events": {"L": [{"M": {"what": {"S": "begun"}, "detail": {"M": {"words": {"N": "3"}}}}}]},
    "names": {"SS": ["a", "b"]},
    "raw": {"B": b"\x00\x01"},
    "none": {"NULL": True},
}
NAMES = {"#e": "events", "#r": "revision"}
VALUES = {":one": {"N": "1"}, ":more": {"L": [{"M": {"what": {"S": "more"}}}]}}
UPDATES = [
    "SET #r = #r + :one, #e = list_append(#e, :more)",
    "SET #e = list_append(if_not_exists(#e, :more), :more), #r = if_not_exists(#r, :one)",
    "SET #e[0].detail = :more REMOVE names, #e[1], #r",
    "ADD #r :one SET other = :more, #e[0].what = :one",
    "SET #r = :one, #e = :more REMOVE #r",  # paths that overlap
    "SET #r = absent + :one, #e = :more",  # a path that is not there
    "SET job_id = :one, #r = :one, #e = :more",  # a key
    "SET #r = #e + :one, other = :more",  # of types that have no sum
    "SET #r = :one SET #e = :more",  # a clause too many
    "SET #r = :absent, #e = :more",  # a value that was not given
    "SET state = :one, #r = :one, #e = :more",  # of another type than the index has
    "SET #r == :one",
]


def answers(update: str) -> list[Any]:
    """Return what an update is answered, twice, and what there is before and after."""
    with mock_aws():
        client = boto3.client("dynamodb")
        create_jobs_table(client)
        client.put_item(TableName="jobs", Item=ITEM)
        asks: list[Callable[[], Any]] = [
            lambda: client.get_item(TableName="jobs", Key=KEY)["Item"],
            lambda: client.update_item(
                TableName="jobs",
                Key=KEY,
                UpdateExpression=update,
                ConditionExpression="#r = :one AND attribute_exists(#e)",
                ExpressionAttributeNames=NAMES,
                ExpressionAttributeValues=VALUES,
                ReturnValues="ALL_NEW",
            )["Attributes"],
        ]
        return [_answer(asks[number]) for number in (0, 1, 0, 1, 0)]


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ClientError as exc:
        return exc.response["Error"]


@pytest.mark.parametrize("update", UPDATES)
def test_an_update_is_answered_alike(update: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = answers(update)
    for owner, name, slow in SLOW:
        monkeypatch.setattr(owner, name, slow)

    assert quick == answers(update)


def test_the_updates_pass_and_are_refused_in_many_ways() -> None:
    outcomes = [answers(update)[1] for update in UPDATES]

    assert sum("job_id" in outcome for outcome in outcomes) >= 2
    assert len({outcome["Message"] for outcome in outcomes if "Message" in outcome}) >= 4

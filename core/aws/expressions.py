"""Writes of whole items, as DynamoDB wants them said. Each holds only on what it was decided on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.aws.values import packed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, UpdateTypeDef


def put_of_new(table: str, item: Mapping[str, Any]) -> "PutTypeDef":
    """Return the write of an item that is not there yet."""
    return {
        "TableName": table,
        "Item": packed(item),
        "ConditionExpression": "attribute_not_exists(job_id)",
    }


def update_of(table: str, item: dict[str, Any], revision: int) -> "UpdateTypeDef":
    """Return the write of every field that appends the pending events and counts the revision up."""
    key = {name: item.pop(name) for name in ("job_id", "item")}
    pending_events = item.pop("events")
    item["revision"] = revision + 1
    held = {name: value for name, value in item.items() if value is not None}
    dropped = [name for name, value in item.items() if value is None]

    # `#` before each name: some (state, source) are words that DynamoDB reserves.
    assignments = [f"#{name} = :{name}" for name in held]
    assignments.append("#events = list_append(#events, :events)")
    removals = [f"#{name}" for name in dropped]
    return {
        "TableName": table,
        "Key": packed(key),
        "UpdateExpression": "SET "
        + ", ".join(assignments)
        + (" REMOVE " + ", ".join(removals) if removals else ""),
        "ConditionExpression": "#revision = :seen",  # nobody wrote since it was loaded
        "ExpressionAttributeNames": {f"#{name}": name for name in (*item, "events")},
        "ExpressionAttributeValues": packed(
            {f":{name}": value for name, value in held.items()}
            | {":events": pending_events, ":seen": revision}
        ),
    }

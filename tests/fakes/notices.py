"""What AWS does once a job has ended: the table's stream, filters and patterns, EventBridge."""

import functools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from jsonschema import Draft202012Validator
from samtranslator.yaml_helper import yaml_parse

from core.notices.notice import FAILED, PUBLISHED

FOLDER = Path(__file__).parents[2] / "events" / "notices"


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document


EXAMPLES = {PUBLISHED: example("summary-published"), FAILED: example("summary-failed")}
SCHEMA = example("notices.schema")


def problems(document: Mapping[str, Any], part: str) -> list[str]:
    """Return what the schema's `event` or `webhook` says against a document."""
    schema = {"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]}
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(document)]


def fits(document: Mapping[str, Any], pattern: Mapping[str, Any]) -> bool:
    """Say whether a pattern of EventBridge or of a mapping, of plain values alone, takes a document."""
    return all(
        fits(document.get(name) or {}, wanted)
        if isinstance(wanted, dict)
        else document.get(name) in wanted
        for name, wanted in pattern.items()
    )


@dataclass
class Bus:
    """What was put on EventBridge, as it would be delivered."""

    events: list[dict[str, Any]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)  # error code by the id of a notice
    is_down: bool = False


@contextmanager
def recorded_bus(client: Any) -> Iterator[Bus]:
    """Keep what a client of EventBridge is given, and answer for it."""
    bus = Bus()

    def answer(params: Mapping[str, Any], **_: Any) -> Any:
        if bus.is_down:
            down = {"Code": "InternalException", "Message": "down"}
            return AWSResponse("", 500, {}, None), {"Error": down}
        entries = [_taken(bus, each) for each in json.loads(params["body"])["Entries"]]
        failed = sum("ErrorCode" in each for each in entries)
        return AWSResponse("", 200, {}, None), {"FailedEntryCount": failed, "Entries": entries}

    client.meta.events.register("before-call.eventbridge.PutEvents", answer)
    try:
        yield bus
    finally:
        client.meta.events.unregister("before-call.eventbridge.PutEvents", answer)


def _taken(bus: Bus, entry: Mapping[str, Any]) -> dict[str, str]:
    detail = json.loads(entry["Detail"])
    if detail["id"] in bus.refuses:
        return {"ErrorCode": bus.refuses[detail["id"]], "ErrorMessage": "no"}
    at = datetime.fromtimestamp(entry["Time"], UTC)
    bus.events.append(
        {
            "version": "0",
            "id": f"e-{len(bus.events)}",
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": detail,
        }
    )
    return {"EventId": f"e-{len(bus.events)}"}


class JobsStream:
    """The stream of moto's table of jobs, as Lambda hands it to the notifier: once, and filtered."""

    def __init__(self) -> None:
        described = boto3.client("dynamodb").update_table(
            TableName="jobs",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self._client = boto3.client("dynamodbstreams")
        arn = described["TableDescription"]["LatestStreamArn"]
        stream = self._client.describe_stream(StreamArn=arn)["StreamDescription"]
        self._iterator = self._client.get_shard_iterator(
            StreamArn=arn,
            ShardId=stream["Shards"][0]["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]

    def changes(self) -> list[dict[str, Any]]:
        """Return every change since the last look."""
        answer: Any = self._client.get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        return [
            {"eventName": each["eventName"], "dynamodb": each["dynamodb"]}
            for each in answer["Records"]
        ]

    def ends(self) -> list[dict[str, Any]]:
        """Return the changes that the template's filters let through."""
        return [each for each in self.changes() if any(fits(each, one) for one in _filters())]


@functools.cache
def _filters() -> list[dict[str, Any]]:
    template = yaml_parse((FOLDER.parents[1] / "template.yaml").read_text(encoding="utf-8"))
    (event,) = template["Resources"]["NotifierFunction"]["Properties"]["Events"].values()
    filters = event["Properties"]["FilterCriteria"]["Filters"]
    return [json.loads(each["Pattern"]) for each in filters]

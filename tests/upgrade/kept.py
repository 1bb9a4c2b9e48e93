"""What CloudFormation would replace, and lose with what is in it, if a release changed it."""

import json
from pathlib import Path
from typing import Any

from tests.template.cloudformation import source

_TABLE = "AWS::DynamoDB::Table"
# By type: properties whose change makes another resource, or, of the secret, another value.
_FIXED = {
    "AWS::S3::Bucket": ("BucketName",),
    _TABLE: ("TableName", "KeySchema"),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::SecretsManager::Secret": ("Name", "GenerateSecretString"),
    "AWS::ApiGatewayV2::Api": ("ProtocolType",),
}


def kept_by_template() -> dict[str, Any]:
    """Return the resources of this checkout's template that hold something or are known by address."""
    resources = {
        name: {
            "Type": resource["Type"],
            "Condition": resource.get("Condition"),
            **{each: resource["Properties"].get(each) for each in _FIXED[resource["Type"]]},
        }
        for name, resource in source()["Resources"].items()
        if resource["Type"] in _FIXED
    }
    indexes = source()["Resources"]["JobsTable"]["Properties"]["GlobalSecondaryIndexes"]
    return {"resources": resources, "indexes": [index["IndexName"] for index in indexes]}


def write(folder: Path) -> None:
    text = json.dumps(kept_by_template(), indent=1, sort_keys=True)
    (folder / "stack.json").write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((folder / "stack.json").read_text(encoding="utf-8"))
    return held

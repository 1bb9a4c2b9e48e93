"""What a deployment gives the functions: their environment and their table."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.fakes import quick_moto  # noqa: F401 - makes moto cheap

ROOT = Path(__file__).parents[2]


def _defaults() -> dict[str, str]:
    """Return the variables that carry a parameter of the template, with the parameter's default."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    defaults = {name: each.get("Default") for name, each in template["Parameters"].items()}
    functions = [template["Globals"]["Function"]] + [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    ]
    references = {
        name: value["Ref"]
        for function in functions
        for name, value in function["Environment"]["Variables"].items()
        if isinstance(value, dict) and "Ref" in value and not name.startswith("POWERTOOLS_")
    }
    return {
        name: str(defaults[parameter])
        for name, parameter in references.items()
        if defaults.get(parameter) is not None
    }


AN_ENVIRONMENT = _defaults() | {
    # What a deployment makes or is given.
    "JOBS_TABLE": "jobs",
    "OUTPUT_BUCKET": "out",
    "WORK_QUEUE_URL": "https://queue.invalid/1",
    "RUNPOD_API_ENDPOINT": "https://api.runpod.ai/v2/abc/",
    "CALLBACK_SECRET": "arn:callback",
    "WEBHOOK_URL": "https://hooks.invalid/webhook",
    "INPUT_BUCKET": "in",
    "EXPIRES_WORK_FILES": "false",
    "STACK_NAME": "a-stack",
    "NOTICE_QUEUE_URL": "https://queue.invalid/2",
    "NOTICE_DEAD_END_URL": "https://queue.invalid/3",
    "NOTICE_WEBHOOK_URL": "https://hooks.invalid/notices",
    "NOTICE_WEBHOOK_SECRET": "webhook",
    # What these tests count on.
    "INPUT_SUFFIXES": ".txt, .MD",
    "MAX_TRANSCRIPT_BYTES": "8000000",
}


# What the index by state holds beside keys.
PROJECTED = ("source", "deadline", "finished_at", "reason_code", "summary", "words_in")


def create_jobs_table(client: Any) -> None:
    """Create the table of template.yaml."""
    client.create_table(
        TableName="jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("job_id", "item", "due_group", "due_at", "state", "created_at")
        ],
        KeySchema=[
            {"AttributeName": "job_id", "KeyType": "HASH"},
            {"AttributeName": "item", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_group", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "by-state",
                "KeySchema": [
                    {"AttributeName": "state", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": list(PROJECTED),
                },
            },
        ],
    )

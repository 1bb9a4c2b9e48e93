"""What a deployment gives the functions: their environment and their table. Makes moto's answers cheap."""

from typing import Any

from moto.core.serialize import AttributePicker

_pick = AttributePicker.__call__


def _pick_quickly(picker: AttributePicker, context: Any) -> Any:
    """Take a member of DynamoDB's answer by its name.

    moto tries ten spellings of each, and every value of an item has ten members, nine of them absent:
    a quarter of what a test over moto costs. DynamoDB's answers are dictionaries in its own spelling.
    """
    if type(context.obj) is dict and context.service_model.service_name == "dynamodb":
        return context.obj.get(context.key)
    return _pick(picker, context)


AttributePicker.__call__ = _pick_quickly  # type: ignore[method-assign]

AN_ENVIRONMENT = {
    "JOBS_TABLE": "jobs",
    "OUTPUT_BUCKET": "out",
    "OUTPUT_PREFIX": "summaries/",
    "WORK_QUEUE_URL": "https://queue.invalid/1",
    "RUNPOD_API_ENDPOINT": "https://api.runpod.ai/v2/abc/",
    "RUNPOD_API_KEY_SECRET": "runpod/api-key",
    "CALLBACK_SECRET": "arn:callback",
    "WEBHOOK_URL": "https://hooks.invalid/webhook",
    "INPUT_BUCKET": "in",
    "INPUT_PREFIX": "",
    "INPUT_SUFFIXES": ".txt, .MD",
    "MAX_TRANSCRIPT_BYTES": "8000000",
    "MODEL_PROFILE": "mistral-small-3.1-24b",
    "MODEL_NAME": "",
    "MAX_MODEL_LEN": "32768",
    "SUMMARY_WORDS": "4000",
    "SUMMARY_LANGUAGE": "",
    "MAX_TOKENS": "6000",
    "TEMPERATURE": "0.3",
    "TOP_P": "0.9",
    "EXECUTION_TIMEOUT_SECONDS": "900",
    "JOB_DEADLINE_MINUTES": "60",
    "MAX_ATTEMPTS": "3",
    "CALLBACK_OVERDUE_SECONDS": "300",
    "MAX_POLLING_ATTEMPTS": "10",
    "POLLING_INTERVAL": "5",
    "SWEEP_SCHEDULE_MINUTES": "2",
    "LEAST_LENGTH_PERCENT": "75",
    "MAX_REPAIRS": "2",
    "CITE_TIMES": "false",
    "MODE": "push",
    "RETENTION_DAYS": "90",
    "VERIFY_CALLBACKS": "false",
    "EXPIRES_WORK_FILES": "false",
}


def create_jobs_table(client: Any) -> None:
    """Create the table of template.yaml."""
    client.create_table(
        TableName="jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("job_id", "item", "due_group", "due_at")
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
            }
        ],
    )

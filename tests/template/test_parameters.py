"""Each parameter reaches what is named after it, and nothing else: none is crossed with another."""

import re
from collections.abc import Iterator
from datetime import timedelta
from operator import attrgetter
from typing import Any

import pytest

from core.settings import ReceiverSettings, SubmitterSettings, SweeperSettings
from tests.template.cloudformation import FUNCTIONS, deployed, environment, source

KEY = "arn:aws:kms:eu-central-1:123456789012:key"
# For each parameter a value that is no other's, and no default.
OTHERS: dict[str, object] = {
    "RunpodApiEndpoint": "https://other.example/v2/x",
    "RunpodApiKeySecretName": "team/key",
    "ExecutionTimeoutSeconds": 901,
    "InputBucketName": "given-in",
    "InputBucketKmsKeyArn": f"{KEY}/in",
    "InputPrefix": "calls/",
    "InputSuffixes": ".log",
    "MaxTranscriptBytes": 1234567,
    "OutputBucketName": "given-out",
    "OutputBucketKmsKeyArn": f"{KEY}/out",
    "OutputPrefix": "results/",
    "Mode": "pull",
    "ModelProfile": "llama-3.3-70b",
    "ModelName": "mine",
    "MaxModelLenTokens": 65536,
    "SummaryWords": 1234,
    "CiteTimes": "true",
    "LeastLengthPercent": 55,
    "MaxRepairs": 4,
    "SummaryLanguage": "German",
    "MaxTokens": 7777,
    "Temperature": 0.77,
    "TopP": 0.66,
    "JobDeadlineMinutes": 30,
    "MaxAttempts": 2,
    "CallbackOverdueSeconds": 77,
    "MaxPollingAttempts": 20,
    "PollingIntervalSeconds": 33,
    "SweepScheduleMinutes": 1,
    "VerifyCallbacks": "true",
    "CallbackRatePerSecond": 44,
    "CallbackBurstRequests": 88,
    "SubmitterMaxConcurrency": 10,
    "RetentionDays": 45,
    "TableDeletionProtection": "true",
    "LogLevel": "WARN",
    "LogRetentionDays": 60,
    "AlarmEmail": "ops@example.org",
}
# Variables are named after their parameters: TopP is TOP_P. But for these.
RENAMED = {
    "RunpodApiKeySecretName": {"RUNPOD_API_KEY_SECRET"},
    "InputBucketName": {"INPUT_BUCKET"},
    "OutputBucketName": {"OUTPUT_BUCKET", "EXPIRES_WORK_FILES"},
    "MaxModelLenTokens": {"MAX_MODEL_LEN"},
    "PollingIntervalSeconds": {"POLLING_INTERVAL"},
    "LogLevel": {"POWERTOOLS_LOG_LEVEL"},
}
# And these are no function's business. Where they go instead is said below, or in test_permissions.py.
NO_VARIABLE = {
    "InputBucketKmsKeyArn",
    "OutputBucketKmsKeyArn",
    "CallbackRatePerSecond",
    "CallbackBurstRequests",
    "SubmitterMaxConcurrency",
    "TableDeletionProtection",
    "LogRetentionDays",
    "AlarmEmail",
}
FIXED = {
    "JOBS_TABLE",
    "WORK_QUEUE_URL",
    "CALLBACK_SECRET",
    "WEBHOOK_URL",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
}
OUTSIDE_OF_VARIABLES = {
    "CallbackRatePerSecond": {"CallbackStage.DefaultRouteSettings.ThrottlingRateLimit"},
    "CallbackBurstRequests": {"CallbackStage.DefaultRouteSettings.ThrottlingBurstLimit"},
    "SubmitterMaxConcurrency": {"SubmitterFunctionWork.ScalingConfig.MaximumConcurrency"},
    "TableDeletionProtection": {"JobsTable.DeletionProtectionEnabled"},
    "SweepScheduleMinutes": {"SweepSchedule.ScheduleExpression"},
    "LogLevel": {f"{function}.LoggingConfig.ApplicationLogLevel" for function in FUNCTIONS},
    "LogRetentionDays": {
        f"{group}LogGroup.RetentionInDays"
        for group in ("Callback", "Submitter", "WebhookReceiver", "Sweeper")
    },
}
# Buckets and alarms that come or go with a parameter, and what stands in roles and policies, have tests
# of their own.
_ELSEWHERE = re.compile(
    r"\w+(Role|Policy|Permission)\.|(Transcripts|Summaries)Bucket\.|UploadRule\.|Alarm\w+\.|\w+Alarm\."
)


def variables_of(parameter: str) -> set[str]:
    if parameter in NO_VARIABLE:
        return set()
    words = re.findall(r"[A-Z][a-z0-9]*", parameter)
    return RENAMED.get(parameter, {"_".join(words).upper()})


def changed_variables(function: str, parameter: str) -> dict[str, str]:
    before, after = environment(function), environment(function, **{parameter: OTHERS[parameter]})
    return {name: value for name, value in after.items() if before[name] != value}


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path, node


def properties(**given: object) -> dict[str, Any]:
    return dict(
        leaves({name: each.get("Properties", {}) for name, each in deployed(**given).items()})
    )


def test_every_parameter_is_tried() -> None:
    assert OTHERS.keys() == source()["Parameters"].keys()


def test_every_variable_has_its_parameter_or_none() -> None:
    fed = {name for parameter in OTHERS for name in variables_of(parameter)} | FIXED

    assert {name for function in FUNCTIONS for name in environment(function)} == fed


@pytest.mark.parametrize("parameter", OTHERS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_parameter_feeds_the_variable_of_its_name_and_no_other(
    function: str, parameter: str
) -> None:
    own = variables_of(parameter) & environment(function).keys()

    changed = changed_variables(function, parameter)

    assert changed.keys() == own
    assert set(changed.values()) - {str(OTHERS[parameter])} <= {"true"}


@pytest.mark.parametrize("parameter", OTHERS)
def test_a_parameter_changes_nothing_else(parameter: str) -> None:
    before, after = properties(), properties(**{parameter: OTHERS[parameter]})

    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}

    outside = {
        path
        for path in changed
        if ".Environment.Variables." not in path and not _ELSEWHERE.match(path)
    }
    assert outside == OUTSIDE_OF_VARIABLES.get(parameter, set())


READ = {
    SubmitterSettings: {
        "runpod.endpoint": "https://other.example/v2/x",
        "runpod.api_key_secret": "team/key",
        "execution_timeout": timedelta(seconds=901),
        "upload_filter.bucket": "given-in",
        "upload_filter.prefix": "calls/",
        "upload_filter.suffixes": (".log",),
        "upload_filter.max_bytes": 1234567,
        "resources.output_bucket": "given-out",
        "resources.output_prefix": "results/",
        "options.mode": "pull",
        "options.model": "mine",
        "context_tokens": 65536,
        "options.words": 1234,
        "options.with_times": True,
        "options.least_percent": 55,
        "options.most_repairs": 4,
        "options.language": "German",
        "options.max_tokens": 7777,
        "options.temperature": 0.77,
        "options.top_p": 0.66,
        "retries.job_deadline": timedelta(minutes=30),
        "retries.max_attempts": 2,
        "callback_overdue": timedelta(seconds=77),
        "retention": timedelta(days=45),
        "webhook_url": "https://api.example/webhook",
        "callback_secret": "${CallbackSecret.Id}",
        "resources.jobs_table": "${JobsTable}",
        "resources.work_queue_url": "${UploadQueue}",
    },
    ReceiverSettings: {
        "verifies_with.endpoint": "https://other.example/v2/x",
        "verifies_with.api_key_secret": "team/key",
        "retries.max_attempts": 2,
        "callback_secret": "${CallbackSecret.Id}",
        "resources.output_bucket": "given-out",
    },
    SweeperSettings: {
        "runpod.endpoint": "https://other.example/v2/x",
        "runpod.api_key_secret": "team/key",
        "max_polls": 20,
        "poll_interval": timedelta(seconds=33),
        "retries.job_deadline": timedelta(minutes=30),
        "expires_work_files": True,
        "resources.output_bucket": "given-out",
    },
}


@pytest.mark.parametrize(
    ("settings", "field"),
    [(settings, field) for settings, fields in READ.items() for field in fields],
)
def test_a_function_reads_each_setting_from_the_variable_of_its_name(
    settings: type[SubmitterSettings], field: str
) -> None:
    function = dict(zip(READ, FUNCTIONS, strict=True))[settings]
    variables = {
        name: value.replace("${HttpApi.ApiEndpoint}", "https://api.example")
        for name, value in environment(function, **OTHERS).items()
    }

    read = settings.from_env(variables)

    assert attrgetter(field)(read) == READ[settings][field]


def test_a_profile_names_the_model_where_no_parameter_does() -> None:
    others = OTHERS | {"ModelName": ""}
    variables = environment("SubmitterFunction", **others)
    variables["WEBHOOK_URL"] = "https://api.example/webhook"

    assert SubmitterSettings.from_env(variables).options.model.startswith("meta-llama/")

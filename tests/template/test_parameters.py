"""Each parameter reaches what is named after it, and nothing else: none is crossed with another."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

import pytest

from core.settings import SubmitterSettings
from core.summaries.models import PROFILES
from tests.template.cloudformation import (
    FUNCTIONS,
    SETTINGS,
    deployed,
    environment,
    is_accepted,
    source,
)

KEY = "arn:aws:kms:eu-central-1:123456789012:key"
# Texts that a pattern takes and that are no default. Numbers and lists of values need no example.
TEXTS = {
    "RunpodApiEndpoint": "https://other.example/v2/x",
    "RunpodApiKeySecretName": "team/key",
    "InputBucketName": "given-in",
    "InputBucketKmsKeyArn": f"{KEY}/in",
    "InputPrefix": "calls/",
    "InputSuffixes": ".log",
    "OutputBucketName": "given-out",
    "OutputBucketKmsKeyArn": f"{KEY}/out",
    "KmsKeyArn": f"{KEY}/state",
    "OutputPrefix": "results/",
    "ModelName": "mine",
    "SummaryLanguage": "German",
    "Glossary": "Solhaug: soul hog",
    "AlarmEmail": "ops@example.org",
    "NoticeEmail": "desk@example.org",
    "NoticeWebhookUrl": "https://other.example/notices/",
    "NoticeWebhookSecretName": "team/webhook",
}


def other_values() -> dict[str, object]:
    """Return for each parameter a value that is no default and, where there are enough, no other's.

    Each is accepted alone, with the defaults of the others, and all of them are accepted together; but for
    those that are about a bucket of the stack's own.
    """
    chosen: dict[str, object] = {}
    for name, parameter in source()["Parameters"].items():
        together = {each: chosen[each] for each in chosen if each not in OF_OWN_BUCKETS}
        fitting = [
            value
            for value in candidates(name, parameter)
            if is_accepted(**{name: value})
            and (name in OF_OWN_BUCKETS or is_accepted(**{**together, name: value}))
        ]
        taken = {str(value) for value in chosen.values()}
        chosen[name] = next((each for each in fitting if str(each) not in taken), fitting[0])
    return chosen


def candidates(name: str, parameter: Mapping[str, Any]) -> list[object]:
    default = parameter.get("Default", "")
    if "AllowedValues" in parameter:
        return [value for value in parameter["AllowedValues"] if str(value) != str(default)]
    if parameter["Type"] == "Number" and "." in str(default):
        return [round(float(default) + step / 100, 2) for step in range(1, 60)]
    if parameter["Type"] == "Number":
        return [int(default) + step for step in range(1, 60)]
    return [TEXTS[name]]


# Refused where the bucket is given (test_rules.py).
OF_OWN_BUCKETS = {"TranscriptRetentionDays", "SummaryRetentionDays"}
OTHERS = other_values()
# Variables are named after their parameters: TopP is TOP_P. But for these.
RENAMED = {
    "RunpodApiKeySecretName": {"RUNPOD_API_KEY_SECRET"},
    "InputBucketName": {"INPUT_BUCKET"},
    "OutputBucketName": {"OUTPUT_BUCKET", "EXPIRES_WORK_FILES"},
    "MaxModelLenTokens": {"MAX_MODEL_LEN"},
    "PollingIntervalSeconds": {"POLLING_INTERVAL"},
    "LogLevel": {"POWERTOOLS_LOG_LEVEL"},
    "NoticeWebhookSecretName": {"NOTICE_WEBHOOK_SECRET"},
}
# And these are no function's business. Where they go instead is said below, or in test_permissions.py.
NO_VARIABLE = {
    "InputBucketKmsKeyArn",
    "OutputBucketKmsKeyArn",
    "KmsKeyArn",
    "TranscriptRetentionDays",
    "SummaryRetentionDays",
    "OldVersionRetentionDays",
    "CallbackRatePerSecond",
    "CallbackBurstRequests",
    "SubmitterMaxConcurrency",
    "TableDeletionProtection",
    "LogRetentionDays",
    "TraceRequests",
    "AlarmEmail",
    "NoticeEmail",
    "NoticeEmailAbout",
}
FIXED = {
    "JOBS_TABLE",
    "WORK_QUEUE_URL",
    "CALLBACK_SECRET",
    "WEBHOOK_URL",
    "STACK_NAME",
    "NOTICE_QUEUE_URL",
    "NOTICE_DEAD_END_URL",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
}
LOG_GROUPS = [
    f"{group}LogGroup"
    for group in (
        "Callback",
        "Submitter",
        "WebhookReceiver",
        "Sweeper",
        "Notifier",
        "WebhookSender",
    )
]
OUTSIDE_OF_VARIABLES = {
    "CallbackRatePerSecond": {"CallbackStage.DefaultRouteSettings.ThrottlingRateLimit"},
    "CallbackBurstRequests": {"CallbackStage.DefaultRouteSettings.ThrottlingBurstLimit"},
    "SubmitterMaxConcurrency": {"SubmitterFunctionWork.ScalingConfig.MaximumConcurrency"},
    "TableDeletionProtection": {"JobsTable.DeletionProtectionEnabled"},
    "SweepScheduleMinutes": {"SweepSchedule.ScheduleExpression"},
    "LogLevel": {f"{function}.LoggingConfig.ApplicationLogLevel" for function in FUNCTIONS},
    "TraceRequests": {f"{function}.TracingConfig.Mode" for function in FUNCTIONS},
    "LogRetentionDays": {f"{group}.RetentionInDays" for group in LOG_GROUPS},
    "KmsKeyArn": {
        "JobsTable.SSESpecification.SSEType",
        "JobsTable.SSESpecification.KMSMasterKeyId",
        "CallbackSecret.KmsKeyId",
        *(
            f"{queue}.{name}"
            for queue in ("UploadQueue", "UploadDeadLetterQueue", "NoticeQueue", "NoticeDeadEnd")
            for name in ("SqsManagedSseEnabled", "KmsMasterKeyId")
        ),
        *(f"{group}.KmsKeyId" for group in LOG_GROUPS),
    },
}
# Buckets and alarms that come or go with a parameter, thresholds that follow one, and what stands in roles
# and policies have tests of their own.
_ELSEWHERE = re.compile(
    r"\w+(Role|Policy|Permission)\.|(Transcripts|Summaries)Bucket\.|UploadRule\.|Alarm\w+\.|\w+Alarm\."
    r"|Dashboard\."
    r"|Notice(Topic|Subscription|WebhookSecret)\.|(Failure|Summary)MailRule\."
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


# A field is named after its variable, without the unit, or with the last words of it alone. But for these.
FIELDS = {
    "MAX_TRANSCRIPT_BYTES": "max_bytes",
    "MODEL_PROFILE": "model",
    "MODEL_NAME": "model",
    "MAX_MODEL_LEN": "context_tokens",
    "CITE_TIMES": "with_times",
    "MAX_POLLING_ATTEMPTS": "max_polls",
    "POLLING_INTERVAL": "poll_interval",
}
# Read to be checked against the others, and not kept.
ONLY_CHECKED = {
    ("SweeperFunction", "CALLBACK_OVERDUE_SECONDS"),
    ("SweeperFunction", "SWEEP_SCHEDULE_MINUTES"),
}
NOT_A_SETTING = re.compile(r"POWERTOOLS_|VERIFY_CALLBACKS|SWEEP_SCHEDULE")
UNITS = {"Seconds": "seconds", "Minutes": "minutes", "Days": "days"}


def readable(function: str, **given: object) -> dict[str, str]:
    return {
        name: value.replace("${HttpApi.ApiEndpoint}", "https://api.example")
        for name, value in environment(function, **({"VerifyCallbacks": "true"} | given)).items()
    }


def fields_of(settings: object) -> dict[str, object]:
    """Return the fields of settings and of what they hold, by their path."""
    found: dict[str, object] = {}
    for field in fields(settings):  # type: ignore[arg-type]
        held = getattr(settings, field.name)
        inner = fields_of(held) if is_dataclass(held) else {"": held}
        found |= {f"{field.name}.{path}".rstrip("."): value for path, value in inner.items()}
    return found


def as_read(parameter: str, value: object) -> object:
    """Return what a setting holds for a parameter's value."""
    for ending, unit in UNITS.items():
        if parameter.endswith(ending):
            return timedelta(**{unit: float(str(value))})
    if parameter == "InputSuffixes":
        return (value,)
    return {"true": True, "false": False}.get(str(value), value)


READ = [
    (function, parameter, variable)
    for function in FUNCTIONS
    for parameter in OTHERS
    for variable in sorted(variables_of(parameter) & environment(function).keys())
    if not NOT_A_SETTING.match(variable) and (function, variable) not in ONLY_CHECKED
]


@pytest.mark.parametrize(("function", "parameter", "variable"), READ)
def test_a_function_reads_each_setting_from_the_variable_of_its_name(
    function: str, parameter: str, variable: str
) -> None:
    read = SETTINGS[function].from_env
    usual, other = readable(function), readable(function, **{parameter: OTHERS[parameter]})

    before = fields_of(read(usual))
    after = fields_of(read(usual | {variable: other[variable]}))

    changed = {path: after[path] for path in after if after[path] != before[path]}
    (name,) = {path.rpartition(".")[2] for path in changed}  # the same field, wherever it is kept
    words = re.sub("_(SECONDS|MINUTES|DAYS)$", "", variable).lower()
    assert name == FIELDS[variable] if variable in FIELDS else words.endswith(name)
    if variable not in {"MODEL_PROFILE", "EXPIRES_WORK_FILES"}:
        assert set(changed.values()) == {as_read(parameter, OTHERS[parameter])}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reads_what_the_stack_made_from_the_variable_of_its_name(function: str) -> None:
    variables = readable(function)
    for variable in FIXED & variables.keys():
        if NOT_A_SETTING.match(variable):
            continue
        changed = variables | {variable: variables[variable] + "x"}

        before = fields_of(SETTINGS[function].from_env(variables))
        after = fields_of(SETTINGS[function].from_env(changed))

        (path,) = [path for path in after if after[path] != before[path]]
        assert path.rpartition(".")[2] == variable.lower()


def test_the_profiles_to_choose_from_are_those_there_are() -> None:
    assert source()["Parameters"]["ModelProfile"]["AllowedValues"] == list(PROFILES)


def test_a_profile_names_the_model_where_no_parameter_does() -> None:
    others = OTHERS | {"ModelName": ""} | dict.fromkeys(OF_OWN_BUCKETS, 0)
    variables = environment("SubmitterFunction", **others)
    variables["WEBHOOK_URL"] = "https://api.example/webhook"

    profile = PROFILES[str(OTHERS["ModelProfile"])]
    assert SubmitterSettings.from_env(variables).options.model == profile.served_name

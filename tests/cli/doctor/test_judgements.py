"""What each check says of what was read: one thing wrong at a time, and that alone is found."""

from datetime import timedelta
from typing import Any

import pytest

from cli.doctor import checks as _all  # noqa: F401 - fills the registry
from cli.doctor.expiries import expiries_in
from cli.doctor.readings import Answer, Concurrency, Health, Jobs, Readings, Rule, Schedule, Ttl
from cli.doctor.registry import REGISTRY, Report, Severity, examined
from tests.cli.doctor.readings import (
    ENVIRONMENT,
    KEY,
    NOW,
    QUEUE,
    bucket,
    endpoint,
    function_changed,
    functions,
    health,
    healthy,
    idle_for,
    stack,
)

GIVEN = stack(resources={"UploadRule": "rule", "HttpApi": "abc123"})  # with a bucket of the user's
IN_ORDER = Rule(state="ENABLED", buckets=("in",), targets=(QUEUE,))
SCHEDULE = healthy().schedule
assert SCHEDULE is not None
ERROR, WARNING = Severity.ERROR, Severity.WARNING

# What is wrong, as it is read; the check that finds it; how bad that is.
CASES: dict[str, tuple[dict[str, Any], str, Severity]] = {
    "the key is a placeholder": ({"key_secret": "holds a placeholder"}, "runpod-key", ERROR),
    "the callback secret is short": ({"callback_secret": "too short"}, "callback-secret", ERROR),
    "RunPod refuses the key": ({"health": Health(status=401)}, "key-refused", ERROR),
    "the key is not for this endpoint": ({"health": Health(status=403)}, "key-refused", ERROR),
    "RunPod knows no such endpoint": ({"health": Health(status=404)}, "endpoint-known", ERROR),
    "RunPod does not answer": (
        {"health": Health(status=0, problem="does not answer (ConnectTimeout)")},
        "endpoint-answers",
        ERROR,
    ),
    "RunPod is busy": ({"health": Health(status=429)}, "endpoint-answers", WARNING),
    "the key may do anything": ({"is_key_restricted": False}, "key-restricted", WARNING),
    "the stack failed": ({"stack": stack(status="ROLLBACK_COMPLETE")}, "stack-state", ERROR),
    "the last deployment was rolled back": (
        {"stack": stack(status="UPDATE_ROLLBACK_COMPLETE")},
        "stack-state",
        WARNING,
    ),
    "a setting is no number": ({"functions": functions(MAX_ATTEMPTS="many")}, "settings", ERROR),
    "the functions ask different endpoints": (
        {
            "functions": function_changed(
                "sweeper",
                environment={**ENVIRONMENT, "RUNPOD_API_ENDPOINT": "https://api.runpod.ai/v2/old"},
            )
        },
        "endpoint-alike",
        ERROR,
    ),
    "a function failed": (
        {"functions": function_changed("sweeper", last_update="Failed")},
        "function-state",
        ERROR,
    ),
    "somebody stopped a function": (
        {"functions": function_changed("submitter", reserved_concurrency=0)},
        "reserved-concurrency",
        ERROR,
    ),
    "a new account has few executions": (
        {"concurrency": Concurrency(limit=10, unreserved=9)},
        "account-concurrency",
        WARNING,
    ),
    "the template is older": ({"template_differences": ("JobsTable",)}, "template-age", WARNING),
    "the code is older": ({"code_differences": ("core/words.py",)}, "code-age", WARNING),
    "the clock is ten minutes slow": ({"clock_ahead_seconds": {"AWS": -600.0}}, "clock", ERROR),
    "the clock is a minute fast": ({"clock_ahead_seconds": {"RunPod": 61.0}}, "clock", WARNING),
    "the webhook leads to another Region": (
        {
            "functions": functions(
                WEBHOOK_URL="https://abc123.execute-api.us-east-1.amazonaws.com/webhook"
            )
        },
        "webhook-url",
        ERROR,
    ),
    "the webhook has a stage that is not there": (
        {
            "functions": functions(
                WEBHOOK_URL="https://abc123.execute-api.eu-central-1.amazonaws.com/prod/webhook"
            )
        },
        "webhook-url",
        ERROR,
    ),
    "the webhook leads to another API": (
        {
            "functions": functions(
                WEBHOOK_URL="https://zzz999.execute-api.eu-central-1.amazonaws.com/webhook"
            )
        },
        "webhook-url",
        ERROR,
    ),
    "the webhook leads to somebody else": (
        {"functions": functions(WEBHOOK_URL="https://hooks.example/webhook")},
        "webhook-url",
        ERROR,
    ),
    "RunPod can't reach a private webhook": (
        {
            "functions": functions(WEBHOOK_URL="https://10.0.0.4/webhook"),
            "stack": stack(outputs={"WebhookUrl": "https://10.0.0.4/webhook"}),
        },
        "webhook-public",
        ERROR,
    ),
    "the webhook redirects": ({"webhook": Answer(status=308)}, "webhook-answers", ERROR),
    "the webhook is not there": ({"webhook": Answer(status=404)}, "webhook-answers", ERROR),
    "the API is busy": ({"webhook": Answer(status=429)}, "webhook-answers", WARNING),
    "the receiver can't run": ({"webhook": Answer(status=503)}, "webhook-answers", ERROR),
    "the webhook does not answer": (
        {"webhook": Answer(status=0, problem="ConnectTimeout")},
        "webhook-answers",
        ERROR,
    ),
    "somebody else wants a password": ({"webhook": Answer(status=401)}, "webhook-answers", ERROR),
    "anybody's callback is taken": (
        {"webhook": Answer(status=200, is_from_receiver=True)},
        "webhook-answers",
        ERROR,
    ),
    "the sweep is disabled": (
        {
            "schedule": Schedule(
                state="DISABLED", expression="rate(2 minutes)", target=SCHEDULE.target
            )
        },
        "sweep-schedule",
        ERROR,
    ),
    "the sweep's schedule is gone": ({"schedule": None}, "sweep-schedule", ERROR),
    "the sweep is rare": (
        {"schedule": Schedule(state="ENABLED", expression="rate(1 hour)", target=SCHEDULE.target)},
        "sweep-schedule",
        WARNING,
    ),
    "the sweep starts something else": (
        {
            "schedule": Schedule(
                state="ENABLED", expression="rate(2 minutes)", target="a:function:old"
            )
        },
        "sweep-target",
        ERROR,
    ),
    "notices are in the dead end": ({"dead_notices": 1}, "notices-told", ERROR),
    "nothing feeds the notifier": ({"notice_feed": None}, "notices-fed", ERROR),
    "the notifier's trigger is off": ({"notice_feed": "Disabled"}, "notices-fed", ERROR),
    "nobody confirmed the mail about jobs": (
        {
            "stack": stack({"NoticeEmail": "desk@example.org"}),
            "notice_subscriptions": {"desk@example.org": False},
        },
        "notice-mail",
        ERROR,
    ),
    "the mail about jobs has no subscriber": (
        {"stack": stack({"NoticeEmail": "desk@example.org"})},
        "notice-mail",
        ERROR,
    ),
    "there are dead letters": ({"dead_letters": 3}, "dead-letters", ERROR),
    "the TTL is off": ({"ttl": Ttl(status="DISABLED")}, "table-ttl", WARNING),
    "the TTL looks at something else": (
        {"ttl": Ttl(status="ENABLED", attribute="ttl")},
        "table-ttl",
        WARNING,
    ),
    "records outlive their time": (
        {"jobs": Jobs(oldest_ended_at=NOW - timedelta(days=120), newest_at=NOW, read_at=NOW)},
        "records-expire",
        WARNING,
    ),
    "nobody confirmed the alarm mail": (
        {
            "stack": stack({"AlarmEmail": "ops@example.org"}),
            "subscriptions": {"ops@example.org": False},
        },
        "alarm-mail",
        ERROR,
    ),
    "the alarm mail has no subscriber": (
        {"stack": stack({"AlarmEmail": "ops@example.org"})},
        "alarm-mail",
        ERROR,
    ),
    "the bucket was deleted": (
        {"output_bucket": bucket(name="out", problem="it does not exist", queues=())},
        "buckets-there",
        ERROR,
    ),
    "the bucket is in another Region": (
        {"input_bucket": bucket(region="us-east-1")},
        "input-region",
        ERROR,
    ),
    "the bucket announces nothing": (
        {"input_bucket": bucket(queues=())},
        "uploads-announced",
        ERROR,
    ),
    "the bucket announces some": (
        {"input_bucket": bucket(queues=(), filtered_queues=(QUEUE,))},
        "uploads-announced",
        WARNING,
    ),
    "a given bucket does not use EventBridge": (
        {"stack": GIVEN, "upload_rule": IN_ORDER},
        "uploads-announced",
        ERROR,
    ),
    "the upload rule is disabled": (
        {
            "stack": GIVEN,
            "input_bucket": bucket(announces_to_eventbridge=True),
            "upload_rule": Rule(state="DISABLED", buckets=("in",), targets=(QUEUE,)),
        },
        "upload-rule",
        ERROR,
    ),
    "the upload rule is gone": (
        {"stack": GIVEN, "input_bucket": bucket(announces_to_eventbridge=True)},
        "upload-rule",
        ERROR,
    ),
    "the upload rule is about another bucket": (
        {
            "stack": GIVEN,
            "input_bucket": bucket(announces_to_eventbridge=True),
            "upload_rule": Rule(state="ENABLED", buckets=("old",), targets=(QUEUE,)),
        },
        "upload-rule",
        ERROR,
    ),
    "nothing feeds the submitter": ({"feed": None}, "submitter-fed", ERROR),
    "the submitter's trigger is off": ({"feed": "Disabled"}, "submitter-fed", ERROR),
    "a bucket has a key that is not granted": (
        {"input_bucket": bucket(key_arn=KEY, key_state="Enabled")},
        "bucket-keys",
        ERROR,
    ),
    "a granted key is to be deleted": (
        {
            "stack": stack({"OutputBucketKmsKeyArn": KEY}),
            "output_bucket": bucket(
                name="out", queues=(), key_arn=KEY, key_state="PendingDeletion"
            ),
        },
        "bucket-keys",
        ERROR,
    ),
    "the key of the table is to be deleted": (
        {"key_state": "PendingDeletion"},
        "key-of-the-rest",
        ERROR,
    ),
    "a rule deletes transcripts that still wait": (
        {"input_bucket": bucket(expiries=(("", 3),))},
        "lifecycle",
        ERROR,
    ),
    "a rule deletes texts that a job still wants": (
        {"output_bucket": bucket(name="out", queues=(), expiries=(("work/", 1),))},
        "lifecycle",
        ERROR,
    ),
    "summaries are written where transcripts come from": (
        {"functions": functions(OUTPUT_BUCKET="in")},
        "own-output",
        ERROR,
    ),
    "the bucket of summaries announces to the queue": (
        {"output_bucket": bucket(name="out")},
        "own-output",
        WARNING,
    ),
    "max workers is zero": (
        {"endpoint": endpoint(workers={"min": 0, "max": 0})},
        "workers-max",
        ERROR,
    ),
    "RunPod stopped an idle endpoint": (
        {"endpoint": endpoint(workers={"min": 0, "max": 0}), "jobs": idle_for(days=8)},
        "workers-max",
        ERROR,
    ),
    "RunPod lowered an idle endpoint": (
        {"endpoint": endpoint(workers={"min": 0, "max": 2}), "jobs": idle_for(days=4)},
        "workers-max",
        WARNING,
    ),
    "workers wait for a GPU": ({"health": health(throttled=2)}, "requests-stuck", ERROR),
    "workers are unhealthy": ({"health": health(unhealthy=1)}, "requests-stuck", ERROR),
    "requests wait and there is no worker": (
        {"health": health(jobs={"inQueue": 4})},
        "requests-stuck",
        ERROR,
    ),
    "no GPU is free": (
        {"stock": {"AMPERE_80": "NONE", "ADA_80_PRO": "NONE"}},
        "gpu-capacity",
        ERROR,
    ),
    "each request starts a worker": (
        {"endpoint": endpoint(scaling={"type": "REQUEST_COUNT", "requestCount": 1})},
        "scaling",
        WARNING,
    ),
    "FlashBoot is off": ({"endpoint": endpoint(flashboot="OFF")}, "flashboot", WARNING),
    "the endpoint has no timeout": ({"endpoint": endpoint(timeout=0)}, "endpoint-timeout", WARNING),
    "another model is served": (
        {"endpoint": endpoint(env={"MODEL_NAME": "a/nother", "MAX_MODEL_LEN": "32768"})},
        "model-name",
        ERROR,
    ),
    "no model is named": (
        {"endpoint": endpoint(env={"MAX_MODEL_LEN": "32768"})},
        "model-name",
        ERROR,
    ),
    "the endpoint's context is smaller": (
        {"endpoint": endpoint(env={**endpoint()["env"], "MAX_MODEL_LEN": "16384"})},
        "context",
        ERROR,
    ),
    "both count on less than the profile is made for": (
        {
            "functions": functions(MAX_MODEL_LEN="16384"),
            "endpoint": endpoint(env={**endpoint()["env"], "MAX_MODEL_LEN": "16384"}),
        },
        "context",
        WARNING,
    ),
    "the model has less context": (
        {"endpoint": endpoint(env={**endpoint()["env"], "MAX_MODEL_LEN": "262144"})},
        "context",
        ERROR,
    ),
    "nobody knows the context": (
        {"endpoint": endpoint(env={**endpoint()["env"], "MAX_MODEL_LEN": "auto"})},
        "context",
        WARNING,
    ),
    "the worker is too old": (
        {"endpoint": endpoint(image="runpod/worker-v1-vllm:v1.9.0stable-cuda12.1.0")},
        "worker-image",
        ERROR,
    ),
    "the worker is of the generation before": (
        {"endpoint": endpoint(image="runpod/worker-v1-vllm:v2.23.0")},
        "worker-image",
        WARNING,
    ),
    "the worker is whatever is newest": (
        {"endpoint": endpoint(image="runpod/worker-v1-vllm:latest")},
        "worker-image",
        WARNING,
    ),
    "pull mode has push mode's worker": (
        {"functions": functions(MODE="pull")},
        "worker-image",
        ERROR,
    ),
    "a request may not run long enough": (
        {"functions": functions(EXECUTION_TIMEOUT_SECONDS="120")},
        "execution-timeout",
        ERROR,
    ),
    "the endpoint has drifted": (
        {"endpoint_choices": {"workers_max": "3"}},
        "endpoint-drift",
        WARNING,
    ),
    "the endpoint is another account's": ({"endpoint": None}, "endpoint-managed", WARNING),
}


def judged(readings: Readings, **options: Any) -> Report:
    return examined(readings, REGISTRY.checks, **options)


def test_nothing_is_said_of_a_deployment_in_order() -> None:
    report = judged(healthy())

    assert report.findings == ()
    assert report.unchecked == ()
    assert report.made == tuple(REGISTRY.checks)


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_found_and_nothing_else(name: str) -> None:
    changes, expected, severity = CASES[name]

    found = judged(healthy(**changes)).findings

    assert [(each.check, each.trouble.severity) for each in found] == [(expected, severity)]


def test_every_check_finds_something() -> None:
    assert {expected for _, expected, _ in CASES.values()} == set(REGISTRY.checks)


def test_runpods_idle_rule_is_told_from_somebodys_zero() -> None:
    stopped, by_hand = (
        judged(healthy(**CASES[name][0])).findings[0].trouble.seen
        for name in ("RunPod stopped an idle endpoint", "max workers is zero")
    )

    assert "idle rule: no job for 8 days" in stopped
    assert "idle rule" not in by_hand


def test_zero_workers_are_found_where_nobody_knows_of_the_jobs() -> None:
    held = dict(healthy(endpoint=endpoint(workers={"min": 0, "max": 0})).held)
    del held["jobs"]

    found = judged(Readings(held=held), only=["workers-max"]).findings

    assert [each.check for each in found] == ["workers-max"]


def test_a_bucket_with_a_key_that_is_granted_is_in_order() -> None:
    report = judged(
        healthy(
            stack=stack({"InputBucketKmsKeyArn": KEY}),
            input_bucket=bucket(key_arn=KEY, key_state="Enabled"),
        )
    )

    assert report.findings == ()


def test_lifecycle_rules_that_leave_jobs_their_time_or_are_about_others_are_in_order() -> None:
    report = judged(
        healthy(
            functions=functions(INPUT_PREFIX="calls/"),
            input_bucket=bucket(expiries=(("calls/", 7), ("logs/", 1))),
            output_bucket=bucket(name="out", queues=(), expiries=(("work/", 2), ("summaries/", 1))),
        )
    )

    assert report.findings == ()


def test_what_a_lifecycle_rule_deletes_is_read_in_each_of_its_shapes() -> None:
    rules = [
        {"Status": "Enabled", "Prefix": "work/", "Expiration": {"Days": 7}},
        {"Status": "Enabled", "Filter": {"Prefix": "calls/"}, "Expiration": {"Days": 30}},
        {"Status": "Enabled", "Filter": {"And": {"Prefix": "a/"}}, "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 90}},
        {"Status": "Disabled", "Prefix": "", "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Prefix": "", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
        {"Status": "Enabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    ]

    assert expiries_in({"Rules": rules}) == (("work/", 7), ("calls/", 30), ("a/", 1), ("", 90))


def test_a_worker_of_the_users_own_is_left_alone_in_pull_mode() -> None:
    report = judged(
        healthy(functions=functions(MODE="pull"), endpoint=endpoint(image="me/summaries:1"))
    )

    assert report.findings == ()


def test_a_simulated_endpoint_may_call_back_to_this_machine() -> None:
    here = "http://abc.execute-api.localhost:4566/webhook"
    report = judged(
        healthy(
            functions=functions(
                WEBHOOK_URL=here, RUNPOD_API_ENDPOINT="http://127.0.0.1:9/v2/local"
            ),
            stack=stack(outputs={"WebhookUrl": here}),
        )
    )

    assert report.findings == ()


def test_what_could_not_be_read_is_said_once_with_the_checks_it_cost() -> None:
    held = dict(healthy().held)
    del held["endpoint"]
    readings = Readings(held=held, unread={"endpoint": "the key may not"})

    (unchecked,) = judged(readings).unchecked

    assert (unchecked.reading, unchecked.why) == ("endpoint", "the key may not")
    assert {"workers-max", "flashboot", "model-name"} <= set(unchecked.checks)


def test_checks_are_chosen_and_left_out_by_name() -> None:
    sick = healthy(dead_letters=1, feed=None)

    only = judged(sick, only=["dead-letters"])
    without = judged(sick, skip=["dead-letters"])

    assert [each.check for each in only.findings] == ["dead-letters"]
    assert only.made == ("dead-letters",)
    assert [each.check for each in without.findings] == ["submitter-fed"]

"""What the template refuses to deploy, checked over every combination it could be given."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from core.settings import longest_discovery
from tests.template.cloudformation import (
    PSEUDO_PARAMETERS,
    Evaluator,
    Refused,
    check_rules,
    deployed,
    is_accepted,
    parameter_values,
    source,
)

PARAMETERS = source()["Parameters"]
RESULT_FOUND_WITHIN = timedelta(minutes=25)  # RunPod keeps it for 30


def test_the_defaults_can_be_deployed() -> None:
    assert is_accepted()


# ---- a lost callback is found in time ----------------------------------------------------------


@pytest.mark.parametrize("sweep", PARAMETERS["SweepScheduleMinutes"]["AllowedValues"])
@pytest.mark.parametrize("polls", PARAMETERS["MaxPollingAttempts"]["AllowedValues"])
@pytest.mark.parametrize("deadline", PARAMETERS["JobDeadlineMinutes"]["AllowedValues"])
def test_what_may_be_deployed_is_exactly_what_finds_a_lost_callback_in_time(
    deadline: int, polls: int, sweep: int
) -> None:
    worst = max(
        longest_discovery(
            overdue=timedelta(seconds=overdue),
            deadline=timedelta(minutes=deadline),
            polls=polls,
            poll_interval=timedelta(seconds=interval),
            schedule=timedelta(minutes=sweep),
        )
        for overdue in extremes("CallbackOverdueSeconds")
        for interval in extremes("PollingIntervalSeconds")
    )

    accepted = is_accepted(
        JobDeadlineMinutes=deadline, MaxPollingAttempts=polls, SweepScheduleMinutes=sweep
    )

    assert accepted == (worst <= RESULT_FOUND_WITHIN)


def extremes(parameter: str) -> tuple[int, int, int]:
    spec = PARAMETERS[parameter]
    return spec["MinValue"], spec["Default"], spec["MaxValue"]


def test_a_refusal_says_what_to_set() -> None:
    values = parameter_values({"JobDeadlineMinutes": 180, "MaxPollingAttempts": 5})

    with pytest.raises(Refused, match="set MaxPollingAttempts to 10 or more"):
        check_rules(values)


# ---- summaries are not transcripts -------------------------------------------------------------

PREFIXES = ["", *("/".join(p) + "/" for n in (1, 2) for p in itertools.product(
    ("a", "summaries", "summaries-old"), repeat=n))]  # fmt: skip


@pytest.mark.parametrize("output_prefix", PREFIXES)
@pytest.mark.parametrize("input_prefix", PREFIXES)
def test_in_one_bucket_no_summary_is_a_transcript_and_no_transcript_a_summary(
    input_prefix: str, output_prefix: str
) -> None:
    accepted = is_accepted(
        InputBucketName="one-bucket",
        OutputBucketName="one-bucket",
        InputPrefix=input_prefix,
        OutputPrefix=output_prefix,
    )
    apart = not (output_prefix.startswith(input_prefix) or input_prefix.startswith(output_prefix))

    assert apart or not accepted


@pytest.mark.parametrize("input_prefix", ["transcripts/", "teams/north/calls/", "summaries-old/"])
def test_one_bucket_for_both_can_be_deployed(input_prefix: str) -> None:
    assert is_accepted(
        InputBucketName="one-bucket", OutputBucketName="one-bucket", InputPrefix=input_prefix
    )


def test_two_given_buckets_need_no_prefix() -> None:
    assert is_accepted(
        InputBucketName="given-in", OutputBucketName="given-out", OutputPrefix="results/"
    )


def test_a_bucket_that_a_stack_made_is_not_given_to_it_for_the_other_end() -> None:
    resources = deployed()
    transcripts = resources["TranscriptsBucket"]["Properties"]["BucketName"]
    summaries = resources["SummariesBucket"]["Properties"]["BucketName"]

    assert not is_accepted(OutputBucketName=transcripts)
    assert not is_accepted(InputBucketName=summaries)
    assert is_accepted(InputBucketName=transcripts, OutputBucketName=summaries)


@pytest.mark.parametrize("bucket", ["TranscriptsBucket", "SummariesBucket"])
def test_a_stack_name_of_23_characters_makes_a_bucket_name_that_s3_takes(bucket: str) -> None:
    longest = {**PSEUDO_PARAMETERS, "AWS::StackName": "s" * 23, "AWS::Region": "ap-southeast-7"}
    expression: Any = source()["Resources"][bucket]["Properties"]["BucketName"]

    name = Evaluator({**parameter_values({}), **longest}).evaluate(expression)

    assert len(name) <= 63
    assert "23 characters" in source()["Description"]


# ---- single parameters -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.runpod.ai/v2/abc123",
        "https://gateway.example.org:8443/runpod/v2/abc_1-2",
        "http://127.0.0.1:4701/v2/local",
        "http://localhost:4701/v2/local",
    ],
)
def test_an_endpoint_is_https_or_on_this_machine(endpoint: str) -> None:
    assert is_accepted(RunpodApiEndpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param("", id="none"),
        pytest.param("http://api.runpod.ai/v2/abc123", id="plain http"),
        pytest.param("http://127.0.0.1.example.org/v2/abc123", id="looks like loopback"),
        pytest.param("http://localhost.example.org/v2/abc123", id="looks like localhost"),
        pytest.param("http://127.0.0.1@example.org/v2/abc123", id="loopback as a user name"),
        pytest.param("http://127a0b0c1/v2/abc123", id="a host that a loose pattern takes"),
        pytest.param("https://key@api.runpod.ai/v2/abc123", id="a key in it"),
        pytest.param("https://api.runpod.ai/v2/abc123/", id="slash at the end"),
        pytest.param("https://api.runpod.ai", id="no endpoint"),
        pytest.param("https://api.runpod.ai/v2/abc123?x=1", id="a query"),
        pytest.param("ftp://127.0.0.1/v2/local", id="another scheme"),
    ],
)
def test_any_other_endpoint_is_refused(endpoint: str) -> None:
    assert not is_accepted(RunpodApiEndpoint=endpoint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("InputPrefix", "transcripts", id="input prefix without its slash"),
        pytest.param("InputPrefix", "/transcripts/", id="input prefix from the root"),
        pytest.param("InputPrefix", "calls/*/", id="input prefix that IAM would widen"),
        pytest.param("InputPrefix", "summaries/new/", id="input prefix among results"),
        pytest.param("InputPrefix", "work/", id="input prefix among notes"),
        pytest.param("OutputPrefix", "work/", id="results among notes"),
        pytest.param("OutputPrefix", "", id="no output prefix"),
        pytest.param("OutputPrefix", "summaries", id="output prefix without its slash"),
        pytest.param("OutputPrefix", "a/b/", id="output prefix of two folders"),
        pytest.param("OutputPrefix", "sum?aries/", id="output prefix that IAM would widen"),
        pytest.param("InputSuffixes", "txt", id="suffix without its dot"),
        pytest.param("InputSuffixes", ".txt, .md", id="suffixes with a space"),
        pytest.param("RunpodApiKeySecretName", "runpod/*", id="secret that IAM would widen"),
        pytest.param("RunpodApiKeySecretName", "", id="no secret"),
        pytest.param("InputBucketKmsKeyArn", "alias/mine", id="a key's alias"),
        pytest.param("OutputBucketKmsKeyArn", "arn:aws:kms:*:123456789012:key/*", id="every key"),
        pytest.param("KmsKeyArn", "arn:aws:kms:*:123456789012:key/*", id="every key, for the rest"),
        pytest.param(
            "TranscriptRetentionDays", 1, id="transcripts gone while they wait in the queue"
        ),
        pytest.param("OldVersionRetentionDays", 1, id="versions gone while they wait in the queue"),
        pytest.param("WorkFileRetentionDays", 1, id="texts gone while a call of their job is held"),
        pytest.param("MaxTranscriptBytes", 25_000_001, id="more than the submitter can read"),
        pytest.param("MaxTokens", 499, id="answers too short for notes"),
        pytest.param("MaxAttempts", 6, id="a sixth paid attempt"),
        pytest.param("CallbackOverdueSeconds", 601, id="overdue too late"),
        pytest.param("PollingIntervalSeconds", 301, id="asks too far apart"),
        pytest.param("JobDeadlineMinutes", 90, id="deadline that no rule knows"),
        pytest.param("SweepScheduleMinutes", 10, id="sweep that no rule knows"),
        pytest.param("SubmitterMaxConcurrency", 200, id="more submitters than RunPod takes"),
    ],
)
def test_a_value_that_cannot_work_is_refused(name: str, value: object) -> None:
    assert not is_accepted(**{name: value})


@pytest.mark.parametrize(
    ("retention", "bucket"),
    [
        ("TranscriptRetentionDays", "InputBucketName"),
        ("SummaryRetentionDays", "OutputBucketName"),
    ],
)
def test_a_retention_that_would_do_nothing_is_refused(retention: str, bucket: str) -> None:
    assert is_accepted(**{retention: 30})
    assert is_accepted(**{bucket: "given"})
    with pytest.raises(Refused, match=f"With {bucket} leave it at 0"):
        deployed(**{retention: 30, bucket: "given"})


def test_nothing_that_a_job_wants_is_as_old_as_the_least_retention() -> None:
    """An upload may wait in the queue, and then a call may be held for a day."""
    queue = source()["Resources"]["UploadQueue"]["Properties"]["MessageRetentionPeriod"]
    held, deadline = timedelta(days=1), timedelta(minutes=180)
    in_queue = timedelta(seconds=queue)

    for name in ("TranscriptRetentionDays", "SummaryRetentionDays", "OldVersionRetentionDays"):
        least = min(value for value in PARAMETERS[name]["AllowedValues"] if value)
        assert timedelta(days=least) > in_queue + held + deadline
    least = min(PARAMETERS["WorkFileRetentionDays"]["AllowedValues"])
    assert timedelta(days=least) > held + deadline


def test_every_parameter_is_described_bounded_and_shown_in_a_group() -> None:
    groups = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]

    assert sorted(shown) == sorted(PARAMETERS)
    for spec in PARAMETERS.values():
        assert spec["Description"]
        assert spec.keys() & {"AllowedValues", "AllowedPattern", "MaxValue"}

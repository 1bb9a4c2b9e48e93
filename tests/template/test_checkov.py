"""The findings that `make audit` ignores: each for a reason, and only ones that exist."""

import re

import pytest

from tests.template.cloudformation import ROOT, deployed, of_type

CONFIGURATION = (ROOT / ".checkov.yaml").read_text().splitlines()
SKIPPED = re.compile(r"  - (CKV2?_AWS_[0-9]+)")

# What each skipped check asks for: a property that every resource of the type shall have.
ASKED_FOR = {
    "CKV_AWS_18": ("AWS::S3::Bucket", "LoggingConfiguration"),
    "CKV_AWS_26": ("AWS::SNS::Topic", "KmsMasterKeyId"),
    "CKV_AWS_27": ("AWS::SQS::Queue", "KmsMasterKeyId"),
    "CKV_AWS_115": ("AWS::Lambda::Function", "ReservedConcurrentExecutions"),
    "CKV_AWS_116": ("AWS::Lambda::Function", "DeadLetterConfig"),
    "CKV_AWS_117": ("AWS::Lambda::Function", "VpcConfig"),
    "CKV_AWS_119": ("AWS::DynamoDB::Table", "SSESpecification.KMSMasterKeyId"),
    "CKV_AWS_149": ("AWS::SecretsManager::Secret", "KmsKeyId"),
    "CKV_AWS_158": ("AWS::Logs::LogGroup", "KmsKeyId"),
    "CKV_AWS_173": ("AWS::Lambda::Function", "KmsKeyArn"),
}


def skipped() -> list[str]:
    first = CONFIGURATION.index("skip-check:") + 1
    items = [line for line in CONFIGURATION[first:] if not line.startswith("  # ")]
    matches = [SKIPPED.fullmatch(item) for item in items]
    assert None not in matches, items
    return [match[1] for match in matches if match]


def test_each_skipped_check_has_a_reason_above_it() -> None:
    for check in skipped():
        above = CONFIGURATION[CONFIGURATION.index(f"  - {check}") - 1]
        assert above.startswith("  # "), f"{check} is skipped without a reason"


def test_the_skipped_checks_are_those_that_are_known_here() -> None:
    assert sorted(skipped()) == sorted(ASKED_FOR)


@pytest.mark.parametrize("check", ASKED_FOR)
def test_a_check_is_skipped_only_as_long_as_the_template_fails_it(check: str) -> None:
    kind, asked_for = ASKED_FOR[check]
    found = of_type(deployed(AlarmEmail="ops@example.org"), kind)

    assert found
    for properties in found.values():
        place = properties
        *outer, last = asked_for.split(".")
        for name in outer:
            place = place[name]
        assert last not in place

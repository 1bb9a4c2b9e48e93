"""What a function's first answer waits for: modules and clients, counted."""

import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from botocore.session import Session

from core import wiring
from tests.fakes.aws import AN_ENVIRONMENT
from tests.fakes.cloud import APPS

NOT_BEFORE_IT_IS_NEEDED = {
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.parameters",
    "aws_xray_sdk",
    "boto3",
    "pypdf",
    "requests",
    "s3transfer",
}
CLIENTS = {  # in push mode, without work files to expire
    "submitter": {"dynamodb", "s3", "secretsmanager", "sqs"},
    "webhook_receiver": {"dynamodb", "s3", "secretsmanager", "sqs"},
    "sweeper": {"dynamodb", "s3", "secretsmanager", "sqs"},
    "notifier": {"events", "sqs"},
    "webhook_sender": {"secretsmanager", "sqs"},
}


@pytest.mark.parametrize("function", APPS)
def test_a_handler_is_imported_without_what_few_invocations_need(function: str) -> None:
    script = f"import sys, {function}.app; print(*sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "POWERTOOLS_METRICS_NAMESPACE": "Test"},
    )

    assert set(told.stdout.split()) & NOT_BEFORE_IT_IS_NEEDED == set()


@pytest.mark.parametrize("function", APPS)
def test_each_client_is_made_once(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[str] = Counter()

    def create_client(_: Session, service: str, **options: Any) -> object:
        made[service] += 1
        return object()

    for name, value in AN_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Session, "create_client", create_client)
    wiring.client.cache_clear()

    APPS[function]._wiring.__wrapped__()

    wiring.client.cache_clear()
    assert made == Counter(CLIENTS[function])


@pytest.mark.parametrize("service", sorted({each for names in CLIENTS.values() for each in names}))
def test_botocore_knows_of_each_service_that_is_used(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    wiring.client.cache_clear()

    client = wiring.client(service)

    assert client is wiring.client(service)
    assert client.meta.region_name == "eu-central-1"
    wiring.client.cache_clear()

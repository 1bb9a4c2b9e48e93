"""The deployed stack that these tests use, as .env and the environment name it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import boto3
import pytest
import requests
from dotenv import dotenv_values

from cli.deployment import Deployment
from local.stack.needs import ROOT

_SESSION_VARIABLES = {
    "AWS_PROFILE": "profile_name",
    "AWS_REGION": "region_name",
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
}


@dataclass(frozen=True)
class Cloud:
    stack: Deployment
    settings: dict[str, str] = field(repr=False)  # it holds keys, and pytest shows arguments


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    found = dotenv_values(ROOT / ".env") | os.environ
    settings = {name: value for name, value in found.items() if value}
    check_runpod(settings)
    session = boto3.Session(
        **{
            option: settings[name]
            for name, option in _SESSION_VARIABLES.items()
            if name in settings
        }
    )
    stack = Deployment(session, settings.get("STACK_NAME", "transcript-summaries"))
    yield Cloud(stack, settings)
    stack.close()


def check_runpod(settings: dict[str, str]) -> None:
    """Fail before anything costs money if the endpoint or its key is wrong."""
    missing = [name for name in ("RUNPOD_API_ENDPOINT", "RUNPOD_API_KEY") if name not in settings]
    if missing:
        pytest.fail(f"set {' and '.join(missing)} in .env; see .env.example", pytrace=False)
    url = f"{settings['RUNPOD_API_ENDPOINT'].rstrip('/')}/health"
    authorization = {"Authorization": f"Bearer {settings['RUNPOD_API_KEY']}"}
    answer = requests.get(url, headers=authorization, timeout=30)
    if not answer.ok:
        pytest.fail(f"RunPod answered {answer.status_code} for {url}", pytrace=False)

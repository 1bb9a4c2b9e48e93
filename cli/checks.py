"""What can be known to be wrong before anything is built: each check ends with what to do."""

import re
from typing import Any

import boto3
import click
import requests
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from core.runpod.client import USER_AGENT

_SECONDS = 15
_SHORTEST_KEY = 20
_PLACEHOLDER = re.compile(
    r"[\s<>{}]|your|change|replace|example|to.?be.?set|api.?key", re.IGNORECASE
)


def session(region: str) -> tuple[boto3.Session, str]:
    """Return a session of AWS and the account that it is for."""
    aws = boto3.Session(region_name=region or None)
    try:
        account: str = aws.client("sts").get_caller_identity()["Account"]
    except NoRegionError:
        raise click.ClickException(
            "no AWS Region is set: name one with --region, or run `aws configure`"
        ) from None
    except NoCredentialsError:
        raise click.ClickException(
            "no AWS credentials were found: run `aws configure` or `aws sso login`, or set AWS_PROFILE"
        ) from None
    except (ClientError, BotoCoreError) as exc:
        raise click.ClickException(
            f"AWS does not take these credentials ({_code(exc)}): run `aws sts get-caller-identity`"
            " to see why; a session may have ended"
        ) from None
    return aws, account


def key_in(aws: boto3.Session, name: str) -> str | None:
    """Return the RunPod key that a secret holds; None if there is no such secret."""
    try:
        answer = aws.client("secretsmanager").get_secret_value(SecretId=name)
    except ClientError as exc:
        if _code(exc) == "ResourceNotFoundException":
            return None
        raise click.ClickException(f"secret {name} can't be read: {_code(exc)}") from None
    return str(answer.get("SecretString", "")).strip()


def store_key(aws: boto3.Session, name: str, key: str) -> None:
    """Make the secret, or give it a new value."""
    manager: Any = aws.client("secretsmanager")
    try:
        manager.create_secret(Name=name, SecretString=key)
    except manager.exceptions.ResourceExistsException:
        manager.put_secret_value(SecretId=name, SecretString=key)


def problem_with_key(key: str) -> str:
    """Return why this can't be a RunPod key, or "" if it can."""
    if len(key) < _SHORTEST_KEY or _PLACEHOLDER.search(key):
        return "holds no RunPod key but something short, or a placeholder"
    return ""


def problem_with_endpoint(url: str, key: str) -> str:
    """Ask the endpoint how it is, and return what is wrong with it or with the key."""
    try:
        answer = requests.get(
            f"{url}/health",
            headers={"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT},
            timeout=_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as exc:
        return f"{url} can't be reached from here ({type(exc).__name__}): is the address right?"
    match answer.status_code:
        case 200:
            return ""
        case 401 | 403:
            return (
                "RunPod refuses the key: is it one of this account, and may it use this endpoint?"
            )
        case 404:
            return (
                f"RunPod knows no endpoint {url.rsplit('/', 1)[-1]}: copy the id from its console"
            )
    return f"RunPod answered {answer.status_code}; try again in a minute"


def _code(exc: Exception) -> str:
    if isinstance(exc, ClientError):
        return str(exc.response["Error"]["Code"])
    return type(exc).__name__

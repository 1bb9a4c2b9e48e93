"""RunPod as the deployed functions see it: with the address and the key of their own configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from botocore.exceptions import BotoCoreError, ClientError

from cli.operating.desk import Desk
from core.aws.unreadable_secrets import empty, unreadable
from core.runpod.client import USER_AGENT

_SECONDS = 5
_REFUSED = {
    401: "RunPod refuses the key: put a valid one into the secret",
    403: "RunPod does not let this key do that: it may be restricted",
    404: "RunPod knows no such endpoint: it was deleted, or the address is wrong",
}


class RunPodUnknown(Exception):
    """What was asked can't be known; the text says why, and holds neither key nor address."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach the endpoint."""

    url: str
    key_secret: str

    @property
    def endpoint_id(self) -> str:
        return self.url.rstrip("/").rsplit("/", 1)[-1]


def environment_of(desk: Desk) -> Mapping[str, str]:
    """Return the submitter's environment as it is now."""
    answer = desk.deployment.client("lambda").get_function_configuration(
        FunctionName=desk.deployment.outputs["SubmitterFunction"]
    )
    environment: Mapping[str, str] = answer.get("Environment", {}).get("Variables", {})
    return environment


def access(desk: Desk) -> Access:
    """Read where the submitter sends its requests."""
    environment = environment_of(desk)
    return Access(
        url=environment["RUNPOD_API_ENDPOINT"],
        key_secret=environment["RUNPOD_API_KEY_SECRET"],
    )


def api_key(desk: Desk, reached: Access) -> str:
    """Return the functions' key. Raises RunPodUnknown."""
    # Not by the functions' reader, which keeps values, and brings Powertools and boto3 along.
    manager, name = desk.deployment.client("secretsmanager"), reached.key_secret
    try:
        key = str(manager.get_secret_value(SecretId=name).get("SecretString", "")).strip()
    except (ClientError, BotoCoreError) as exc:
        raise RunPodUnknown(unreadable(name, exc)) from None
    if not key:
        raise RunPodUnknown(empty(name))
    return key


def asked(url: str, key: str, parameters: Mapping[str, str] | None = None) -> Any:
    """Return what RunPod answers to a GET. Raises RunPodUnknown."""
    try:
        with requests.Session() as session:
            session.trust_env = urlsplit(url).hostname not in {"127.0.0.1", "localhost"}
            answer = session.get(
                url,
                params=parameters,
                headers={"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT},
                timeout=_SECONDS,
                allow_redirects=False,
            )
            if answer.status_code == requests.codes.ok:
                return answer.json()
    except requests.JSONDecodeError:
        raise RunPodUnknown("RunPod's answer is no JSON") from None
    except requests.RequestException as exc:
        raise RunPodUnknown(f"RunPod does not answer ({type(exc).__name__})") from None
    raise RunPodUnknown(
        _REFUSED.get(answer.status_code, f"RunPod answered {answer.status_code}: try again later")
    )


@dataclass(frozen=True, kw_only=True)
class Health:
    """What RunPod's /health says; only `problem` where it can't be had."""

    problem: str = ""
    jobs: Mapping[str, int]
    workers: Mapping[str, int]

    @property
    def waiting(self) -> int:
        return self.jobs.get("inQueue", 0)

    @property
    def workers_up(self) -> int:
        """Workers that can take a request, or soon will."""
        return sum(
            self.workers.get(name, 0) for name in ("idle", "ready", "running", "initializing")
        )


def health(desk: Desk) -> Health:
    """Ask RunPod how the endpoint is."""
    try:
        reached = access(desk)
        told = asked(f"{reached.url.rstrip('/')}/health", api_key(desk, reached))
    except RunPodUnknown as exc:
        return Health(problem=str(exc), jobs={}, workers={})
    except ClientError as exc:
        code = exc.response["Error"]["Code"]
        why = f"the submitter's configuration, which says where it is, can't be read: {code}"
        return Health(problem=why, jobs={}, workers={})
    fields = told if isinstance(told, dict) else {}
    return Health(jobs=_counts(fields.get("jobs")), workers=_counts(fields.get("workers")))


def _counts(fields: object) -> dict[str, int]:
    held = fields if isinstance(fields, dict) else {}
    return {name: value for name, value in held.items() if isinstance(value, int)}

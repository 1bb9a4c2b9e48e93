"""From an HTTP request of API Gateway to a report that may be believed. Pure but for the secrets."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from core.errors import BadBody, BadToken
from core.jobs.callback import CallRef, is_token_of
from core.jobs.ports import CallbackSecrets
from core.runpod.reports import RunPodReport, parse_report


def checked_ref(event: Mapping[str, Any], secrets: CallbackSecrets) -> CallRef:
    """Return which attempt the request speaks for. Raises BadToken.

    A token that fits no live secret gets one more look at fresh ones: a rotation may be minutes old.
    """
    path = event.get("pathParameters") or {}
    ref = CallRef.parse(path.get("job_id"), path.get("call_id"), path.get("attempt"))
    token = path.get("token")
    if not is_token_of(ref, token, secrets.live()) and not is_token_of(
        ref, token, secrets.refetched()
    ):
        raise BadToken("the token is wrong")
    return ref


def parse_body(event: Mapping[str, Any]) -> RunPodReport | None:
    """Return the report in the body, or None for an empty or `null` one. Raises BadBody.

    RunPod once sent callbacks with an empty body for hours (runpod-python issue 381); the path still
    says which request has ended. The content type is not looked at: the body says what it is.
    """
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise BadBody("the body is not JSON")
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode("utf-8")
        job = json.loads(body, parse_constant=_no_constant) if body.strip() else None
    except (ValueError, RecursionError):
        raise BadBody("the body is not JSON") from None
    return None if job is None else parse_report(job)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")

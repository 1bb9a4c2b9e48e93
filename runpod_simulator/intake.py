"""Reads what was sent to /run and /runsync. Pure.

RunPod documents the fields and their limits but not the texts of its refusals; those here are our own,
but for `exceeded max body size of 10MiB`, which several people reported.
"""

import json
from dataclasses import dataclass
from typing import Any

from .config import Config
from .jobs import Request
from .scenarios import UnknownScenarioError, names_in, plan_for

MIB = 1024 * 1024
RUN_MAX_MIB, RUNSYNC_MAX_MIB = 10, 20
_WEEK_SECONDS = 7 * 24 * 3600
_EXECUTION_TIMEOUT_SECONDS = (5, _WEEK_SECONDS)
_TTL_SECONDS = (10, _WEEK_SECONDS)


class RefusedError(ValueError):
    """Answer 400 with this text."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    request: Request
    simulate: tuple[str, ...]


def read_submission(
    body: bytes, header: str, config: Config, *, is_sync: bool = False
) -> Submission:
    """
    Raises:
        RefusedError: the body is not what RunPod takes.
    """
    sent = _json_object(body)
    job_input = sent.get("input")
    if not isinstance(job_input, dict):
        msg = "input must be a JSON object"
        raise RefusedError(msg)
    webhook = sent.get("webhook", "")
    if not isinstance(webhook, str):
        msg = "webhook must be a string"
        raise RefusedError(msg)
    policy = sent.get("policy") or {}
    if not isinstance(policy, dict):
        msg = "policy must be an object"
        raise RefusedError(msg)
    request = Request(
        input=job_input,
        webhook=webhook,
        execution_timeout_seconds=_seconds(
            policy, "executionTimeout", _EXECUTION_TIMEOUT_SECONDS, config.execution_timeout_seconds
        ),
        ttl_seconds=_seconds(policy, "ttl", _TTL_SECONDS, config.ttl_seconds),
        retention_seconds=config.runsync_retention_seconds
        if is_sync
        else config.result_retention_seconds,
        is_sync=is_sync,
    )
    return Submission(request=request, simulate=_simulate(sent, header, job_input))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body)
    except ValueError as exc:
        msg = "the body is not JSON"
        raise RefusedError(msg) from exc
    if not isinstance(sent, dict):
        msg = "the body must be a JSON object"
        raise RefusedError(msg)
    return sent


def _seconds(policy: dict[str, Any], name: str, allowed: tuple[int, int], default: float) -> float:
    """A policy field in seconds; RunPod counts it in milliseconds."""
    given = policy.get(name)
    if given is None:
        return default
    lowest, highest = allowed
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not lowest <= given / 1000 <= highest
    ):
        msg = f"policy.{name} must be between {lowest * 1000} and {highest * 1000} milliseconds"
        raise RefusedError(msg)
    return float(given / 1000)


def _simulate(sent: dict[str, Any], header: str, job_input: dict[str, Any]) -> tuple[str, ...]:
    try:
        wanted = (*names_in(sent.get("simulate", [])), *names_in(header))
        plan_for(wanted)
    except UnknownScenarioError as exc:
        raise RefusedError(str(exc)) from exc
    # The SDK's worker drops an empty input as "missing field(s)"; the platform gives such a job up.
    return wanted if job_input else ("worker-lost", *wanted)

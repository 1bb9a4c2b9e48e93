"""Parses the bodies of /run and /runsync. Pure.

RunPod documents the fields and their limits but not the error texts: these are the simulator's own, except
`exceeded max body size of 10MiB`, which several users reported.
"""

from dataclasses import dataclass
from typing import Any

from runpod_simulator.config import Config
from runpod_simulator.jobs import JobRequest
from runpod_simulator.payloads import BadPayload, parse_object
from runpod_simulator.scenarios import UnknownScenario, names_in, plan_for

RUN_MAX_MIB, RUNSYNC_MAX_MIB = 10, 20
_WEEK_SECONDS = 7 * 24 * 3600
_EXECUTION_TIMEOUT_SECONDS = (5, _WEEK_SECONDS)
_TTL_SECONDS = (10, _WEEK_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Submission:
    request: JobRequest
    simulate: tuple[str, ...]


def parse_submission(
    body: bytes, header: str, config: Config, *, is_sync: bool = False
) -> Submission:
    """
    Raises:
        BadPayload: the body is not what RunPod takes.
    """
    sent = parse_object(body)
    job_input = sent.get("input")
    if not isinstance(job_input, dict):
        raise BadPayload("input must be a JSON object")
    webhook = sent.get("webhook", "")
    if not isinstance(webhook, str):
        raise BadPayload("webhook must be a string")
    policy = sent.get("policy") or {}
    if not isinstance(policy, dict):
        raise BadPayload("policy must be an object")
    request = JobRequest(
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
        raise BadPayload(
            f"policy.{name} must be between {lowest * 1000} and {highest * 1000} milliseconds"
        )
    return float(given / 1000)


def _simulate(sent: dict[str, Any], header: str, job_input: dict[str, Any]) -> tuple[str, ...]:
    try:
        wanted = (*names_in(sent.get("simulate", [])), *names_in(header))
        plan_for(wanted)
    except UnknownScenario as exc:
        raise BadPayload(str(exc)) from exc
    # The SDK's worker drops an empty input as "missing field(s)"; the platform gives such a job up.
    return wanted if job_input else ("worker-lost", *wanted)

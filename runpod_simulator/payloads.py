"""The JSON bodies that callers and workers send. Pure.

RunPod's SDK posts JSON to job-done and job-stream, though it labels it application/x-www-form-urlencoded.
"""

import json
from dataclasses import dataclass
from typing import Any

from runpod_simulator.workers import WorkerResult

MIB = 1024 * 1024


class BadPayload(ValueError):
    """Answer 400 with this text."""


@dataclass(frozen=True, kw_only=True)
class ProgressUpdate:
    """The job goes on; this is its output so far."""

    output: Any


@dataclass(frozen=True, kw_only=True)
class FinalResult:
    """The job is over."""

    result: WorkerResult
    wants_refresh: bool = False


def parse_job_done(body: bytes, max_mib: float) -> ProgressUpdate | FinalResult:
    """
    Raises:
        BadPayload: it is too large or no JSON object.
    """
    posted = parse_limited_object(body, max_mib)
    if posted.get("status") == "IN_PROGRESS":
        return ProgressUpdate(output=posted.get("output"))
    output, error = posted.get("output"), posted.get("error")
    if error and not isinstance(error, str):  # RunPod takes texts only
        output, error = None, ""
    return FinalResult(
        result=WorkerResult(output=output, error=error or ""),
        wants_refresh=bool(posted.get("stopPod")),
    )


def parse_limited_object(body: bytes, max_mib: float) -> dict[str, Any]:
    """
    Raises:
        BadPayload: it is too large or no JSON object; NaN and Infinity, which Python writes, are not JSON.
    """
    if len(body) > max_mib * MIB:
        raise BadPayload(f"exceeded max body size of {max_mib:g}MiB")
    return parse_object(body, allow_nan=False)


def parse_object(body: bytes, *, allow_nan: bool = True) -> dict[str, Any]:
    """
    Raises:
        BadPayload: it is no JSON object.
    """
    try:
        parsed = json.loads(body, parse_constant=None if allow_nan else _reject_constant)
    except ValueError as exc:
        raise BadPayload("the body is not JSON") from exc
    if not isinstance(parsed, dict):
        raise BadPayload("the body must be a JSON object")
    return parsed


def _reject_constant(constant: str) -> None:
    raise ValueError(constant)

"""Reads what a worker posts to job-done and job-stream. Pure.

RunPod's SDK posts JSON, though it calls it application/x-www-form-urlencoded.
"""

import json
from dataclasses import dataclass
from typing import Any

from .workers import Answer


class RefusedPostError(ValueError):
    """Answer 400."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The job goes on; this is its output so far."""

    output: Any


@dataclass(frozen=True, kw_only=True)
class Report:
    """The job is over."""

    answer: Answer
    wants_refresh: bool = False


def read_post(body: bytes, max_mib: float) -> Progress | Report:
    """
    Raises:
        RefusedPostError: it is too large or no JSON object.
    """
    posted = read_chunk(body, max_mib)
    if posted.get("status") == "IN_PROGRESS":
        return Progress(output=posted.get("output"))
    output, error = posted.get("output"), posted.get("error")
    if error and not isinstance(error, str):  # RunPod takes texts only
        output, error = None, ""
    return Report(
        answer=Answer(output=output, error=error or ""),
        wants_refresh=bool(posted.get("stopPod")),
    )


def read_chunk(body: bytes, max_mib: float) -> dict[str, Any]:
    """
    Raises:
        RefusedPostError: it is too large or no JSON object.
    """
    if len(body) > max_mib * 1024 * 1024:
        msg = f"exceeded max body size of {max_mib:g}MiB"
        raise RefusedPostError(msg)
    try:
        posted = json.loads(body, parse_constant=_no_json)
    except ValueError as exc:
        msg = "the body is not JSON"
        raise RefusedPostError(msg) from exc
    if not isinstance(posted, dict):
        msg = "the body must be a JSON object"
        raise RefusedPostError(msg)
    return posted


def _no_json(constant: str) -> None:
    """Python writes NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)

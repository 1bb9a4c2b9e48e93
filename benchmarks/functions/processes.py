"""Starts a function's process, and reads what it tells of itself."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.functions.artifacts import Built
from benchmarks.functions.recording import Invocation
from tests.fakes.aws import AN_ENVIRONMENT
from tests.fakes.cloud import CLOUD

_FRESH = Path(__file__).with_name("fresh.py")


@dataclass(frozen=True)
class Told:
    """What a fresh process told, in seconds and bytes."""

    clock: float  # from its start to its first answer
    cpu: float
    imported_cpu: float
    peak_bytes: int
    answer: str
    ours: list[tuple[float, float]]  # clock and CPU of each further time
    alone: list[tuple[float, float]]  # the same of its requests to AWS alone
    asked: list[str]


def run(
    built: Built,
    invocation: Invocation,
    folder: Path,
    origin: str,
    *,
    path: Sequence[Path] = (),
    handler: str = "",
    times: int = 0,
    **environment: str,
) -> Told:
    """Let a function answer an event for the first time, and then so many `times` more."""
    event = folder / "event.json"
    event.write_text(json.dumps(invocation.event))
    order = {
        "path": [str(each) for each in path or (built.artifacts[invocation.function],)]
        + [str(built.runtime)],
        "handler": handler or f"{invocation.function}.app.handler",
        "event": str(event),
        "times": times,
    }
    return _run(built, order, _environment(origin) | environment)


def make_clients(
    built: Built, invocation: Invocation, origin: str, *, asking: bool = False
) -> Told:
    """Let a bare interpreter import botocore, make a function's clients, and ask what it asks."""
    requests = [(each.service, each.operation, each.parameters) for each in invocation.exchanges]
    order = {
        "path": [str(built.runtime)],
        "clients": sorted({service for service, _, _ in requests}),
        "requests": requests if asking else [],
    }
    return _run(built, order, _environment(origin))


def read_once(built: Built, text: Path) -> Told:
    """Let a bare interpreter read a file and part it into words."""
    return _run(built, {"path": [], "read": str(text)}, {})


def _run(built: Built, order: dict[str, Any], environment: dict[str, str]) -> Told:
    command = [built.python, "-I", "-S", "-B", _FRESH, json.dumps(order)]
    begun = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a function's process failed: {done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Told(
        clock=told["at"] - begun,
        cpu=told["cpu"],
        imported_cpu=told.get("imported_cpu", 0.0),
        peak_bytes=told.get("peak_kb", 0) * 1024,
        answer=told["answer"],
        ours=told.get("ours", []),
        alone=told.get("alone", []),
        asked=told.get("asked", []),
    )


def _environment(origin: str) -> dict[str, str]:
    """Return what Lambda and a deployment give a function; AWS and RunPod are at `origin`."""
    return {
        **AN_ENVIRONMENT,
        **CLOUD,
        "MAX_TRANSCRIPT_BYTES": "20000000",
        "WORK_QUEUE_URL": f"{origin}/123456789012/uploads",
        "NOTICE_QUEUE_URL": f"{origin}/123456789012/notices",
        "NOTICE_DEAD_END_URL": f"{origin}/123456789012/dead-end",
        "NOTICE_WEBHOOK_URL": f"{origin}/hook",
        "RUNPOD_API_ENDPOINT": f"{origin}/v2/e",
        "AWS_ENDPOINT_URL": origin,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "POWERTOOLS_METRICS_NAMESPACE": "Benchmarks",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_SERVICE_NAME": "function",
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "NO_PROXY": "127.0.0.1",
    }

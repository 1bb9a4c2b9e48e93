"""microburst between the functions and the emulator: a share of their AWS calls is throttled.

It answers in AWS's own error format, so the SDK's own repetitions run. Permissions can't be enforced
behind it: a signature holds for the host that it was made for.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.stack.emulator import checked_port
from local.stack.processes import Child, Processes, StackError
from local.waiting import NotInTime, wait_for

_PROXY = Path(__file__).with_name("fault_proxy.py")
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0

# What each service that the functions call says when it is asked too much, as the SDK repeats it: code
# and HTTP status.
THROTTLING = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "s3": ("SlowDown", 503),
    "secretsmanager": ("ThrottlingException", 400),
    # Not RequestThrottled: microburst names it otherwise than SQS does, and the SDK would not repeat it.
    "sqs": ("ServiceUnavailable", 503),
}


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What went through to one service."""

    requests: int
    throttled: int


@dataclass(frozen=True)
class FaultProxy:
    child: Child
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        """Raises StackError."""
        try:
            wait_for(
                self._is_healthy, what="the fault proxy's start", timeout_seconds=_START_SECONDS
            )
        except NotInTime as exc:
            raise StackError(self.child.report(str(exc))) from None

    def throttle(self, share: float) -> None:
        """Throttle this share of the calls to each service from now on."""
        rules = [
            {"service": service, "probability": share, "error": {"code": code, "status": status}}
            for service, (code, status) in THROTTLING.items()
        ]
        self._exchange("POST", "rules", rules)

    def traffic(self) -> dict[str, Traffic]:
        """Return what the functions asked of each service so far."""
        return {
            each["service"]: Traffic(requests=each["requests"], throttled=each["faulted"])
            for each in self._exchange("GET", "stats")["by_service"]
        }

    def _is_healthy(self) -> bool | None:
        self.child.check_running()
        try:
            self._exchange("GET", "health")
        except requests.RequestException:
            return None
        return True

    def _exchange(self, method: str, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before 127.0.0.1
            url = f"{self.url}/_microburst/{path}"
            answer = session.request(method, url, json=body, timeout=_ANSWER_SECONDS)
        answer.raise_for_status()
        return answer.json()


def start_fault_proxy(processes: Processes, *, upstream: str) -> FaultProxy:
    """Start the proxy on a free port, before an `upstream` that need not listen yet."""
    port = checked_port(0)
    child = processes.start(
        "fault proxy",
        [sys.executable, _PROXY, "--upstream", upstream, "--port", str(port)],
        environment={"HOME": str(processes.folder), "LANG": "C.UTF-8", "PATH": os.defpath},
        working_folder=processes.folder,
    )
    return FaultProxy(child, port)

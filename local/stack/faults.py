"""microburst, a proxy between the functions and the emulator that throttles a share of their AWS calls.

It answers in AWS's own error format, so the SDK retries as it would in AWS. Permissions can't be enforced
behind it: a signature is valid only for the host that it was made for.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.stack.loopback import LocalServer, bare_environment, checked_port, http_session
from local.stack.processes import Processes

_PROXY = Path(__file__).with_name("fault_proxy.py")
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0

# The throttling error of each service that the functions call: a code that the SDK retries, and its status.
THROTTLING = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "s3": ("SlowDown", 503),
    "secretsmanager": ("ThrottlingException", 400),
    # Not RequestThrottled: microburst spells it differently from SQS, and the SDK would not retry it.
    "sqs": ("ServiceUnavailable", 503),
}


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Calls of the functions to one service."""

    requests: int
    throttled: int


class FaultProxy(LocalServer):
    def wait_until_ready(self) -> None:
        """Raises StackError."""
        self.child.wait_until(self._is_healthy, timeout_seconds=_START_SECONDS)

    def throttle(self, share: float) -> None:
        """Throttle this share of the calls to each service from now on."""
        rules = [
            {"service": service, "probability": share, "error": {"code": code, "status": status}}
            for service, (code, status) in THROTTLING.items()
        ]
        self._exchange("POST", "rules", rules)

    def traffic(self) -> dict[str, Traffic]:
        """Return the functions' calls so far, by service."""
        return {
            each["service"]: Traffic(requests=each["requests"], throttled=each["faulted"])
            for each in self._exchange("GET", "stats")["by_service"]
        }

    def _is_healthy(self) -> bool | None:
        try:
            self._exchange("GET", "health")
        except requests.RequestException:
            return None
        return True

    def _exchange(self, method: str, path: str, body: Any = None) -> Any:
        with http_session() as session:
            url = f"{self.url}/_microburst/{path}"
            answer = session.request(method, url, json=body, timeout=_ANSWER_SECONDS)
        answer.raise_for_status()
        return answer.json()


def start_fault_proxy(processes: Processes, *, upstream: str) -> FaultProxy:
    """Start the proxy on a free port, in front of an `upstream` that need not listen yet."""
    port = checked_port(0)
    child = processes.start(
        "fault proxy",
        [sys.executable, _PROXY, "--upstream", upstream, "--port", str(port)],
        environment=bare_environment(processes.folder),
        working_folder=processes.folder,
    )
    return FaultProxy(child, port)

"""MiniStack, the AWS emulator, in a bare environment, which its Lambda functions inherit."""

from pathlib import Path

import requests

from local.stack.loopback import LocalServer, bare_environment, http_session
from local.stack.processes import Processes

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROOT_KEY = "test"  # id and secret of the account's root, as the emulator has them
USUAL_PORT = 4566  # the usual port of AWS emulators
_START_SECONDS = 60.0  # 0.5 s on an idle machine


class Emulator(LocalServer):
    def wait_until_ready(self) -> None:
        """Raises StackError."""
        with http_session() as session:
            self.child.wait_until(lambda: self._is_healthy(session), timeout_seconds=_START_SECONDS)

    def _is_healthy(self, session: requests.Session) -> bool | None:
        try:
            return session.get(f"{self.url}/_ministack/health", timeout=2).ok or None
        except requests.RequestException:
            return None


def start_emulator(
    processes: Processes,
    *,
    python: Path,
    port: int,
    enforce_iam: bool = True,
    functions_endpoint: str = "",
) -> Emulator:
    """Start the emulator on a port of 127.0.0.1.

    Its functions call AWS at `functions_endpoint`, or at the emulator itself.
    """
    scratch = processes.folder / "emulator"  # it leaves its functions' code in TMPDIR
    scratch.mkdir()
    child = processes.start(
        "emulator",
        [python, "-m", "ministack"],
        environment=bare_environment(scratch)
        | {
            "AUTH": "true" if enforce_iam else "false",
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",  # would open port 8883
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
        }
        | ({"AWS_ENDPOINT_URL": functions_endpoint} if functions_endpoint else {}),
        working_folder=scratch,
    )
    return Emulator(child, port)

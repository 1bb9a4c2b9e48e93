"""MiniStack, the AWS emulator: in an environment of its own, which its Lambda functions inherit."""

import socket
from dataclasses import dataclass
from pathlib import Path

import requests

from local.stack.processes import Child, Processes, StackError
from local.waiting import NotInTime, wait_for

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROOT_KEY = "test"  # id and secret of the account's root, as the emulator has them
USUAL_PORT = 4566  # where AWS emulators are looked for
_START_SECONDS = 60.0  # 0.5 s on an idle machine


@dataclass(frozen=True)
class Emulator:
    child: Child
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        """Raises StackError."""
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before 127.0.0.1
            try:
                wait_for(
                    lambda: self._is_healthy(session),
                    what="the AWS emulator's start",
                    timeout_seconds=_START_SECONDS,
                    every_seconds=0.05,
                )
            except NotInTime as exc:
                raise StackError(self.child.report(str(exc))) from None

    def _is_healthy(self, session: requests.Session) -> bool | None:
        self.child.check_running()
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
        environment={
            "AUTH": "true" if enforce_iam else "false",
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "HOME": str(scratch),
            "IOT_MTLS_ENABLED": "0",  # would open port 8883
            "LANG": "C.UTF-8",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(scratch),
        }
        | ({"AWS_ENDPOINT_URL": functions_endpoint} if functions_endpoint else {}),
        working_folder=scratch,
    )
    return Emulator(child, port)


def checked_port(port: int) -> int:
    """Return the port if it is free, or for 0 a free one. Raises StackError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as exc:
            reason = getattr(exc, "strerror", None) or str(exc)
            raise StackError(
                f"port {port} of 127.0.0.1 can't be used: {reason}. End what listens there (perhaps another"
                " `make up`), choose another one with PORT=, or leave it out to get a free one."
            ) from None
        return int(probe.getsockname()[1])

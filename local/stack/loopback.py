"""Servers on 127.0.0.1: free ports, HTTP that passes no proxy, and a bare environment for a process."""

import socket
from dataclasses import dataclass
from pathlib import Path

import requests

from local.stack.processes import Child, StackError


@dataclass(frozen=True)
class LocalServer:
    child: Child
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def http_session() -> requests.Session:
    """Return a session that ignores proxies and ~/.netrc; close it afterwards."""
    session = requests.Session()
    session.trust_env = False
    return session


def bare_environment(home: Path) -> dict[str, str]:
    """Return what a program needs to run, and nothing of this process's environment."""
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(home),
    }


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

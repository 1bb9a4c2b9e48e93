"""The page on loopback: a threaded server in this process, for as long as somebody wants it."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import click
from cheroot.wsgi import Server
from rich.console import Console

from cli.deployment import Deployment
from cli.operating.desk import Desk
from cli.page.app import PageApp
from cli.page.guard import Guard

_HOST = "127.0.0.1"
_THREADS = 8
_MOST_BYTES = 110_000_000  # of a request, before anybody looks at it; MaxTranscriptBytes is less
_TOKEN_BYTES = 24
# What the page works with: boto3 makes clients one after another, and the server has many threads.
_SERVICES = ("dynamodb", "s3", "sqs", "lambda", "secretsmanager", "logs")


@dataclass(frozen=True)
class Page:
    port: int
    token: str = field(repr=False)

    @property
    def address(self) -> str:
        """Return where the page is, with the token, which stays in the browser."""
        return f"http://{_HOST}:{self.port}/#token={self.token}"


@contextmanager
def serving(deployment: Deployment, *, port: int = 0) -> Iterator[Page]:
    """Serve a stack's page until the end of the block; port 0 takes a free one. Raises ClickException."""
    _check_free(port)
    for service in _SERVICES:
        deployment.client(service)
    desk = Desk(deployment=deployment, as_json=True, console=Console(quiet=True))
    guard = Guard(secrets.token_urlsafe(_TOKEN_BYTES))
    server = Server((_HOST, port), PageApp(desk, guard), numthreads=_THREADS, server_name=_HOST)
    server.max_request_body_size = _MOST_BYTES
    server.prepare()
    thread = Thread(target=server.serve, name="page", daemon=True)
    thread.start()
    try:
        yield Page(int(server.bind_addr[1]), guard.token)
    finally:
        server.stop()
        thread.join()


def _check_free(port: int) -> None:
    try:
        socket.create_server((_HOST, port)).close()
    except OSError:
        raise click.ClickException(
            f"port {port} is not free for the page: choose another with --port, or 0 for any"
        ) from None

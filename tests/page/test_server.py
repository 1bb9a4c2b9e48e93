"""The server as `ui` and `make up` run it: on loopback, until its end, for requests of any shape."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import boto3
import click
import pytest

from cli.page import command
from cli.page.guard import TOKEN_HEADER
from cli.page.server import Page, serving
from tests.page.world import World


@pytest.fixture
def page(world: World) -> Iterator[Page]:
    with world.page() as page:
        yield page


def asked(page: Page, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", page.port, timeout=30)
    try:
        connection.request(method, path, headers={TOKEN_HEADER: page.token, **headers})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def sent(page: Page, request: bytes) -> bytes:
    """Send bytes as they are, and no more of them; return the answer."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while read := connection.recv(65_536):
            answer += read
    return answer


def an_upload(page: Page, *headers: str) -> bytes:
    lines = (
        "POST /api/uploads?name=board.txt HTTP/1.1",
        f"Host: 127.0.0.1:{page.port}",
        f"{TOKEN_HEADER}: {page.token}",
        "Connection: close",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_the_address_leads_to_the_page_and_its_token_to_the_jobs(page: Page) -> None:
    parts = urlsplit(page.address)

    assert parts.hostname == "127.0.0.1"
    assert parts.fragment == f"token={page.token}"
    assert asked(page, "GET", "/")[0] == 200
    status, headers, body = asked(page, "GET", "/api/jobs")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert json.loads(body)["jobs"] == []


def test_each_run_has_a_token_of_its_own(world: World) -> None:
    with world.page() as one, world.page() as other:
        assert one.token != other.token
        assert one.token not in repr(one)


def test_a_foreign_host_is_refused(page: Page) -> None:
    assert asked(page, "GET", "/api/jobs", Host="evil.example")[0] == 421


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ((), b"", b"411"),
        (("Content-Length: 0",), b"", b"400"),
        (("Content-Length: 100",), b"Ann: one.", b"400"),
        (("Content-Length: 1000001",), b"", b"413"),
        (("Content-Length: 999999999999",), b"", b"413"),
        (("Content-Length: -1",), b"", b"4"),
        (("Content-Length: many",), b"", b"4"),
    ],
    ids=["no length", "empty", "cut short", "too long", "far too long", "negative", "no number"],
)
def test_an_upload_whose_size_is_not_as_told_is_not_taken(
    page: Page, headers: tuple[str, ...], body: bytes, status: bytes
) -> None:
    answer = sent(page, an_upload(page, *headers) + body)

    assert answer.split(b" ", 2)[1].startswith(status)
    assert boto3.client("s3").list_objects_v2(Bucket="transcripts")["KeyCount"] == 0


def test_an_upload_is_taken_as_a_whole(page: Page) -> None:
    body = b"Ann: one.\n" * 20_000

    answer = sent(page, an_upload(page, f"Content-Length: {len(body)}") + body)

    stored = boto3.client("s3").get_object(Bucket="transcripts", Key="board.txt")
    assert b" 201 " in answer
    assert stored["Body"].read() == body


def test_it_ends_with_its_block(world: World) -> None:
    with world.page() as page:
        port = page.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_that_is_taken_is_told(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(click.ClickException, match=f"port {port} is not free"), serving(
            world.deployment, port=port
        ):  # fmt: skip
            pass


def test_ui_says_where_the_page_is_and_serves_it_until_ctrl_c(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[int] = []

    def interrupted(_: float) -> None:
        answered.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_pause", interrupted)

    told = world.operator.told("ui")
    shown = world.operator.done("ui")

    assert told["stack"] == "a-stack"
    assert told["address"].startswith("http://127.0.0.1:")
    assert "The page of a-stack is at" in shown
    assert "#token=" in shown
    assert len(answered) == 2


def test_ui_opens_a_browser_or_says_that_it_could_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_pause", interrupted)
    monkeypatch.setattr(command.webbrowser, "open", lambda address: bool(opened.append(address)))

    result = world.operator.run("ui", "--open")

    assert len(opened) == 1
    assert "no browser could be opened" in result.output

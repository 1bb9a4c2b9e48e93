"""One signed request, to the address that was checked and nowhere else."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.webhook_receiver import Listening, certificate_for, listening
from webhook_sender.addresses import Address
from webhook_sender.receiver import Receiver, Unreachable, receiver_at

PATH = "/hook/T0KEN-in-the-path"


def anywhere(_: Address) -> bool:
    return True


@pytest.fixture(name="named", scope="module")
def _named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Listening, Receiver]]:
    """A receiver called hooks.example, by a resolver of ours, with a certificate of that name."""
    tls, authorities = certificate_for("hooks.example", tmp_path_factory.mktemp("tls"))
    with listening(tls) as server:
        url = f"https://hooks.example:{server.port}{PATH}?a=1"
        yield (
            server,
            Receiver(url, anywhere, lambda *_: ["127.0.0.1"], authorities=authorities),
        )


def test_it_goes_to_the_checked_address_with_name_and_certificate_of_the_url(
    named: tuple[Listening, Receiver],
) -> None:
    server, receiver = named
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    assert replace(receiver, resolve=resolve).post(b"{}", {"x-a": "b"}) == 204
    got = server.received[-1]
    assert asked == ["hooks.example"]
    assert got.headers["host"] == f"hooks.example:{server.port}"
    assert (got.path, got.body, got.headers["x-a"]) == (f"{PATH}?a=1", "{}", "b")


def test_a_name_that_is_answered_anew_while_it_is_used_leads_nowhere_else(
    named: tuple[Listening, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of a name answers with a public address first, and with a private one a moment later."""
    server, receiver = named
    answers = [["127.0.0.1"], ["127.66.6.6"], ["127.66.6.6"]]
    connected: list[Any] = []
    connect = socket.socket.connect

    def noted(this: socket.socket, address: Any) -> None:
        connected.append(address)
        connect(this, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    rebinding = replace(
        receiver,
        may_be=lambda address: str(address) == "127.0.0.1",  # what is public, here
        resolve=lambda *_: answers.pop(0),
    )

    assert rebinding.post(b"{}", {}) == 204
    assert connected == [("127.0.0.1", server.port)]
    with pytest.raises(Unreachable, match="not public"):
        rebinding.post(b"{}", {})
    assert len(connected) == 1  # the second time nothing was connected to


def test_a_certificate_of_another_name_is_refused(
    named: tuple[Listening, Receiver], tmp_path: Path
) -> None:
    tls, authorities = certificate_for("others.example", tmp_path)
    with listening(tls) as server:
        url = f"https://hooks.example:{server.port}{PATH}"
        receiver = replace(named[1], url=url, authorities=authorities)
        with pytest.raises(Unreachable, match=r"hooks\.example: no TLS"):
            receiver.post(b"{}", {})
        assert server.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    named: tuple[Listening, Receiver],
) -> None:
    server, receiver = named
    before = len(server.received)

    with pytest.raises(Unreachable, match="no TLS"):
        Receiver(receiver.url, anywhere, receiver.resolve).post(b"{}", {})
    assert len(server.received) == before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with listening() as elsewhere, listening() as server:
        server.location = f"http://127.0.0.1:{elsewhere.port}/"
        server.answers = [status]

        assert receiver_at(f"http://127.0.0.1:{server.port}/").post(b"{}", {}) == status
        assert elsewhere.received == []
        assert len(server.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_nothing_goes_to_an_address_that_is_not_public(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(Unreachable, match="leads to an address that is not public"):
        receiver_at(url).post(b"{}", {})


def test_who_takes_no_connection_or_gives_no_answer_is_named_without_the_path() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = replace(receiver_at(f"http://127.0.0.1:{port}{PATH}"), answer_seconds=0.05)
        with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 gave no answer in 0\.05 s$"):
            slow.post(b"{}", {})
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 takes no connection$"):
        slow.post(b"{}", {})


def test_who_breaks_off_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver = receiver_at(f"http://127.0.0.1:{server.getsockname()[1]}{PATH}")

        def resolve(*_: Any) -> list[str]:
            return ["127.0.0.1"]

        def break_off() -> None:
            accepted, _ = server.accept()
            accepted.recv(10)
            accepted.close()

        thread = threading.Thread(target=break_off)
        thread.start()
        with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 broke off"):
            replace(receiver, resolve=resolve).post(b"{}" * 10_000, {})
        thread.join()


def test_another_address_of_a_name_is_tried_where_one_takes_no_connection() -> None:
    with listening() as server:
        url = f"http://several.localhost:{server.port}/"
        receiver = replace(receiver_at(url), resolve=lambda *_: ["127.66.6.6", "127.0.0.1"])

        assert receiver.post(b"{}", {}) == 204

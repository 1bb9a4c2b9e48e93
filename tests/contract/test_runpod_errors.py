"""Which errors of RunPod may have cost a GPU run, which did not, and who has to act."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.errors import (
    RunPodBusy,
    RunPodError,
    RunPodFailed,
    RunPodKeyUnusable,
    RunPodSilent,
    SecretUnusable,
)
from core.runpod.client import HttpRunPod
from tests.contract.test_runpod_client import REQUEST, URL, client


@pytest.fixture
def runpod() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


CHALLENGE = "<!DOCTYPE html><html><title>Just a moment...</title></html>"


class TestARefusal:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (401, "{}"),
            (401, ""),
            (403, '{"error": "forbidden"}'),
            (403, '{"status": 403, "title": "Forbidden", "detail": "no access to this endpoint"}'),
        ],
    )
    def test_of_the_key_by_runpod_itself_is_about_the_key(
        self, runpod: responses.RequestsMock, status: int, body: str
    ) -> None:
        runpod.post(f"{URL}/run", status=status, body=body)

        with pytest.raises(RunPodKeyUnusable, match="RunpodApiKeySecretName"):
            client().run(REQUEST)

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (CHALLENGE, {}),
            ("error code: 1010", {}),
            ("error code: 1020", {}),
            ("", {}),
            ('{"cloudflare_error": true, "error_code": 1010, "status": 403}', {}),
            ("{}", {"cf-mitigated": "challenge"}),
        ],
        ids=["page", "1010", "1020", "empty", "JSON", "header"],
    )
    def test_by_a_proxy_in_front_of_runpod_is_not_blamed_on_the_key(
        self, runpod: responses.RequestsMock, body: str, headers: dict[str, str]
    ) -> None:
        runpod.post(f"{URL}/run", status=403, body=body, headers=headers)

        with pytest.raises(RunPodBusy, match="403"):
            client().run(REQUEST)

    @pytest.mark.parametrize(
        "operation", [lambda it: it.status("rp-1"), lambda it: it.cancel("rp-1")]
    )
    def test_of_the_key_is_recognised_by_every_operation(
        self, runpod: responses.RequestsMock, operation: Callable[[HttpRunPod], object]
    ) -> None:
        for method in ("GET", "POST"):
            for path in ("status", "cancel"):
                runpod.add(method, f"{URL}/{path}/rp-1", status=401)
        runpod.assert_all_requests_are_fired = False

        with pytest.raises(RunPodKeyUnusable):
            operation(client())


class NoKey:
    def value(self) -> str:
        raise SecretUnusable("secret runpod/api-key does not exist")

    refetched = value


@pytest.mark.parametrize(
    "operation",
    [
        lambda it: it.check_key(),
        lambda it: it.run(REQUEST),
        lambda it: it.status("rp-1"),
        lambda it: it.cancel("rp-1"),
    ],
    ids=["check", "run", "status", "cancel"],
)
def test_without_a_key_no_request_is_made_and_the_error_names_the_secret(
    runpod: responses.RequestsMock, operation: Callable[[HttpRunPod], object]
) -> None:
    with pytest.raises(RunPodKeyUnusable, match="runpod/api-key does not exist"):
        operation(HttpRunPod(URL, NoKey()))
    assert len(runpod.calls) == 0


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (requests.exceptions.SSLError("bad record mac"), RunPodSilent),
        (requests.exceptions.ProxyError("broke"), RunPodSilent),
        (requests.exceptions.ChunkedEncodingError("broke"), RunPodSilent),
        (requests.exceptions.ContentDecodingError("broke"), RunPodSilent),
        (requests.ConnectionError("Connection aborted"), RunPodSilent),
        (requests.ReadTimeout("no answer"), RunPodSilent),
    ],
)
def test_what_can_happen_after_the_request_was_read_is_not_free(
    runpod: responses.RequestsMock, failure: Exception, error: type[RunPodError]
) -> None:
    runpod.post(f"{URL}/run", body=failure)

    with pytest.raises(error):
        client().run(REQUEST)
    assert len(runpod.calls) == 1


def test_a_name_that_does_not_resolve_is_free() -> None:
    with pytest.raises(RunPodBusy):
        client(url="https://no-such-host.invalid/v2/e").run(REQUEST)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 524])
def test_a_temporary_error_may_have_cost_something(
    runpod: responses.RequestsMock, status: int
) -> None:
    runpod.post(f"{URL}/run", status=status)

    with pytest.raises(RunPodFailed, match=str(status)):
        client().run(REQUEST)


def test_tls_that_breaks_after_the_request_was_read_is_not_free_and_not_repeated(
    tmp_path: Path,
) -> None:
    certificate = self_signed(tmp_path / "localhost.pem")
    with breaking_off(certificate) as (port, taken):
        runpod = client(url=f"https://localhost:{port}/v2/e")
        runpod._session.verify = str(certificate)
        runpod._session.trust_env = False
        with pytest.raises(RunPodSilent):
            runpod.run(REQUEST)

    assert len(taken) == 1


@contextlib.contextmanager
def breaking_off(certificate: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Serve TLS, read each request, and answer with a damaged record."""
    taken: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return  # the listener was closed: the test is over
            connection = context.wrap_socket(raw, server_side=True)
            taken.append(connection.recv(65_536))
            with socket.socket(fileno=connection.detach()) as bare:
                bare.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], taken
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def self_signed(path: Path) -> Path:
    """Write a certificate of localhost with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(encoding) + private)
    return path

"""The webhook's receiver: one POST to an address that was checked, over TLS for the name in the URL.

Nothing is followed and of the answer only the status is read. No message holds more of the URL than the
host: its path may be a token.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from webhook_sender.addresses import (
    Address,
    AddressRefused,
    Resolve,
    checked_addresses,
    is_public,
    is_this_machine,
    resolved,
)

_CONNECT_SECONDS = 4.0
_ANSWER_SECONDS = 10.0
_MOST_ADDRESSES = 3  # of one host; with the times above that fits the function's


class Unreachable(Exception):
    """There was no answer; the message says why, and can be shown."""


@dataclass(frozen=True)
class Receiver:
    url: str = field(repr=False)
    may_be: Callable[[Address], bool]  # which addresses it may be at
    resolve: Resolve = resolved
    authorities: str = field(default_factory=certifi.where)  # a file of certificates
    connect_seconds: float = _CONNECT_SECONDS
    answer_seconds: float = _ANSWER_SECONDS

    @property
    def host(self) -> str:
        return self._parts.hostname or ""

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer. Raises Unreachable."""
        try:
            addresses = checked_addresses(
                self.host, self._port, may_be=self.may_be, resolve=self.resolve
            )
        except AddressRefused as exc:
            raise Unreachable(str(exc)) from exc
        headers = {**headers, "Host": self._parts.netloc}
        for address in addresses[:_MOST_ADDRESSES]:
            with suppress(NewConnectionError, ConnectTimeoutError):  # nothing was sent
                return self._post(address, body, headers)
        raise Unreachable(f"{self.host} takes no connection")

    def _post(self, address: Address, body: bytes, headers: Mapping[str, str]) -> int:
        path = self._parts.path or "/"
        target = f"{path}?{self._parts.query}" if self._parts.query else path
        pool = self._pool(address)
        try:
            answer = pool.urlopen(
                "POST",
                target,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            answer.close()
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except SSLError as exc:
            raise Unreachable(f"{self.host}: no TLS with it ({_tls_problem(exc)})") from exc
        except ReadTimeoutError as exc:
            waited = f"{self.answer_seconds:g} s"
            raise Unreachable(f"{self.host} gave no answer in {waited}") from exc
        except HTTPError as exc:
            raise Unreachable(f"{self.host} broke off ({type(exc).__name__})") from exc
        finally:
            pool.close()
        return int(answer.status)

    def _pool(self, address: Address) -> HTTPConnectionPool:
        host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004
        timeout = Timeout(connect=self.connect_seconds, read=self.answer_seconds)
        if not self._is_https:
            return HTTPConnectionPool(host, self._port, timeout=timeout)
        return HTTPSConnectionPool(
            host,
            self._port,
            timeout=timeout,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self.authorities,
            server_hostname=self.host,  # the certificate is asked for, and must be, the name's
            assert_hostname=self.host,
        )

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def _is_https(self) -> bool:
        return self._parts.scheme == "https"

    @property
    def _port(self) -> int:
        return self._parts.port or (443 if self._is_https else 80)


def receiver_at(url: str) -> Receiver:
    """Return the receiver of a URL: a public one, or, by plain http, one on this machine alone."""
    return Receiver(url, is_public if urlsplit(url).scheme == "https" else is_this_machine)


def _tls_problem(exc: SSLError) -> str:
    reason = exc.args[0] if exc.args else exc
    return str(getattr(reason, "verify_message", "") or type(reason).__name__)

"""Delivers webhooks as RunPod does: as a Go client, in three attempts; only 200 counts as delivered."""

import asyncio
import logging
import socket
import time
from collections import deque
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from runpod_simulator.clock import Clock
from runpod_simulator.config import Config

_HEADERS = {
    "user-agent": "Go-http-client/2.0",
    "content-type": "application/json",
    "accept-encoding": "gzip",
}

_DELIVERIES_KEPT = 5_000  # bodies hold whole transcripts

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to deliver a webhook."""

    job_id: str
    status: str  # in the body; "null" for a body without one
    attempt: int  # from 1
    at_seconds: float  # RunPod seconds since the simulator started
    host: str
    http_status: int | None  # None: no answer, see `failure`
    failure: str
    took_seconds: float  # real
    body_bytes: int
    url: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def succeeded(self) -> bool:
        return self.http_status == 200  # noqa: PLR2004

    def public(self) -> dict[str, Any]:
        """Leave out the URL and the body, which hold the caller's secrets."""
        return {name: value for name, value in vars(self).items() if name not in {"url", "body"}}


def host_of(url: str) -> str:
    """Return the part of a webhook URL that may be shown: the rest often holds a token."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


class LocalhostResolver(AbstractResolver):
    """Resolves every name under .localhost to this machine (RFC 6761), which not every system does."""

    def __init__(self) -> None:
        self._others = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if not host.rstrip(".").lower().endswith(".localhost"):
            return await self._others.resolve(host, port, family)
        here = ResolveResult(
            hostname=host,
            host="127.0.0.1",
            port=port,
            family=socket.AF_INET,
            proto=0,
            flags=socket.AI_NUMERICHOST,
        )
        return [here]

    async def close(self) -> None:
        await self._others.close()


class WebhookSender:
    def __init__(self, config: Config, clock: Clock) -> None:
        self._gaps_seconds = config.webhook_gaps_seconds
        self._timeout = aiohttp.ClientTimeout(total=config.webhook_timeout_seconds)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Semaphore(config.webhooks_at_once) if config.webhooks_at_once else nullcontext()
        )
        self.deliveries: deque[Delivery] = deque(maxlen=_DELIVERIES_KEPT)

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def deliver(
        self,
        job_id: str,
        url: str,
        status: str,
        body: bytes,
        attempted: asyncio.Event | None = None,
    ) -> bool:
        """Try until one attempt succeeds, with the same body each time; set `attempted` after the first."""
        for attempt, gap_seconds in enumerate((0.0, *self._gaps_seconds), start=1):
            await self._clock.sleep(gap_seconds)
            async with self._turn:
                delivery = await self._attempt(job_id, url, status, body, attempt)
            self.deliveries.append(delivery)
            if attempted:
                attempted.set()
            log.info(
                "webhook of %s (%s) to %s, attempt %d: %s",
                job_id,
                status,
                delivery.host,
                attempt,
                delivery.http_status or delivery.failure,
            )
            if delivery.succeeded:
                return True
        log.warning("webhook of %s given up after %d attempts", job_id, len(self._gaps_seconds) + 1)
        return False

    async def _attempt(
        self, job_id: str, url: str, status: str, body: bytes, attempt: int
    ) -> Delivery:
        at_seconds, began_at = self._clock.now(), time.monotonic()
        http_status, failure = None, ""
        try:
            async with self._open_session().post(
                url,
                data=body,
                headers=_HEADERS,
                skip_auto_headers=("Accept",),
                allow_redirects=False,
            ) as response:
                http_status = response.status
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
            http_status, failure = None, type(exc).__name__  # its text would hold the URL
        return Delivery(
            job_id=job_id,
            status=status,
            attempt=attempt,
            at_seconds=at_seconds,
            host=host_of(url),
            http_status=http_status,
            failure=failure,
            took_seconds=time.monotonic() - began_at,
            body_bytes=len(body),
            url=url,
            body=body,
        )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A kept-alive connection that the receiver has closed would look like a failed delivery.
            connector = aiohttp.TCPConnector(
                resolver=LocalhostResolver(), force_close=True, limit=0
            )
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session

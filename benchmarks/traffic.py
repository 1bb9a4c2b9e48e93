"""Counts what goes to AWS, by who asks and which service: a proxy before the emulator, in a thread."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web

from tests.fakes.served import served

_CHUNK_BYTES = 1 << 20
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade"}


class Traffic:
    """Requests and bytes of bodies, both ways; `who` is "functions" or "worker"."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.requests: Counter[tuple[str, str]] = Counter()
        self.size_bytes: Counter[str] = Counter()

    def of(self, who: str) -> int:
        return sum(count for (asker, _), count in self.requests.items() if asker == who)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        who, service = _asker(request), _service(request)
        self.requests[who, service] += 1
        body = await request.read()
        self.size_bytes[who] += len(body)
        session: aiohttp.ClientSession = request.app[_SESSION]
        async with session.request(
            request.method,
            f"{self._upstream}{request.raw_path}",
            headers=_passed_on(request.headers),
            data=body,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                self.size_bytes[who] += len(chunk)
                await response.write(chunk)
            await response.write_eof()
            return response


_SESSION = web.AppKey("session", aiohttp.ClientSession)


@contextmanager
def counted(upstream: str) -> Iterator[tuple[str, Traffic]]:
    """Return the proxy's origin and what it counts."""
    traffic = Traffic(upstream)
    app = web.Application(client_max_size=1 << 30)
    app.cleanup_ctx.append(_one_session)
    app.router.add_route("*", "/{path:.*}", traffic.pass_on)
    with served(app) as origin:
        yield origin, traffic


async def _one_session(app: web.Application):  # type: ignore[no-untyped-def]
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        app[_SESSION] = session
        yield


def _asker(request: web.Request) -> str:
    is_worker = request.headers.get("User-Agent", "").startswith("transcript-summaries-worker")
    return "worker" if is_worker else "functions"


def _service(request: web.Request) -> str:
    signed = request.headers.get("Authorization") or request.query.get("X-Amz-Credential", "")
    scope = signed.replace("Credential=", "").split("/")
    return scope[3] if len(scope) > 3 else "?"


def _passed_on(headers) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {
        name: value for name, value in headers.items() if name.lower() not in _OF_THE_CONNECTION
    }

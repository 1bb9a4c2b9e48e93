"""What the routes share: the check of the key, and error responses."""

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_bearer(request: web.Request, key: str) -> bool:
    """Accept `Bearer <key>` alone, as the management API does."""
    given = request.headers.get("Authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {key}".encode())


def has_key(request: web.Request, key: str) -> bool:
    """Accept `Bearer <key>` and the bare key, as RunPod does."""
    given = request.headers.get("Authorization", "").encode()
    accepted = (f"Bearer {key}".encode(), key.encode())
    return any([hmac.compare_digest(given, one) for one in accepted])  # noqa: C419 - constant time


def error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def unauthorized() -> web.Response:
    return error(401, "unauthorized")


def server_error() -> web.Response:
    return error(500, "internal server error")

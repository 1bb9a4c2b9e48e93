"""The transcript from its presigned URL, before any GPU work: an order that has expired costs little."""

import time
from collections.abc import Mapping
from io import BytesIO

import requests

from core.runpod.work_order import WorkOrder
from worker.errors import WorkerError
from worker.http import CONNECT_SECONDS, MOST_TRIES, Sleep, may_be_called, new_session, pause

_SILENCE_SECONDS = 60  # between two pieces of the answer
_CHUNK_BYTES = 1 << 20
_CODES: Mapping[int, str] = {
    400: "fetch-expired",  # S3 on a token whose session has ended
    401: "fetch-expired",
    403: "fetch-expired",
    404: "deleted",
    412: "replaced",
}
_MAY_COME_RIGHT = frozenset({408, 429})


class _BrokenOff(Exception):
    """Another try may help."""


def fetch(order: WorkOrder, *, most_bytes: int, sleep: Sleep = time.sleep) -> bytes:
    """Return the transcript's bytes, as many as the work order says. Raises WorkerError."""
    if not may_be_called(order.get_url):
        raise WorkerError(
            "bad-work-order", "the transcript's URL is neither https nor of this machine"
        )
    if order.size_bytes > most_bytes:
        raise _too_large(order.size_bytes, most_bytes)
    with new_session() as session:
        for tries in range(1, MOST_TRIES + 1):
            try:
                return _fetched(session, order, most_bytes)
            except (_BrokenOff, requests.RequestException) as exc:
                why = type(exc).__name__
            if tries < MOST_TRIES:
                pause(tries, sleep=sleep)
    raise WorkerError("fetch-failed", f"{MOST_TRIES} tries, at last {why}")


def _fetched(session: requests.Session, order: WorkOrder, most_bytes: int) -> bytes:
    # Without a coding of the way's own, what comes is what was uploaded: a .gz too, byte for byte.
    headers = {**order.get_headers, "Accept-Encoding": "identity"}
    with session.get(
        order.get_url,
        headers=headers,
        stream=True,
        allow_redirects=False,
        timeout=(CONNECT_SECONDS, _SILENCE_SECONDS),
    ) as answer:
        _raise_unless_ok(answer.status_code)
        body = BytesIO()  # which hands over what it holds without a copy
        # Read raw: an object stored with a Content-Encoding must not be unpacked here, unbounded.
        while chunk := _read(answer):
            body.write(chunk)
            if body.tell() > most_bytes:
                raise _too_large(body.tell(), most_bytes)
        size_bytes = body.tell()
    if order.size_bytes and size_bytes != order.size_bytes:
        raise WorkerError("replaced", f"{size_bytes} bytes came, {order.size_bytes} were announced")
    return body.getvalue()


def _read(answer: requests.Response) -> bytes:
    try:
        return bytes(answer.raw.read(_CHUNK_BYTES, decode_content=False))
    except Exception as exc:  # urllib3 has a dozen for a connection that breaks
        raise _BrokenOff from exc


def _raise_unless_ok(status: int) -> None:
    if status == requests.codes.ok:
        return
    if status >= requests.codes.internal_server_error or status in _MAY_COME_RIGHT:
        raise _BrokenOff
    # Anything else, a redirect too, is no answer that S3 gives to a good URL.
    raise WorkerError(_CODES.get(status, "fetch-failed"), f"HTTP {status}")


def _too_large(size_bytes: int, most_bytes: int) -> WorkerError:
    return WorkerError(
        "too-large", f"{size_bytes} bytes or more; MAX_TRANSCRIPT_BYTES is {most_bytes}"
    )

"""The soak's proxy: what it lets through is what the emulator said."""

from collections.abc import Iterator

import pytest
import requests
from aiohttp import web

from local.stack.faults import FaultProxy, start_fault_proxy
from local.stack.processes import Processes
from tests.fakes.served import served

OBJECT_BYTES = 4_711
_LONGEST_SECONDS = 120  # its first request makes it read what AWS has for operations


def emulator() -> web.Application:
    """Answer as S3 does to a look at an object, and give back what is put."""

    async def answer(request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return web.Response(headers={"Content-Length": str(OBJECT_BYTES)})
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_route("*", "/{key:.*}", answer)
    return app


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    with served(emulator()) as upstream, Processes() as processes:
        proxy = start_fault_proxy(processes, upstream=upstream)
        proxy.wait_until_ready()
        yield proxy


def test_an_answer_to_head_says_how_long_the_object_is(proxy: FaultProxy) -> None:
    answer = requests.head(f"{proxy.url}/transcripts/board.txt", timeout=_LONGEST_SECONDS)

    assert answer.headers["Content-Length"] == str(OBJECT_BYTES)


@pytest.mark.parametrize("size_bytes", [0, 3, 300_000])
def test_a_body_passes_both_ways_unchanged(proxy: FaultProxy, size_bytes: int) -> None:
    body = b"x" * size_bytes

    answer = requests.put(f"{proxy.url}/transcripts/board.txt", data=body, timeout=_LONGEST_SECONDS)

    assert (answer.status_code, answer.content) == (200, body)

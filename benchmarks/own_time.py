"""How much of a processor one request of the sweeper takes: to RunPod, to DynamoDB, and per item read.

Against a server in a process of its own that answers at once, over kept connections without TLS (what
encrypting some hundred bytes costs is lost in the noise; a handshake, which is not, is what keeping
connections saves). The least of several times: whatever else the machine does only adds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from botocore.session import get_session

from benchmarks.answering import answering
from core import wiring
from core.aws.job_store import DynamoJobStore
from core.runpod.client import HttpRunPod

_TIMES, _BATCHES = 240, 12
_AT_ONCE = 100  # items in one BatchGetItem


@dataclass(frozen=True)
class OwnSeconds:
    """Seconds of a processor."""

    poll: float  # one GET /status
    write: float  # one UpdateItem of a call
    read: float  # one item of a BatchGetItem of a hundred


@cache
def own_seconds() -> OwnSeconds:
    with answering(_AT_ONCE, is_patient=False) as address:
        store, runpod = store_at(address), runpod_at(address)
        keys = [(f"{number:032x}", "1-0") for number in range(_AT_ONCE // 2)]
        calls = [store.load(*keys[0])[1]]
        with runpod.keeping_connections():
            return OwnSeconds(
                poll=_least(lambda: runpod.status("rp-1")),
                write=_least(lambda: calls.append(store.save_call(calls[-1]))),
                read=_least(lambda: store.load_many(keys)) / _AT_ONCE,
            )


def _least(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(_BATCHES):
        begun = time.process_time()
        for _ in range(_TIMES // _BATCHES):
            work()
        taken.append((time.process_time() - begun) / (_TIMES // _BATCHES))
    return min(taken)


def store_at(address: str) -> DynamoJobStore:
    """Return the store over a client such as the functions', which asks at an address."""
    client = get_session().create_client(
        "dynamodb",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - nobody looks
        config=wiring._CONFIG,  # noqa: SLF001
    )
    return DynamoJobStore(client, "jobs")


def runpod_at(address: str) -> HttpRunPod:
    return HttpRunPod(address, _Key())


class _Key:
    def value(self) -> str:
        return "a-key"

    refetched = value

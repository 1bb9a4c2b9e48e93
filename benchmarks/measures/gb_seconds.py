"""Billed Lambda GB-seconds of a job, beside a Lambda that polls while the GPU writes.

    python -m benchmarks gb_seconds

The CPU of each invocation is measured, warm, from the built artifacts; what it waits for is counted in
requests, each as long as benchmarks/virtual_time.py supposes. A function of N MB has N/1769 of a CPU. The
poller is a function of our smallest size, as quick with its requests, billed until the GPU is done.
"""

import json
import math
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.costs.usage import latency
from benchmarks.figures import Figure
from benchmarks.functions import recording
from benchmarks.functions.artifacts import Built, built, memory_sizes_mb
from benchmarks.functions.processes import run
from benchmarks.functions.recording import Invocation
from benchmarks.functions.stand_in import standing_in
from benchmarks.peers.polling import Polling
from benchmarks.virtual_time import NEW_CONNECTION_SECONDS, RUNPOD_SECONDS, S3_SECONDS
from submitter.dispatch import AT_ONCE
from tests.fakes.lambda_events import s3_notification

GPU_SECONDS = (30, 120, 600)
JOBS_A_DAY = 1_000  # which share the sweeps
SWEEPS_A_DAY = 720  # of SweepScheduleMinutes: 2
POLLER_MB = 512
_WHOLE_CPU_MB = 1_769
_TIMES = 15
_RUN_SECONDS = RUNPOD_SECONDS + NEW_CONNECTION_SECONDS


def figures() -> list[Figure]:
    sweep = recording.sweep()
    artifacts = built()
    with tempfile.TemporaryDirectory() as folder:
        share = _billed(artifacts, sweep, Path(folder)) * SWEEPS_A_DAY / JOBS_A_DAY
        told = []
        for name, environment in (("of one call", recording.ONE_CALL), ("of 10,000 words", {})):
            job = recording.job(10_000, **environment)
            ours = share + _of_job(artifacts, job, Path(folder), environment)
            told += [
                _figure(name, ours, gpu_seconds, invocations=len(job))
                for gpu_seconds in GPU_SECONDS
            ]
    return told


def _figure(job: str, ours: float, gpu_seconds: int, *, invocations: int) -> Figure:
    poller = polling_gb_seconds(gpu_seconds)
    note = (
        f"{invocations} invocations and a share of the sweeps at {JOBS_A_DAY:,} jobs a day;"
        f" of a poller of 128 MB, {poller * 128 / POLLER_MB:.1f} GB-s"
    )
    return Figure(group="Functions", name=f"a job {job}, GPU {gpu_seconds} s: the poller's GB-s",
                  value=poller, unit="GB-s", beside="ours", beside_value=ours,
                  least=100 if gpu_seconds == 120 else None, note=note)  # fmt: skip


def _of_job(
    artifacts: Built, job: Sequence[Invocation], folder: Path, environment: dict[str, str]
) -> float:
    """Add up the invocations of a job; callbacks that ask the same of AWS are measured once."""
    billed: dict[tuple[str, ...], float] = {}
    total = 0.0
    for each in job:
        kind = (each.function, str(each.requests_to_runpod), *_asked(each))
        if kind not in billed:
            billed[kind] = _billed(artifacts, each, folder, **environment)
        total += billed[kind]
    return total


def _asked(invocation: Invocation) -> list[str]:
    return [each.operation for each in invocation.exchanges if each.service != "secretsmanager"]


def _billed(artifacts: Built, invocation: Invocation, folder: Path, **environment: str) -> float:
    with standing_in(invocation.exchanges) as origin:
        told = run(artifacts, invocation, folder, origin, times=_TIMES, **environment)
    size_mb = memory_sizes_mb()[invocation.function]
    cpu = statistics.median(cpu for _, cpu in told.ours) / min(1, size_mb / _WHOLE_CPU_MB)
    rounds_of_runpod = math.ceil(invocation.requests_to_runpod / AT_ONCE)
    waits = sum(
        latency(f"{each.service}.{each.operation}")
        for each in invocation.exchanges
        if each.service != "secretsmanager"
    )
    return (cpu + waits + rounds_of_runpod * _RUN_SECONDS) * size_mb / 1_024


@dataclass
class _Clock:
    """RunPod and S3 as the poller sees them; time passes as it asks and sleeps."""

    gpu_seconds: float
    now: float = 0.0
    stored: dict[str, bytes] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def get_object(self, _bucket: str, _key: str) -> bytes:
        self.sleep(S3_SECONDS)
        return b"words"

    def put_object(self, key: str, body: bytes) -> None:
        self.sleep(S3_SECONDS)
        self.stored[key] = body

    def run(self, request: Any) -> str:
        self.sleep(_RUN_SECONDS)
        return str(len(json.dumps(request)))

    def status(self, _request_id: str) -> dict[str, str]:
        self.sleep(_RUN_SECONDS)
        done = self.now >= self.gpu_seconds
        return {"status": "COMPLETED", "output": "words"} if done else {"status": "IN_PROGRESS"}


def polling_gb_seconds(gpu_seconds: float, size_mb: int = POLLER_MB) -> float:
    """Return what the poller is billed for, with as many polls as it needs."""
    clock = _Clock(gpu_seconds)
    poller = Polling(
        get_object=clock.get_object,
        put_object=clock.put_object,
        run=clock.run,
        status=clock.status,
        sleep=clock.sleep,
        max_polling_attempts=10_000,
    )
    poller.handler(s3_notification("board.txt", "etag"))
    return clock.now * size_mb / 1_024

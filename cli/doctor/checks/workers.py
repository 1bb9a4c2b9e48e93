"""RunPod's endpoint: whether a worker can ever run, and how many do."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cli.doctor.readings import NotRead, Readings
from cli.doctor.registry import Trouble, check, doubtful, wrong

# After three days without a request RunPod lowers the most workers to 2, after seven to 0; they stay so.
_LOWERED_AFTER, _STOPPED_AFTER, _LOWERED_TO = timedelta(days=3), timedelta(days=7), 2
_USUAL_WORKERS = 3
_REQUESTS_OF_A_SUMMARY = 8  # sections that are asked for at once


@check("workers-max")
def workers_max(readings: Readings) -> Iterator[Trouble]:
    workers = _part(readings, "workers")
    if "max" not in workers:
        return
    most, idle = int(workers["max"]), _idle_for(readings)
    fix = "`endpoint apply`, or raise max workers in RunPod's console; what waits then runs"
    if most == 0 and idle is not None and idle >= _STOPPED_AFTER:
        yield wrong(
            f"max workers is 0, by RunPod's idle rule: no job for {idle.days} days, and after seven RunPod"
            " sets it so. Requests are taken and wait for ever",
            fix,
        )
    elif most == 0:
        yield wrong("max workers is 0: requests are taken and wait for ever", fix)
    elif most == _LOWERED_TO < _wanted_workers(readings) and idle and idle >= _LOWERED_AFTER:
        yield doubtful(
            f"max workers is {most}, by RunPod's idle rule: no job for {idle.days} days", fix
        )


@check("requests-stuck")
def requests_stuck(readings: Readings) -> Iterator[Trouble]:
    """What /health alone shows, and the stack's own key may read."""
    workers, waiting = readings.health.workers, int(readings.health.jobs.get("inQueue", 0))
    alive = sum(
        int(workers.get(state, 0)) for state in ("idle", "initializing", "ready", "running")
    )
    throttled, unhealthy = int(workers.get("throttled", 0)), int(workers.get("unhealthy", 0))
    if alive:
        return
    if throttled:
        yield wrong(
            f"{throttled} workers wait for a free GPU and none runs: the endpoint's GPU pools have no"
            " capacity",
            "allow more pools (`endpoint apply --pool A --pool B`), or more data centres",
        )
    elif unhealthy:
        yield wrong(
            f"{unhealthy} workers are unhealthy and none runs: the image or the model can't start",
            "see the workers' logs in RunPod's console: out of memory, a gated model, a wrong image",
        )
    elif waiting:
        yield wrong(
            f"{waiting} requests wait at RunPod and there is no worker",
            "see `endpoint drift`: max workers 0, no capacity, or no balance on the account",
        )


@check("gpu-capacity")
def gpu_capacity(readings: Readings) -> Iterator[Trouble]:
    pools = list(_part(readings, "gpu").get("pools", []))
    known = {pool: readings.stock[pool] for pool in pools if pool in readings.stock}
    if pools and known and len(known) == len(pools) and set(known.values()) == {"NONE"}:
        yield wrong(
            f"RunPod has no free GPU in {', '.join(pools)} at the moment: a worker can't start",
            "allow more pools (`endpoint apply --pool A --pool B`), or wait",
        )


@check("scaling")
def scaling(readings: Readings) -> Iterator[Trouble]:
    chosen = _part(readings, "scaling")
    count = int(chosen.get("requestCount", 0) or 0)
    if chosen.get("type") == "REQUEST_COUNT" and count < _REQUESTS_OF_A_SUMMARY:
        yield doubtful(
            f"the endpoint scales by the number of requests, {count} for each worker: a summary asks for"
            " its sections at once, and each starts a cold, billed worker that one running worker"
            " would batch",
            "`endpoint apply`, which scales by queue delay",
        )


@check("flashboot")
def flashboot(readings: Readings) -> Iterator[Trouble]:
    endpoint = readings.endpoint
    if endpoint is not None and endpoint.get("flashboot", "OFF") == "OFF":
        yield doubtful(
            "FlashBoot is off: each cold start loads the whole model again, billed",
            "`endpoint apply` switches it on",
        )


def _part(readings: Readings, name: str) -> Mapping[str, Any]:
    part = (readings.endpoint or {}).get(name)
    return part if isinstance(part, Mapping) else {}


def _idle_for(readings: Readings) -> timedelta | None:
    """How long the endpoint had nothing to do, as far as this stack knows; None if nobody knows."""
    try:
        jobs = readings.jobs
    except NotRead:  # then the reason is not known, but zero is zero
        return None
    return jobs.read_at - jobs.newest_at if jobs.newest_at else None


def _wanted_workers(readings: Readings) -> int:
    return int(readings.endpoint_choices.get("workers_max", _USUAL_WORKERS))

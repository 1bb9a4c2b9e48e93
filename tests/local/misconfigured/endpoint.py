"""RunPod's endpoint, changed as by hand, and its GPUs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.local.misconfigured.world import (
    World,
    newest_job,
    planted,
)


def changed(what: str, found_by: str, **body: Any) -> None:
    """A change of the endpoint by hand, which is undone by the opposite one."""

    @planted(what, found_by)
    def change(world: World) -> Iterator[None]:
        before = world.change_endpoint(**body)
        yield
        world.change_endpoint(**{name: before[name] for name in body})


_MODEL = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"
changed("max workers is zero", "workers-max", workers={"max": 0})
changed("FlashBoot is off", "flashboot", flashboot="OFF")
changed("the endpoint's timeout is 0", "endpoint-timeout", timeout=0)
changed(
    "the context is smaller than the stack's",
    "context",
    env={"MODEL_NAME": _MODEL, "MAX_MODEL_LEN": "16384"},
)
changed(
    "another model is served",
    "model-name",
    env={"MODEL_NAME": "some/other-model", "MAX_MODEL_LEN": "32768"},
)
changed("the worker image is of 2024", "worker-image", image="runpod/worker-v1-vllm:v1.9.0stable")


@planted("RunPod's idle rule set max workers to zero", "workers-max")
def idle_rule(world: World) -> Iterator[None]:
    before = world.change_endpoint(workers={"max": 0})
    with newest_job(world, timedelta(days=8)):
        yield
    world.change_endpoint(workers=before["workers"])


@planted("every request starts a worker", "scaling")
def request_count(world: World) -> Iterator[None]:
    before = world.change_endpoint(scaling={"type": "REQUEST_COUNT", "requestCount": 1})
    yield
    world.change_endpoint(scaling=before["scaling"], workers=before["workers"])


@planted("no GPU of the pools is free", "gpu-capacity")
def no_stock(world: World) -> Iterator[None]:
    world.simulator.set_stock(ADA_80_PRO="NONE")
    yield
    world.simulator.set_stock()


@planted("workers wait for a GPU", "requests-stuck")
def throttled(world: World) -> Iterator[None]:
    world.simulator.show_workers(idle=0, ready=0, running=0, throttled=2)
    yield
    world.simulator.show_workers()

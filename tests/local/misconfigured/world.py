"""The stack, the simulator, and what is planted in them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from cli.deployment import Deployment
from cli.doctor.gather import gather
from cli.doctor.readings import Readings
from cli.doctor.registry import REGISTRY, Report, examined
from cli.doctor.runpod import Reach
from core.jobs.job import JobState
from local.stack.stack import LocalStack
from runpod_simulator import Simulator
from tests.builders import JOB_ID, a_job

API_KEY = "local-key-of-one-endpoint-4711"
MANAGEMENT_KEY = "local-key-of-the-account-4712"
OWN, GIVEN = "own", "given"  # the stack with buckets of its own, and that with the user's
FUNCTIONS = ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction")
ADDRESS = "ops@example.org"

Plant = Callable[["World"], AbstractContextManager[None]]


@dataclass
class World:
    stack: LocalStack
    given: Deployment
    simulator: Simulator
    monkeypatch: pytest.MonkeyPatch
    reach: Reach = field(init=False)
    recorded: dict[str, Any] = field(default_factory=dict)  # readings as they would be elsewhere

    def __post_init__(self) -> None:
        self.reach = Reach(
            management_url=self.simulator.origin,
            management_key=MANAGEMENT_KEY,
            answer_seconds=60,  # on a machine that does much else
        )

    def readings(self, on: str = OWN) -> Readings:
        deployment = self.stack if on == OWN else self.given
        return gather(deployment, self.reach, {}).having(**self.recorded)

    def report(self, on: str = OWN) -> Report:
        return examined(self.readings(on), REGISTRY.checks)

    def client(self, service: str) -> Any:
        return self.stack.client(service)

    def output(self, name: str) -> str:
        return self.stack.outputs[name]

    def change_endpoint(self, **body: Any) -> dict[str, Any]:
        """What somebody does in RunPod's console; returns the endpoint as it was."""
        url = f"{self.simulator.origin}/v2/serverless/{self.simulator.config.endpoint}"
        headers = {"Authorization": f"Bearer {MANAGEMENT_KEY}"}
        before = requests.get(url, headers=headers, timeout=20).json()
        answer = requests.patch(url, json=body, headers=headers, timeout=20)
        assert answer.ok, answer.text
        return dict(before)


@dataclass(frozen=True)
class Misconfiguration:
    plant: Plant
    found_by: frozenset[str]
    on: str


PLANTED: dict[str, Misconfiguration] = {}


def planted(
    what: str, *found_by: str, on: str = OWN
) -> Callable[[Callable[..., Iterator[None]]], Callable[..., Iterator[None]]]:
    def add(function: Callable[..., Iterator[None]]) -> Callable[..., Iterator[None]]:
        assert what not in PLANTED
        PLANTED[what] = Misconfiguration(contextmanager(function), frozenset(found_by), on)
        return function

    return add


@contextmanager
def environment(
    world: World, *, of: tuple[str, ...] = FUNCTIONS, **variables: str
) -> Iterator[None]:
    functions, before = world.client("lambda"), {}
    for output in of:
        name = world.output(output)
        held = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        before[name] = held
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**held, **variables}}
        )
    yield
    for name, held in before.items():
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": held})


@contextmanager
def reserved(world: World, output: str, executions: int) -> Iterator[None]:
    functions, name = world.client("lambda"), world.output(output)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=executions)
    yield
    functions.delete_function_concurrency(FunctionName=name)


@contextmanager
def newest_job(world: World, age: timedelta) -> Iterator[None]:
    now = datetime.now(UTC)
    job = a_job(
        state=JobState.FAILED,
        reason_code="deadline",
        created_at=now - age,
        finished_at=now - age,
        expires_at=now + timedelta(days=9),
    )
    world.stack.store.create(job, [])
    yield
    world.client("dynamodb").delete_item(
        TableName=world.output("JobsTable"), Key={"job_id": {"S": JOB_ID}, "item": {"S": "job"}}
    )


def physical(world: World, logical: str) -> str:
    """Return the name, or the end of the ARN, that a resource of the given stack has."""
    name = world.readings(GIVEN).stack.resources[logical]
    return name.rsplit("/", 1)[-1]

"""The doctor before a stack in order, and before each of some forty that are not.

A stack of its own: it is bent in every way, and what other tests leave in theirs would be found.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.doctor import checks as _all  # noqa: F401 - fills the registry
from local.stack import needs
from local.stack.setup import Setup
from local.stack.simulator import RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from runpod_simulator import Config, Simulator, running_simulator
from tests.local.misconfigured import (
    ADDRESS,
    API_KEY,
    GIVEN,
    MANAGEMENT_KEY,
    OWN,
    PLANTED,
    World,
)

SIMULATOR = Config(api_key=API_KEY, management_key=MANAGEMENT_KEY, management_per_minute=10_000)
PARAMETERS = {"SweepScheduleMinutes": "5"}
GIVEN_BUCKETS = {"InputBucketName": "the-users-talks", "OutputBucketName": "the-users-summaries"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator(SIMULATOR) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def stack(simulator: Simulator) -> Iterator[LocalStack]:
    missing = needs.missing(needs.emulator_python())
    if missing:
        pytest.fail("\n".join(["the local stack's tests need:", *missing]), pytrace=False)
    runpod = RunPodEndpoint(simulator.url, API_KEY)
    with local_stack(Setup(runpod=runpod, parameters=PARAMETERS)) as stack:
        yield stack


@pytest.fixture(scope="module")
def world(stack: LocalStack, simulator: Simulator) -> Iterator[World]:
    s3 = stack.client("s3")
    for bucket in GIVEN_BUCKETS.values():
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=GIVEN_BUCKETS["InputBucketName"],
        NotificationConfiguration={"EventBridgeConfiguration": {}},
    )
    parameters = {**PARAMETERS, **GIVEN_BUCKETS, "AlarmEmail": ADDRESS}
    with (
        closing(stack.deploy_another("doctor-given", parameters)) as given,
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        world = World(stack, given, simulator, monkeypatch)
        yield world
        for on in (OWN, GIVEN):  # everything was undone
            assert world.report(on).findings == ()


def run(world: World, *options: str) -> Result:
    port = urlsplit(world.stack.endpoint_url).port
    return CliRunner().invoke(
        main,
        ["doctor", "--stack", "local", *options],
        env={"LOCAL_PORT": str(port), "RUNPOD_API_KEY": MANAGEMENT_KEY},
    )


@pytest.mark.parametrize("on", [OWN, GIVEN])
def test_nothing_is_found_on_a_stack_in_order(world: World, on: str) -> None:
    report = world.report(on)

    assert report.findings == ()
    assert report.unchecked == ()


@pytest.mark.parametrize("what", PLANTED)
def test_a_misconfiguration_is_found_and_nothing_else(world: World, what: str) -> None:
    misconfiguration = PLANTED[what]
    with misconfiguration.plant(world):
        found = world.report(misconfiguration.on).findings

    assert {each.check for each in found} == misconfiguration.found_by


def test_the_command_tells_a_script_what_is_wrong(world: World) -> None:
    with PLANTED["the sweep is switched off"].plant(world):
        sick = run(world, "--json", "--skip", "webhook-answers")
    well = run(world, "--json", "--skip", "webhook-answers")

    assert (sick.exit_code, well.exit_code) == (1, 0)
    (error,) = json.loads(sick.stdout)["errors"]
    assert error["check"] == "sweep-schedule"
    assert json.loads(well.stdout)["is_healthy"] is True


def test_the_command_tells_no_secret(world: World) -> None:
    with PLANTED["max workers is zero"].plant(world):
        told = run(world).output + run(world, "--json").output

    assert API_KEY not in told
    assert MANAGEMENT_KEY not in told

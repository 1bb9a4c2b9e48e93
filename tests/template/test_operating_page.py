"""What docs/operating.md says about stopping can be done as it stands there."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import jmespath
import pytest
from moto import mock_aws

from core.aws.secrets import ManagedCallbackSecrets
from tests.template.cloudformation import ROOT, deployed, of_type

PAGE = (ROOT / "docs" / "operating.md").read_text()
STOPPING = PAGE.split("## Stopping everything")[1].split("\n## ")[0]


@pytest.fixture(name="scheduler")
def _scheduler() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("scheduler", region_name="us-east-1")
        (schedule,) = of_type(deployed(), "AWS::Scheduler::Schedule").values()
        arn = "arn:aws:lambda:us-east-1:123456789012:function:sweeper"
        role = "arn:aws:iam::123456789012:role/sweep"
        target = schedule["Target"] | {"Arn": arn, "RoleArn": role}
        client.create_schedule(Name="STACK-SweepSchedule-1", **schedule | {"Target": target})
        yield client


def queries(command: str) -> list[str]:
    return re.findall(rf"{command} .*--query '([^']+)'", STOPPING)


def test_the_sweep_is_stopped_and_started_by_the_commands_of_the_page(scheduler: Any) -> None:
    (names_query,), (query,) = queries("list-schedules"), queries("get-schedule")
    listed = scheduler.list_schedules(NamePrefix="STACK-SweepSchedule")
    (name,) = jmespath.search(names_query, listed)
    before = scheduler.get_schedule(Name=name)

    for wanted in ("DISABLED", "ENABLED"):
        stop = jmespath.search(query.replace("DISABLED", wanted), scheduler.get_schedule(Name=name))
        scheduler.update_schedule(**json.loads(json.dumps(stop)))
        after = scheduler.get_schedule(Name=name)
        assert after["State"] == wanted
        for kept in ("ScheduleExpression", "FlexibleTimeWindow", "Target"):
            assert after[kept] == before[kept]


def test_the_queue_is_paused_by_its_mapping_and_not_by_concurrency() -> None:
    commands = re.findall(r"^aws .*", STOPPING, re.M)

    assert "update-event-source-mapping --uuid UUID --no-enabled" in STOPPING
    assert "update-event-source-mapping --uuid UUID --enabled" in STOPPING
    assert not any("concurrency" in command for command in commands)


def test_the_page_gives_the_retention_of_waiting_messages() -> None:
    queue = deployed()["UploadQueue"]["Properties"]

    assert f"{queue['MessageRetentionPeriod'] // 86400} days" in STOPPING
    assert "30 minutes" in STOPPING


def test_every_page_on_rotation_announces_a_new_secret_before_using_it() -> None:
    rotation = PAGE.split("## Rotating the callback secret")[1].split("\n## ")[0]
    docstring = ManagedCallbackSecrets.__doc__ or ""

    assert rotation.index('"previous": "NEW"') < rotation.index('"current": "NEW"')
    assert re.search(r"announce the\s+new secret as `previous` first", docstring)
    assert "docs/operating.md" in docstring

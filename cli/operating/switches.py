"""The two switches of a stack: what feeds the submitter from its queue, and the schedule of the sweep.

The submitter's reserved concurrency is no switch: at 0, messages would still be delivered and returned, and
after five times they would be dead letters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.deployment import Deployment

_OFF = frozenset({"Disabled", "Disabling", "DISABLED"})
_BUSY = "ResourceInUseException"
# What GetSchedule says and UpdateSchedule does not take. All else has to be given again, or it is lost.
_NOT_GIVEN_BACK = frozenset({"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"})


class SwitchGone(Exception):
    """A switch does not exist. The message says which, and what to do."""


class SwitchBusy(Exception):
    """AWS is still at the last change."""


@dataclass(frozen=True, kw_only=True)
class Switch:
    name: str
    is_on: bool
    changed_at: datetime | None
    turn: Callable[[bool], None] = field(repr=False, compare=False)


def queue_switch(deployment: Deployment) -> Switch:
    """Return the event source mapping of the submitter and its queue. Raises SwitchGone, ClientError."""
    client = deployment.client("lambda")
    queue = deployment.outputs["UploadQueueUrl"].rsplit("/", 1)[-1]
    listed = client.list_event_source_mappings(
        FunctionName=deployment.outputs["SubmitterFunction"]
    )["EventSourceMappings"]
    found = [each for each in listed if each["EventSourceArn"].rsplit(":", 1)[-1] == queue]
    if not found:
        raise SwitchGone("nothing feeds the submitter from its queue; `doctor` says what to do")
    mapping = found[0]

    def turn(is_on: bool) -> None:
        try:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=is_on)
        except ClientError as exc:
            if exc.response["Error"]["Code"] == _BUSY:
                raise SwitchBusy(
                    "Lambda is still at the last change of the queue's switch"
                ) from None
            raise

    return Switch(
        name="queue",
        is_on=mapping.get("State") not in _OFF,
        changed_at=_time(mapping.get("LastModified")),
        turn=turn,
    )


def sweep_switch(deployment: Deployment) -> Switch:
    """Return the schedule of the sweeper. Raises SwitchGone, ClientError."""
    client = deployment.client("scheduler")
    resource = deployment.client("cloudformation").describe_stack_resource(
        StackName=deployment.stack_name, LogicalResourceId="SweepSchedule"
    )["StackResourceDetail"]
    name = resource["PhysicalResourceId"].rsplit("/", 1)[-1]
    try:
        schedule = client.get_schedule(Name=name)
    except client.exceptions.ResourceNotFoundException:
        raise SwitchGone("the schedule of the sweep is gone; `doctor` says what to do") from None
    kept = {name: value for name, value in schedule.items() if name not in _NOT_GIVEN_BACK}

    def turn(is_on: bool) -> None:
        client.update_schedule(**{**kept, "State": "ENABLED" if is_on else "DISABLED"})

    return Switch(
        name="sweep",
        is_on=schedule["State"] not in _OFF,
        changed_at=_time(schedule.get("LastModificationDate")),
        turn=turn,
    )


def switched_off(deployment: Deployment) -> list[Switch] | None:
    """Return the switches that are off; None where they may not be read."""
    off = []
    for switch_of in (queue_switch, sweep_switch):
        try:
            switch = switch_of(deployment)
        except SwitchGone:
            continue  # `doctor` says so
        except ClientError:
            return None
        if not switch.is_on:
            off.append(switch)
    return off


def _time(told: Any) -> datetime | None:
    return told if isinstance(told, datetime) else None  # an emulator may say something else

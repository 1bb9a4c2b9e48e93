"""The sweep, dead letters, the TTL, alarms, clocks."""

import json
from collections.abc import Iterator
from datetime import timedelta

from tests.local.misconfigured.world import (
    ADDRESS,
    GIVEN,
    World,
    newest_job,
    physical,
    planted,
)


@planted("the sweep is switched off", "sweep-schedule")
def no_sweep(world: World) -> Iterator[None]:
    scheduler = world.client("scheduler")
    name = world.readings().stack.resources["SweepSchedule"].rsplit("/", 1)[-1]
    found = scheduler.get_schedule(Name=name)
    kept = {
        field: found[field]
        for field in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
    }
    scheduler.update_schedule(**kept, State="DISABLED")
    yield
    scheduler.update_schedule(**kept, State="ENABLED")


@planted("there is a dead letter", "dead-letters")
def dead_letter(world: World) -> Iterator[None]:
    sqs, url = world.client("sqs"), world.output("UploadDeadLetterQueueUrl")
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": []}))
    yield
    sqs.purge_queue(QueueUrl=url)


@planted("a notice is in the dead end", "notices-told")
def dead_notice(world: World) -> Iterator[None]:
    sqs, url = world.client("sqs"), world.output("NoticeDeadEndUrl")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=url)


@planted("the table's TTL is off", "table-ttl")
def no_ttl(world: World) -> Iterator[None]:
    dynamodb, table = world.client("dynamodb"), world.output("JobsTable")
    for is_on in (False, True):
        dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": is_on, "AttributeName": "expires_at"},
        )
        if not is_on:
            yield


@planted("records outlive their time", "records-expire")
def old_record(world: World) -> Iterator[None]:
    with newest_job(world, timedelta(days=120)):
        yield


@planted("the alarm mail was unsubscribed", "alarm-mail", on=GIVEN)
def unsubscribed(world: World) -> Iterator[None]:
    sns, topic = world.client("sns"), physical(world, "AlarmTopic")
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    yield
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)


@planted("recorded: nobody confirmed the alarm mail", "alarm-mail", on=GIVEN)
def unconfirmed(world: World) -> Iterator[None]:  # the emulator confirms addresses by itself
    world.recorded = {"subscriptions": {ADDRESS: False}}
    yield
    world.recorded = {}


@planted("recorded: this machine's clock is six minutes slow", "clock")
def slow_clock(world: World) -> Iterator[None]:
    world.recorded = {"clock_ahead_seconds": {"AWS": -360.0, "RunPod": -360.4}}
    yield
    world.recorded = {}

"""The sweep, dead letters, the table's TTL, alarms."""

from collections.abc import Iterator
from datetime import timedelta

from cli.doctor.checks.mail import unconfirmed
from cli.doctor.readings import Readings
from cli.doctor.registry import REVERT, Trouble, check, doubtful, wrong

_TTL_ATTRIBUTE = "expires_at"
# DynamoDB deletes within a few days after the time has come.
_TTL_GRACE = timedelta(days=7)


@check("sweep-schedule")
def sweep_schedule(readings: Readings) -> Iterator[Trouble]:
    schedule = readings.schedule
    cost = "lost callbacks are not found, and their summaries are lost after 30 minutes"
    minutes = readings.stack.parameters.get("SweepScheduleMinutes", "")
    if schedule is None:
        yield wrong(f"the sweep's schedule is gone: {cost}", REVERT)
    elif schedule.state != "ENABLED":
        yield wrong(
            f"the sweep's schedule is {schedule.state.lower()}: {cost}",
            "if nobody means it to be stopped, `resume`; `sweep` sweeps now",
        )
    elif minutes and schedule.expression not in _rates(minutes):
        yield doubtful(
            f"the sweep runs at {schedule.expression}, and the stack says every {minutes} minutes: the"
            " promise that a lost callback is found in time rests on that",
            f"{REVERT}, or set the parameter SweepScheduleMinutes and deploy",
        )


@check("sweep-target")
def sweep_target(readings: Readings) -> Iterator[Trouble]:
    schedule = readings.schedule
    sweeper = readings.functions["sweeper"].name
    if schedule is not None and schedule.target.rsplit(":", 1)[-1] != sweeper:
        yield wrong(f"the sweep's schedule starts {schedule.target}, not {sweeper}", REVERT)


@check("dead-letters")
def dead_letters(readings: Readings) -> Iterator[Trouble]:
    if readings.dead_letters:
        count = readings.dead_letters
        yield wrong(
            f"{count} dead letter{'' if count == 1 else 's'}, each a message that failed five times: the"
            " upload may have no summary",
            "look at them with `redrive --dry-run`, mend what it says, then `redrive`",
        )


@check("table-ttl")
def table_ttl(readings: Readings) -> Iterator[Trouble]:
    ttl = readings.ttl
    fix = (
        "`aws dynamodb update-time-to-live --time-to-live-specification"
        f" Enabled=true,AttributeName={_TTL_ATTRIBUTE} --table-name"
        f" {readings.stack.outputs.get('JobsTable', '')}`"
    )
    if ttl.status not in {"ENABLED", "ENABLING"}:
        yield doubtful(
            f"the table's TTL is {ttl.status.lower() or 'missing'}: records of jobs are kept for ever, and"
            " with them the names of files",
            fix,
        )
    elif ttl.attribute != _TTL_ATTRIBUTE:
        yield doubtful(
            f"the table's TTL looks at {ttl.attribute}, and records carry {_TTL_ATTRIBUTE}: none expires",
            f"disable it, wait an hour, then {fix}",
        )


@check("records-expire")
def records_expire(readings: Readings) -> Iterator[Trouble]:
    jobs = readings.jobs
    days = int(float(readings.environment.get("RETENTION_DAYS", "0") or 0))
    if not days or jobs.oldest_ended_at is None:
        return
    age = jobs.read_at - jobs.oldest_ended_at
    if age > timedelta(days=days) + _TTL_GRACE:
        yield doubtful(
            f"the oldest record is {age.days} days old and should be deleted after {days}: it was written"
            " while RetentionDays was longer, or the table's TTL does not work",
            "see whether TTL is on; `forget` removes one transcript with all that belongs to it",
        )


@check("alarm-mail")
def alarm_mail(readings: Readings) -> Iterator[Trouble]:
    address = readings.stack.parameters.get("AlarmEmail", "")
    yield from unconfirmed(address, readings.subscriptions, what="alarms")


def _rates(minutes: str) -> set[str]:
    whole = int(float(minutes))
    return {f"rate({whole} minutes)", f"rate({whole} minute)"}

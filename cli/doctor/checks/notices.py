"""Notices: whether jobs are told of, and whether somebody hears it."""

from collections.abc import Iterator

from cli.doctor.checks.mail import unconfirmed
from cli.doctor.readings import Readings
from cli.doctor.registry import Trouble, check, wrong


@check("notices-told")
def notices_told(readings: Readings) -> Iterator[Trouble]:
    count = readings.dead_notices
    if count:
        yield wrong(
            f"{count} notice{'' if count == 1 else 's'} in the dead end: somebody was not told how"
            " a job ended",
            "see why with `notices list`, mend it, then `notices replay`",
        )


@check("notices-fed")
def notices_fed(readings: Readings) -> Iterator[Trouble]:
    cost = "nobody is told of jobs, and after a day it is too late for those that ended meanwhile"
    if readings.notice_feed is None:
        yield wrong(f"nothing feeds the notifier from the table's stream: {cost}", "deploy again")
    elif readings.notice_feed in {"Disabled", "Disabling"}:
        yield wrong(
            f"the notifier's event source mapping is {readings.notice_feed.lower()}: {cost}",
            "enable it (Lambda, the notifier, Triggers)",
        )


@check("notice-mail")
def notice_mail(readings: Readings) -> Iterator[Trouble]:
    address = readings.stack.parameters.get("NoticeEmail", "")
    yield from unconfirmed(address, readings.notice_subscriptions, what="mails about jobs")

"""Reads everything at once. What does not answer in its time is left out, with the reason."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.deployment import Deployment
from cli.doctor.aws import Account, Unreadable
from cli.doctor.readings import NotRead, Readings
from cli.doctor.runpod import Outside, Reach
from cli.endpoint.api import ManagementError

# Two rounds, of which the second needs what the first has read. With the six seconds that an answer may
# take, all of it is well under 15.
_FIRST_SECONDS, _BEYOND_AN_ANSWER_SECONDS = 5.0, 1.5

Readers = Mapping[str, Callable[[], Any]]


class Clocks:
    """How far this machine's clock is from those that have answered it."""

    def __init__(self) -> None:
        self.ahead: dict[str, float] = {}

    def note(self, whom: str, date_header: str) -> None:
        """Compare with the Date of an answer that has just come, which is good to a second."""
        try:
            theirs = parsedate_to_datetime(date_header)
        except ValueError:
            return
        self.ahead[whom] = (datetime.now(UTC) - theirs).total_seconds()


def gather(deployment: Deployment, reach: Reach, choices: Mapping[str, Any]) -> Readings:
    clocks = Clocks()
    account = Account(deployment, clocks.note)
    first = _read({"stack": account.stack, "functions": account.functions}, _FIRST_SECONDS)
    outside = Outside(account, first, reach, clocks.note)
    second = _read(
        {
            "feed": account.feed,
            "notice_feed": lambda: account.notice_feed(first.stack),
            "queue_arn": account.queue_arn,
            "dead_letters": account.dead_letters,
            "dead_notices": lambda: account.dead_notices(first.stack),
            "input_bucket": lambda: account.bucket("InputBucket"),
            "output_bucket": lambda: account.bucket("OutputBucket"),
            "key_state": lambda: account.key_state(first.stack),
            "upload_rule": lambda: account.upload_rule(first.stack),
            "schedule": lambda: account.schedule(first.stack),
            "subscriptions": lambda: account.subscriptions(first.stack, "AlarmTopic"),
            "notice_subscriptions": lambda: account.subscriptions(first.stack, "NoticeTopic"),
            "ttl": account.ttl,
            "jobs": account.jobs,
            "concurrency": account.concurrency,
            "template_differences": account.template_differences,
            "code_differences": account.code_differences,
            "callback_secret": lambda: account.callback_secret(first.functions),
            "key_secret": outside.key_secret,
            "health": outside.health,
            "is_key_restricted": outside.is_key_restricted,
            "endpoint": outside.endpoint,
            "stock": outside.stock,
            "webhook": outside.webhook,
        },
        reach.answer_seconds + _BEYOND_AN_ANSWER_SECONDS,
    )
    return Readings(
        held={
            **first.held,
            **second.held,
            "endpoint_choices": choices,
            "clock_ahead_seconds": dict(clocks.ahead),
        },
        unread={**first.unread, **second.unread},
    )


def _read(readers: Readers, seconds: float) -> Readings:
    """Start all readers at once, and take what they have read within some seconds."""
    held: dict[str, Any] = {}
    unread: dict[str, str] = {}

    def read(name: str, reader: Callable[[], Any]) -> None:
        try:
            held[name] = reader()
        except Exception as exc:  # whatever it dies of, the other readings count
            unread[name] = _why(exc)

    # Daemons: one that hangs must not keep the command from ending.
    threads = {
        name: threading.Thread(target=read, args=(name, reader), name=name, daemon=True)
        for name, reader in readers.items()
    }
    for thread in threads.values():
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads.values():
        thread.join(max(0.0, end - time.monotonic()))
    late = {
        name: f"no answer within {seconds:g} s" for name, one in threads.items() if one.is_alive()
    }
    return Readings(held=dict(held), unread={**unread, **late})


def _why(exc: Exception) -> str:
    """Say why something could not be read; never more of an answer than its code."""
    if isinstance(exc, ClientError):
        return f"AWS refused {exc.operation_name}: {exc.response['Error']['Code']}"
    if isinstance(exc, NotRead):  # what it needs of the first round
        return f"{exc.reading} could not be read: {exc.why}"
    if isinstance(exc, (Unreadable, ManagementError)):
        return str(exc)
    if isinstance(exc, BotoCoreError):
        return f"AWS did not answer ({type(exc).__name__})"
    return f"it could not be read ({type(exc).__name__})"

"""`redrive`: what is in the dead-letter queue, what it stands for, and back to work with it.

Each message is sent to the queue it came from before it is deleted here, so none can be lost; one that is
sent twice does no harm, as every message may come twice. AWS's own redrive moves all or nothing and tells
nobody what it moves.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from cli.deployment import History
from cli.operating.asking import Leave, asks_leave
from cli.operating.deployed import settings_of
from cli.operating.desk import Desk, at_a_desk
from cli.operating.outcomes import standing
from cli.operating.queues import handed_back, received
from cli.operating.spans import now, short
from core.jobs.job import JobState, Source, job_id_for
from core.settings import SubmitterSettings
from submitter.messages import (
    AttemptRequested,
    NextStageRequested,
    UnknownMessage,
    is_for_a_job,
    parse_message,
)


@dataclass(frozen=True, kw_only=True)
class Letter:
    id: str
    body: str
    receipt: str
    sent_at: datetime
    means: str  # what it asks for, in words
    will: str  # what comes of it when it is taken again
    is_known: bool  # the submitter would take it
    done: str = ""

    def told(self) -> dict[str, Any]:
        return {
            "message_id": self.id,
            "sent_at": self.sent_at.isoformat(),
            "means": self.means,
            "will": self.will,
            "is_known": self.is_known,
            "done": self.done or None,
        }


@click.command("redrive")
@click.option("--limit", default=200, show_default=True, help="So many messages at most.")
@click.option("--drop-unknown", is_flag=True, help="Delete what the submitter could never take.")
@at_a_desk
@asks_leave
def redrive_command(desk: Desk, limit: int, leave: Leave, *, drop_unknown: bool) -> None:
    """Show the dead letters, then send them back to the queue they came from.

    Mend what sent them here first: after five more failures they are back.
    """
    sqs = desk.deployment.client("sqs")
    source = desk.deployment.outputs["UploadDeadLetterQueueUrl"]
    settings = settings_of(desk)
    messages: list[dict[str, Any]] = []
    done: set[str] = set()
    try:
        messages.extend(received(sqs, source, limit))
        letters = [_explained(desk, settings, each) for each in messages]
        moving = [each for each in letters if each.is_known]
        dropping = [each for each in letters if drop_unknown and not each.is_known]
        if is_shown := leave.will_ask and not desk.as_json:
            _show(desk.console, letters)
        if (moving or dropping) and leave.given(_question(moving, dropping)):
            target = desk.deployment.outputs["UploadQueueUrl"]
            letters = [
                _moved(sqs, source, target, each, done, drop=drop_unknown) for each in letters
            ]
            _tell(desk, letters, is_dry_run=False)
        elif not is_shown:
            _tell(desk, letters, is_dry_run=leave.is_dry_run)
    finally:
        handed_back(sqs, source, [each for each in messages if each["MessageId"] not in done])
    if any(not each.is_known and not each.done for each in letters):
        sys.exit(1)


def _explained(desk: Desk, settings: SubmitterSettings, message: dict[str, Any]) -> Letter:
    sent = int(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1_000
    letter = Letter(
        id=message["MessageId"],
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(sent, UTC),
        means="",
        will="",
        is_known=True,
    )
    try:
        parsed = parse_message(letter.body)
    except UnknownMessage as exc:
        will = "it would fail again; --drop-unknown deletes it"
        return replace(letter, means=f"no message of ours: {exc}", will=will, is_known=False)
    meanings = [_meaning(desk, settings, each) for each in parsed]
    if not meanings:
        return replace(letter, means="S3's test message", will="nothing: it is taken and forgotten")
    return replace(
        letter,
        means="; ".join(means for means, _ in meanings),
        will="; ".join(dict.fromkeys(will for _, will in meanings)),
    )


def _meaning(
    desk: Desk,
    settings: SubmitterSettings,
    message: Source | AttemptRequested | NextStageRequested,
) -> tuple[str, str]:
    match message:
        case Source():
            means = f"an upload: {message.key}"
            history = desk.deployment.history_of(job_id_for(message))
            if history:
                return means, f"nothing: it has its job {_brief(history)}"
            if not is_for_a_job(message, settings):
                return means, "nothing: it is no transcript, or lies elsewhere"
            return means, "it becomes a job"
        case AttemptRequested(job_id, call_id):
            means = f"another attempt of call {call_id} of job {job_id[:8]}"
        case NextStageRequested(job_id):
            means = f"the next round of job {job_id[:8]}"
    history = desk.deployment.history_of(job_id)
    if history is None:
        return means, "nothing: the job's record has expired"
    if history.job.state is JobState.ACTIVE:
        return means, f"the job goes on: {_brief(history)}"
    return means, f"nothing: {_brief(history)}; if it is wanted, `retry` it"


def _brief(history: History) -> str:
    return f"{history.job.id[:8]}, {standing(history, now())}"


def _moved(
    sqs: Any, source: str, target: str, letter: Letter, done: set[str], *, drop: bool
) -> Letter:
    if not letter.is_known and not drop:
        return letter
    if letter.is_known:
        sqs.send_message(QueueUrl=target, MessageBody=letter.body)
    sqs.delete_message(QueueUrl=source, ReceiptHandle=letter.receipt)
    done.add(letter.id)
    return replace(letter, done="sent back" if letter.is_known else "deleted")


def _question(moving: Sequence[Letter], dropping: Sequence[Letter]) -> str:
    parts = [f"send {len(moving)} back to work"] if moving else []
    parts += [f"delete {len(dropping)}"] if dropping else []
    return f"{' and '.join(parts).capitalize()}?"


def _tell(desk: Desk, letters: Sequence[Letter], *, is_dry_run: bool) -> None:
    told = {"is_dry_run": is_dry_run, "messages": [each.told() for each in letters]}
    desk.tell(told, lambda console: _show(console, letters))


def _show(console: Console, letters: Sequence[Letter]) -> None:
    if not letters:
        console.print("There are no dead letters.")
    for each in letters:
        done = f" [green]{each.done}[/]" if each.done else ""
        age = short(now() - each.sent_at)
        console.print(f"[bold]{escape(each.means)}[/]  [dim]sent {age} ago[/]{done}")
        if not each.done:
            console.print(f"  {escape(each.will)}", highlight=False)

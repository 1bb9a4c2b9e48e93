"""`notices`: what nobody could be told of jobs; telling it again; and a try of the webhook.

Each notice is told before its message is deleted, so none can be lost; whoever had it already knows it by
its id, which is the same each time.
"""

import json
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from cli.operating.asking import Leave, asks_leave
from cli.operating.dead_notices import EVERYBODY, WEBHOOK, DeadNotice, dead_notice, described
from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import found_history
from cli.operating.queues import handed_back, received
from cli.operating.spans import now, short
from core.notices.event_bus import EventBus
from core.notices.notice import Notice, notice_of

_SHOWN_OF_ID = 8
_SHOWN_JOBS = 3  # of one message

_limit = click.option("--limit", default=200, show_default=True, help="So many messages at most.")


@click.group("notices")
def notices_group() -> None:
    """Show what could not be told of jobs, and tell it again."""


@notices_group.command("list")
@_limit
@at_a_desk
def list_notices(desk: Desk, limit: int) -> None:
    """Show what could not be told, and why.

    Exit code 1 if there are any.
    """
    with _looking(desk, limit) as look:
        _tell(desk, look.found)
    if look.found:
        sys.exit(1)


@notices_group.command("replay")
@click.argument("names", nargs=-1, metavar="[JOB|KEY]...")
@_limit
@at_a_desk
@asks_leave
def replay_notices(desk: Desk, names: tuple[str, ...], limit: int, leave: Leave) -> None:
    """Tell again what could not be told.

    All of it, or what is of some jobs; shows it first. What the webhook did not take goes to the webhook,
    the rest to everybody. A job of which nothing is in the dead end is told of again to everybody. Ids are
    the same as before.
    """
    with _looking(desk, limit) as look:
        chosen = [*_of(look.found, names), *_asked_for(desk, look.found, names)]
        can = [each for each in chosen if each.to]
        _carried_out(desk, look, chosen, leave, question=_question(can), do=_replayed)
    if any(not each.done and not leave.is_dry_run for each in look.results):
        sys.exit(1)


@notices_group.command("drop")
@click.argument("names", nargs=-1, metavar="[JOB|KEY]...")
@_limit
@at_a_desk
@asks_leave
def drop_notices(desk: Desk, names: tuple[str, ...], limit: int, leave: Leave) -> None:
    """Delete what nobody needs to be told.

    From the dead end, all of it or what is of some jobs; shows it first.
    """
    with _looking(desk, limit) as look:
        chosen = _of(look.found, names)
        _carried_out(
            desk, look, chosen, leave, question=f"Delete {len(chosen)}?", do=lambda *_: "deleted"
        )


@notices_group.command("test")
@at_a_desk
def send_a_test(desk: Desk) -> None:
    """Try the webhook with a signed test.

    It is sent once, and says that it is a test. Exit code 1 if the receiver does not take it.
    """
    function = desk.deployment.outputs.get("WebhookSenderFunction")
    if not function:
        raise click.ClickException(
            "the stack has no webhook: set NoticeWebhookUrl (docs/notices.md), and deploy"
        )
    test_id = uuid.uuid4().hex[:_SHOWN_OF_ID]
    answer = desk.deployment.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"test": test_id}).encode()
    )
    told = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise click.ClickException(
            f"the function failed ({told.get('errorType')}): its log says more"
        )
    id_and_outcome = {"id": f"test-{test_id}", "host": told["host"], "problem": told["why"] or None}

    def show(console: Console) -> None:
        problem = told["why"]
        taken = f"{told['host']} took notice test-{test_id}"
        console.print(f"[red]not taken: {escape(problem)}[/]" if problem else escape(taken))

    desk.tell(id_and_outcome, show)
    if told["why"]:
        sys.exit(1)


# ---- a look, and what comes of it ----------------------------------------------------------------


@dataclass
class _Look:
    found: list[DeadNotice]
    results: list[DeadNotice]  # of those that something was to be done about


@contextmanager
def _looking(desk: Desk, limit: int) -> Iterator[_Look]:
    """Hold what is in the dead end for a while; whatever is left goes back at once."""
    sqs, queue = desk.deployment.client("sqs"), _output(desk, "NoticeDeadEndUrl")
    messages: list[dict[str, Any]] = []
    look = _Look([], [])
    try:
        messages.extend(received(sqs, queue, limit))
        look.found = [dead_notice(desk, each) for each in messages]
        yield look
    finally:
        done = {each.id for each in look.results if each.done}
        handed_back(sqs, queue, [each for each in messages if each["MessageId"] not in done])


def _carried_out(
    desk: Desk,
    look: _Look,
    chosen: Sequence[DeadNotice],
    leave: Leave,
    *,
    question: str,
    do: Callable[[Desk, DeadNotice], str],
) -> None:
    if is_shown := leave.will_ask and not desk.as_json:
        _show(desk.console, chosen)
    is_given = bool(question and chosen) and leave.given(question)
    look.results.extend(chosen)
    for number, each in enumerate(chosen):
        if is_given:
            look.results[number] = replace(each, done=do(desk, each))
            _forget(desk, look.results[number])
    if is_given or not is_shown:
        _tell(desk, look.results, is_dry_run=leave.is_dry_run)


def _forget(desk: Desk, notice: DeadNotice) -> None:
    if notice.done and notice.receipt:
        desk.deployment.client("sqs").delete_message(
            QueueUrl=_output(desk, "NoticeDeadEndUrl"), ReceiptHandle=notice.receipt
        )


def _replayed(desk: Desk, notice: DeadNotice) -> str:
    """Tell it again and say to whom; "" if that can't be done."""
    if notice.to == WEBHOOK:
        desk.deployment.client("sqs").send_message(
            QueueUrl=desk.deployment.outputs["NoticeQueueUrl"], MessageBody=json.dumps(notice.event)
        )
    elif notice.to == EVERYBODY:
        told = [each for job_id in notice.job_ids for each in _notices(desk, job_id)]
        refused = EventBus(desk.deployment.client("events")).put(told)
        if refused:
            raise click.ClickException(
                f"EventBridge refuses it: {', '.join(sorted(set(refused.values())))}"
            )
    return f"told to {notice.to}" if notice.to else ""


def _notices(desk: Desk, job_id: str) -> Iterator[Notice]:
    history = desk.deployment.history_of(job_id)
    if history and history.job.is_final:
        yield notice_of(
            history.job,
            stack=desk.deployment.stack_name,
            output_bucket=desk.deployment.outputs["OutputBucket"],
        )


def _of(found: Sequence[DeadNotice], names: Sequence[str]) -> list[DeadNotice]:
    return [each for each in found if not names or any(map(each.is_of, names))]


def _asked_for(
    desk: Desk, found: Sequence[DeadNotice], names: Sequence[str]
) -> Iterator[DeadNotice]:
    """Yield what is to be told of jobs of which nothing is in the dead end. Raises NoSuchJob."""
    for name in names:
        if any(each.is_of(name) for each in found):
            continue
        job = found_history(desk, name).job
        if not job.finished_at:
            raise click.ClickException(f"job {job.id[:_SHOWN_OF_ID]} has not ended yet")
        yield DeadNotice(
            id="",
            receipt="",
            at=job.finished_at,
            job_ids=(job.id,),
            what=described(job),
            why="nothing of it is in the dead end: it was told before",
            to=EVERYBODY,
        )


def _question(can: Sequence[DeadNotice]) -> str:
    return f"Tell {len(can)} again?" if can else ""


def _output(desk: Desk, name: str) -> str:
    try:
        return desk.deployment.outputs[name]
    except KeyError:
        raise click.ClickException(
            "this stack was deployed before there were notices: deploy again"
        ) from None


# ---- shown ---------------------------------------------------------------------------------------


def _tell(desk: Desk, notices: Sequence[DeadNotice], *, is_dry_run: bool = False) -> None:
    told = {"is_dry_run": is_dry_run, "messages": [each.told() for each in notices]}
    desk.tell(told, lambda console: _show(console, notices))


def _show(console: Console, notices: Sequence[DeadNotice]) -> None:
    if not notices:
        console.print("There is no notice in the dead end.")
    for each in notices:
        console.print(f"[bold]{escape(each.what)}[/]", highlight=False)
        if each.done:
            console.print(f"  [green]{escape(each.done)}[/]", highlight=False)
        else:
            _show_waiting(console, each)


def _show_waiting(console: Console, notice: DeadNotice) -> None:
    ids = ", ".join(job_id[:_SHOWN_OF_ID] for job_id in notice.job_ids[:_SHOWN_JOBS])
    more = " …" if len(notice.job_ids) > _SHOWN_JOBS else ""
    tries = "try" if notice.tries == 1 else "tries"
    after = f", after {notice.tries} {tries}" if notice.tries else ""
    about = f"{ids}{more}  {short(now() - notice.at)} ago{after}".strip()
    console.print(f"  {about}", highlight=False, style="dim")
    console.print(f"  {escape(notice.why)}", highlight=False)
    if notice.to:
        console.print(f"  replayed, it goes to {notice.to}", highlight=False)
    else:
        console.print("  it can't be told any more: `notices drop` deletes it", highlight=False)
